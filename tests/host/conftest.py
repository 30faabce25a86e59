"""One real ComfyUI with the pack for the whole layer, on the CPU, with folders of its own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import websocket

from launcher.client import Client
from launcher.server import Server


@dataclass
class Run:
    """What a prompt did: the server's messages in order, its binary previews, and what the history keeps."""

    prompt_id: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The content of every message of one type, for example 'progress' or 'executed'."""
        return [message["data"] for message in self.messages if message["type"] == kind]

    @property
    def end(self) -> str:
        """'execution_success', 'execution_error' or 'execution_interrupted'."""
        return self.messages[-1]["type"]

    @property
    def files(self) -> list[dict[str, str]]:
        """Every file that an output node names, as Client.view takes it."""
        outputs = self.history["outputs"].values()
        lists = [v for output in outputs for v in output.values() if isinstance(v, list)]
        return [f for files in lists for f in files if isinstance(f, dict) and "filename" in f]


class Host(Client):
    """The running server: everything of Client, and `run`."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.url)
        self.server = server

    def run(self, prompt: dict[str, Any], *, interrupt_at: str | None = None, timeout: float = 300) -> Run:
        """Run an API-format graph to its end; `interrupt_at` names the message type at which it is cancelled."""
        socket = websocket.create_connection(f"{self.url.replace('http', 'ws')}/ws?clientId={self.id}", timeout=timeout)
        try:
            run = Run(self.queue(prompt))
            deadline = time.monotonic() + timeout
            while time.monotonic() < deadline:
                received = socket.recv()
                if isinstance(received, bytes):
                    run.previews.append(received)
                    continue
                message = json.loads(received)
                if message["data"].get("prompt_id") != run.prompt_id:
                    continue
                run.messages.append(message)
                if message["type"] == interrupt_at:
                    self.interrupt()
                    interrupt_at = None
                if message["type"] in ("execution_success", "execution_error", "execution_interrupted"):
                    run.history = self._ended(run.prompt_id, deadline)
                    return run
            raise TimeoutError(f"the prompt did not end within {timeout} s; the log:\n{self.server.log_tail()}")
        finally:
            socket.close()

    def _ended(self, prompt_id: str, deadline: float) -> dict[str, Any]:
        while time.monotonic() < deadline:  # the history is written just after the last message
            if (history := self.history(prompt_id)) is not None:
                return history
            time.sleep(0.05)
        raise TimeoutError("the prompt ended but never came into the history")


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    state: Path = tmp_path_factory.mktemp("server")
    with Server(state=state, arguments=["--cpu", "--disable-api-nodes", "--preview-method", "latent2rgb"]) as server:
        yield Host(server)
