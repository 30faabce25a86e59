"""A ComfyUI server as a painter of avatars: a workflow, with other inputs for each of them."""

import http.client
import json
import threading
import time
import urllib.error
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from expressive.dataset_maker.painters import FailedError, RefusedError, UnreachableError
from expressive.dataset_maker.plan import PlannedAvatar

from .client import Client
from .graph import Prompt, keep_only, override, to_prompt
from .places import LaunchError

POLL = 0.25
"""Seconds between two looks whether a picture is done."""
LOST_AFTER = 2.0
"""Seconds after which a picture that is nowhere in sight is looked for in the queue."""
GONE = (OSError, http.client.HTTPException, json.JSONDecodeError)
"""What talking to a server that ends may raise; the last is an answer that was cut off."""
BEHIND = (502, 503, 504)
"""What a proxy answers for a server that is not there."""


class ComfyPainter:
    """Queues a workflow with its inputs changed, and fetches the one picture that is wanted of it.

    Args:
        url: of a ComfyUI, which need not run yet.
        graph: a parsed workflow in UI or API format.
        keep: id, title or class of the node whose picture is wanted. All other outputs are left out, and the server
            has the picture among its temporary files only.
        inputs: `node.input` → a value, or text with the names of an avatar's fields in braces.
        seconds: that one picture may take, and may wait.
        owner: a name under which the prompts of an earlier run that was killed are found, and withdrawn.
    """

    def __init__(
        self,
        url: str,
        graph: dict[str, Any],
        keep: str,
        inputs: Mapping[str, str | int | float | bool],
        seconds: float,
        owner: str,
    ) -> None:
        self.client = Client(url)
        self.client.id = owner
        self.name = self.client.url
        self.heard = time.monotonic()
        self.graph, self.keep, self.inputs, self.seconds = graph, keep, inputs, seconds
        self._lock = threading.Lock()
        self._prompt: tuple[Prompt, str] | None = None

    def trouble(self) -> str:
        """Why the server cannot be asked now; empty where it can."""
        try:
            self.client.get("/system_stats", timeout=5)
        except GONE as error:
            return f"does not answer ({error})"
        self.heard = time.monotonic()
        return ""

    def paint(self, avatar: PlannedAvatar, seed: int, given_up: threading.Event) -> bytes:
        """A picture file of an avatar; see `expressive.dataset_maker.painters.Painter`."""
        try:
            bare, key = self._bare()
            prompt = self._filled(bare, avatar, seed)
            prompt_id = str(uuid.uuid4())  # ours, so that it can be withdrawn whatever becomes of the answer
            try:
                self.client.queue(prompt, prompt_id=prompt_id)
                return self._picture(self._wait(prompt_id, given_up), key)
            except BaseException:
                with suppress(*GONE):
                    self.client.withdraw(prompt_id)
                raise
        except LaunchError as error:
            raise RefusedError(f"{self.name}: {error}") from error
        except UnreachableError:
            raise
        except urllib.error.HTTPError as error:
            kind = UnreachableError if error.code in BEHIND else FailedError
            raise kind(f"answers {error.code} {error.reason}") from error
        except InterruptedError:
            raise
        except GONE as error:
            raise UnreachableError(f"does not answer ({error})") from error

    def _filled(self, bare: Prompt, avatar: PlannedAvatar, seed: int) -> Prompt:
        """The API graph that paints an avatar. LaunchError for an input that the graph does not have."""
        prompt = json.loads(json.dumps(bare))
        known = {
            "word": avatar.word,
            "intensity": avatar.intensity,
            "age": avatar.age,
            "gender": avatar.gender,
            "race": avatar.race,
            "details": avatar.details,
            "prompt": avatar.prompt,
            "seed": seed,
        }
        for place, value in self.inputs.items():
            try:
                text = value.format(**known) if isinstance(value, str) else json.dumps(value)
            except (KeyError, IndexError, ValueError) as error:
                raise LaunchError(
                    f"workflow.inputs.{place}: {value!r} names what an avatar does not have ({error}). There are: "
                    f"{', '.join(known)}."
                ) from None
            override(prompt, f"{place}={text}")
        return prompt

    def _bare(self) -> tuple[Prompt, str]:
        """The graph with its one output, and that one's key, once the server has said which nodes it has."""
        with self._lock:
            if self._prompt is None:
                self._forget_old()
                object_info = self.client.object_info()
                self._prompt = keep_only(to_prompt(self.graph, object_info), self.keep)
            return self._prompt

    def _forget_old(self) -> None:
        running, pending = self.client.waiting()
        for _, prompt_id, _, extra, *_ in [*pending, *running]:
            if extra.get("client_id") == self.client.id:
                self.client.withdraw(prompt_id)

    def _wait(self, prompt_id: str, given_up: threading.Event) -> dict[str, Any]:
        """What is kept of a prompt once it has ended."""
        queued = looked = time.monotonic()
        began: float | None = None
        while (history := self.client.history(prompt_id)) is None:
            self.heard = now = time.monotonic()
            if given_up.wait(POLL):
                raise InterruptedError
            if now - looked < LOST_AFTER:
                continue
            looked = now
            running, pending = ([entry[1] for entry in part] for part in self.client.waiting())
            if prompt_id in running:
                began = began or now
                if now - began > self.seconds:
                    raise FailedError(f"{self.name} took longer than {self.seconds:.0f} s")
            elif prompt_id in pending:
                if now - queued > self.seconds:
                    raise UnreachableError(f"has not begun its picture for {self.seconds:.0f} s")
            elif self.client.history(prompt_id) is None:
                raise UnreachableError("has forgotten its picture: it was started again")
        return history

    def _picture(self, history: dict[str, Any], key: str) -> bytes:
        if history["status"]["status_str"] != "success":
            raise FailedError(_reason(history["status"]["messages"]))
        files = history["outputs"].get(key, {}).get("images", [])
        if len(files) != 1:
            raise FailedError(f"“{self.keep}” made {len(files)} pictures, where one is expected")
        try:
            return self.client.view(files[0])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                raise UnreachableError("has forgotten its picture: it was started again") from error
            raise


def _reason(messages: list[list[Any]]) -> str:
    for kind, message in messages:
        if kind == "execution_error":
            return f"node {message['node_id']} ({message['node_type']}): {message['exception_message'].strip()}"
    return "it was interrupted on the server"
