"""Talking to a running ComfyUI over HTTP."""

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

from .places import LaunchError


class Client:
    """One ComfyUI server, such as http://127.0.0.1:8188, on this machine or nearby: proxies are left out."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.id = uuid.uuid4().hex
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, path: str, timeout: float = 60) -> Any:
        """The JSON answer to a GET request."""
        return json.loads(self.get_bytes(path, timeout))

    def get_bytes(self, path: str, timeout: float = 60) -> bytes:
        with self._opener.open(self.url + path, timeout=timeout) as answer:
            return answer.read()

    def post(self, path: str, body: Any, timeout: float = 60) -> Any:
        """The JSON answer to a POST request with a JSON body; None where the answer is empty."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with self._opener.open(request, timeout=timeout) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def object_info(self) -> dict[str, Any]:
        """Every node that the server knows: its inputs, outputs and texts."""
        return self.get("/object_info")

    def queue(
        self, prompt: dict[str, Any], workflow: dict[str, Any] | None = None, prompt_id: str | None = None
    ) -> str:
        """Queue an API-format graph and give back its prompt id; a UI-format `workflow` is stored in the outputs.

        prompt_id: a UUID to queue it under, so that it is known even if the answer is lost.

        Raises:
            LaunchError: the server refuses the graph; the message names each node and what is wrong with it.
        """
        body: dict[str, Any] = {"prompt": prompt, "client_id": self.id}
        if prompt_id is not None:
            body["prompt_id"] = prompt_id
        if workflow is not None:
            body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        try:
            return self.post("/prompt", body)["prompt_id"]
        except urllib.error.HTTPError as error:
            if error.code != 400:
                raise
            raise LaunchError(_refusal(json.loads(error.read()), prompt)) from None

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """What is kept of a prompt that has ended: `outputs`, `status`; None while it waits or runs."""
        return self.get(f"/history/{prompt_id}").get(prompt_id)

    def interrupt(self, prompt_id: str | None = None) -> None:
        """Stop the prompt that is running; of one that is named, only that one."""
        self.post("/interrupt", {} if prompt_id is None else {"prompt_id": prompt_id})

    def waiting(self) -> tuple[list[list[Any]], list[list[Any]]]:
        """What runs, and what waits: [number, prompt id, prompt, extra data, outputs] each."""
        queue = self.get("/queue")
        return queue["queue_running"], queue["queue_pending"]

    def withdraw(self, prompt_id: str) -> None:
        """Take a prompt out of the queue, and stop it if it is running."""
        self.post("/queue", {"delete": [prompt_id]})
        self.interrupt(prompt_id)

    def view(self, file: dict[str, str]) -> bytes:
        """The content of an output file, given as in `outputs`: filename, subfolder, type."""
        return self.get_bytes("/view?" + urllib.parse.urlencode(file))


def _refusal(answer: dict[str, Any], prompt: dict[str, Any]) -> str:
    """ComfyUI's validation errors as lines."""
    error = answer["error"]
    lines = [f"ComfyUI refuses this workflow: {error['message']} {error.get('details', '')}".strip()]
    for node_id, problem in answer.get("node_errors", {}).items():
        name = prompt.get(node_id, {}).get("class_type", problem.get("class_type", "?"))
        lines += [f"  node {node_id} ({name}): {e['message']}: {e['details']}" for e in problem["errors"]]
    return "\n".join(lines)
