"""A vision-language model as the judge of expressions, behind any endpoint that speaks OpenAI's chat protocol.

The prompt is the one of PixelSmile's Table 6, word for word. Answers are kept on disk, so that a run that was cut off,
or is repeated, pays for no picture twice.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.ffe import expression_word
from .ffe_bench import EXPRESSIONS

if TYPE_CHECKING:
    import requests

KEY = "EXPRESSIVE_AVATARS_VLM_KEY"
"""Environment variable that holds the endpoint's key; there is no other way to give one."""

KINDS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}


class JudgeError(RuntimeError):
    """The endpoint gives no usable answer."""


@functools.cache
def prompt() -> str:
    """PixelSmile's Table 6."""
    return Path(__file__).with_name("vlm_prompt.txt").read_text(encoding="utf-8").strip()


@functools.cache
def labels() -> dict[str, str]:
    """The prompt's labels and their words of the twelve: {"Happiness": "happy", …}."""
    listed = [line[2:].partition(":")[0] for line in prompt().splitlines() if line.startswith("- ")]
    return {label: word for label in listed if (word := expression_word(label)) is not None}


@dataclass
class Usage:
    """What was asked and paid for."""

    asked: int = 0
    kept: int = 0  # answers that were on disk
    tokens_in: int = 0
    tokens_out: int = 0

    def cost(self, price: tuple[float, float]) -> float:
        """price: for a million tokens in and out, in any currency."""
        return (self.tokens_in * price[0] + self.tokens_out * price[1]) / 1e6


@dataclass
class VlmScorer:
    """Twelve intensities of a picture.

    endpoint: such as https://api.openai.com/v1 or http://127.0.0.1:8000/v1. cache: folder of answers. tries: how often
    a picture is asked for before giving up on answers that are not as the prompt wants them.
    """

    endpoint: str
    model: str
    cache: Path
    timeout: float = 120.0
    tries: int = 3
    usage: Usage = field(default_factory=Usage)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)  # several pictures are asked at once

    def scores(self, picture: Path) -> tuple[float, ...]:
        """12 numbers of 0 … 1 in the order of EXPRESSIONS.

        Raises JudgeError where the endpoint cannot be reached or never answers as asked, and ValueError for a file that
        is no picture it takes.
        """
        content = picture.read_bytes()
        key = hashlib.sha256(b"\0".join((content, self.model.encode(), prompt().encode()))).hexdigest()[:40]
        file = self.cache / f"{key}.json"
        if file.is_file():
            with self._lock:
                self.usage.kept += 1
            return read_answer(json.loads(file.read_text(encoding="utf-8"))["answer"])
        kind = KINDS.get(picture.suffix.lower())
        if kind is None:
            raise ValueError(f"{picture.name} is not a picture that the endpoint takes: {', '.join(KINDS)}.")
        answer = self._asked(f"data:image/{kind};base64,{base64.b64encode(content).decode()}", picture.name)
        self.cache.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps({"model": self.model, "answer": answer}), encoding="utf-8")
        partial.replace(file)
        return read_answer(answer)

    def _asked(self, url: str, name: str) -> str:
        wrong = ""
        for _ in range(self.tries):
            answer = self._post(url, name)
            try:
                read_answer(answer)
            except ValueError as error:
                wrong = str(error)
            else:
                return answer
        raise JudgeError(f"{name}: {self.model} answered {self.tries} times, but not as asked: {wrong}")

    def _post(self, url: str, name: str) -> str:
        import requests

        body = {
            "model": self.model,
            "temperature": 0,
            "response_format": {"type": "json_object"},
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": prompt()}, {"type": "image_url", "image_url": {"url": url}}],
                }
            ],
        }
        headers = {"Authorization": f"Bearer {os.environ[KEY]}"} if os.environ.get(KEY) else {}
        try:
            found = self._session.post(
                f"{self.endpoint.rstrip('/')}/chat/completions", json=body, headers=headers, timeout=self.timeout
            )
            found.raise_for_status()
            told = found.json()
            answer = str(told["choices"][0]["message"]["content"])
        except (requests.RequestException, ValueError, KeyError, IndexError, TypeError) as error:
            advice = f" Set the key in {KEY}." if "401" in str(error) or "403" in str(error) else ""
            raise JudgeError(f"{name}: {self.endpoint} does not answer as it should ({error}).{advice}") from error
        usage = told.get("usage") or {}
        with self._lock:
            self.usage.asked += 1
            self.usage.tokens_in += int(usage.get("prompt_tokens", 0))
            self.usage.tokens_out += int(usage.get("completion_tokens", 0))
        return answer

    @functools.cached_property
    def _session(self) -> requests.Session:
        """Tries again, ever more slowly, where the endpoint is busy or the line breaks."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry

        session = requests.Session()
        busy = Retry(total=5, backoff_factor=1.0, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None)
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=busy))
        return session


def read_answer(answer: str) -> tuple[float, ...]:
    """Twelve scores from a model's words. Raises ValueError unless they are the JSON object that the prompt asks for.

    A frame of Markdown around it is allowed, since models add one all the same.
    """
    text = answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {answer[:80]!r}") from error
    if not isinstance(found, dict) or set(found) != set(labels()):
        raise ValueError(f"not the twelve labels: {sorted(found) if isinstance(found, dict) else answer[:80]!r}")
    scores = {}
    for label, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(f"{label} is {value!r}, not a number of 0 to 1")
        scores[labels()[label]] = float(value)
    return tuple(scores[word] for word in EXPRESSIONS)
