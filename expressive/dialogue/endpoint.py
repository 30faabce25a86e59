"""An OpenAI-compatible endpoint as the assistant: a server of one's own (llama.cpp, Ollama, vLLM …) or a service.

The key (see `keys`) is read when it is needed, and goes nowhere but into the request's header: no value here holds it,
and no message repeats it.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .keys import EndpointError, check_variable, is_local, key_for
from .messages import Message, Sampling, spoken

AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same is asked again."""
LONGEST_PAUSE = 30.0  # seconds, whatever the server wishes
LARGEST = 4 << 20  # bytes of an answer
TICK = 0.1  # seconds between two looks at whether to stop


@dataclass(frozen=True)
class _Failure:
    """Why a try failed. again: the next one may succeed. pause: seconds that the server asks for."""

    sentence: str
    again: bool = False
    pause: float = 0.0
    refused: str = ""  # the parameter that the server does not take


@dataclass(frozen=True)
class Endpoint:
    """base_url: such as http://127.0.0.1:11434/v1. key_variable: an environment variable's name, or empty.

    timeout: seconds that one try may take. retries: how often to try again. back_off: seconds before the first of them,
    twice as many before each next.
    Raises ValueError with a sentence for anything that cannot be asked.
    """

    base_url: str
    model: str
    key_variable: str = ""
    timeout: float = 60.0
    retries: int = 2
    back_off: float = field(default=1.0, repr=False)

    def __post_init__(self) -> None:
        address = self.base_url.strip().rstrip("/")
        if any(mark in address for mark in "@?#"):
            raise ValueError(
                "The base URL holds a name, a password or a query, which would be saved with the graph. Write the bare "
                "address, and give the key by an environment variable."
            )
        host = _host_of(address)
        if host is None:
            raise ValueError(
                f"The base URL is an address such as http://127.0.0.1:11434/v1, but here it is “{self.base_url}”."
            )
        if not self.model.strip():
            raise ValueError("The name of the model is empty. Write what the endpoint calls it, such as qwen2.5:7b.")
        variable = self.key_variable.strip()
        check_variable(variable, host)
        for name, value in (("base_url", address), ("model", self.model.strip()), ("key_variable", variable)):
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        return f"{self.model} at {urllib.parse.urlsplit(self.base_url).hostname}"

    def reply(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        progress: Callable[[int], None] = lambda tokens: None,
    ) -> str:
        """See `Assistant`; what `progress` raises is heeded within `TICK`. EndpointError if there is no answer."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "max_tokens": sampling.tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            "stream": False,
        }
        key = key_for(self.key_variable, self.base_url)
        tries = 0
        while True:
            found = self._asked(body, key, progress)
            if isinstance(found, str):
                return spoken(found)
            if found.refused in body and found.refused in ("max_tokens", "temperature", "seed"):
                value = body.pop(found.refused)  # some models take neither, or call it otherwise
                if found.refused == "max_tokens":
                    body["max_completion_tokens"] = value
                continue
            if not found.again or tries >= self.retries:
                more = f" It was tried {tries + 1} times." if tries else ""
                raise EndpointError(found.sentence + more)
            _wait(max(found.pause, self.back_off * 2**tries), progress)
            tries += 1

    def _asked(self, body: dict[str, Any], key: str, progress: Callable[[int], None]) -> str | _Failure:
        """One try, in a thread of its own so that it can be left alone when the user cancels."""
        answers: queue.SimpleQueue[str | _Failure] = queue.SimpleQueue()
        thread = threading.Thread(target=lambda: answers.put(self._post(body, key)), daemon=True)
        thread.start()
        ends = time.monotonic() + self.timeout + 1  # the socket's own time counts from each packet
        while time.monotonic() < ends:
            progress(0)
            try:
                return answers.get(timeout=TICK)
            except queue.Empty:
                continue
        return self._late()

    def _post(self, body: dict[str, Any], key: str) -> str | _Failure:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "expressive-avatars"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(
            f"{self.base_url}/chat/completions", json.dumps(body).encode(), headers, method="POST"
        )
        handlers: list[urllib.request.BaseHandler] = [_SameHost()]
        if is_local(urllib.parse.urlsplit(self.base_url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=self.timeout) as answer:
                return _content(answer.read(LARGEST + 1), self.name)
        except urllib.error.HTTPError as error:
            with error:
                return self._http(error, key)
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                return self._late()
            return _Failure(
                f"{self._host} cannot be reached ({_line(str(error.reason), key)}). Is the server running, and is the "
                "base URL right?",
                again=isinstance(error.reason, ConnectionResetError | ConnectionAbortedError),
            )
        except TimeoutError:
            return self._late()
        except (OSError, http.client.HTTPException) as error:
            return _Failure(f"The line to {self._host} broke ({type(error).__name__}).", again=True)
        except Exception as error:  # whatever it is, the node is not to wait for it
            return _Failure(f"{self._host} does not answer as a web server does ({type(error).__name__}).")

    @property
    def _host(self) -> str:
        return urllib.parse.urlsplit(self.base_url).netloc

    def _late(self) -> _Failure:
        return _Failure(
            f"{self._host} did not answer within {self.timeout:g} seconds. Raise the timeout, or lower max_tokens.",
            again=True,
        )

    def _http(self, error: urllib.error.HTTPError, key: str) -> _Failure:
        """What an answer that is no success means."""
        code = error.code
        if code in (301, 302, 303, 307, 308):
            target = urllib.parse.urlsplit(error.headers.get("Location", ""))
            place = f"{target.scheme}://{target.netloc}" if target.netloc else "another address"
            return _Failure(f"{self._host} sends on to {place}. Write the address that is meant as the base URL.")
        if code in (401, 403):
            advice = (
                f"Check what {self.key_variable} holds."
                if self.key_variable
                else "Name the variable that holds the key."
            )
            return _Failure(f"{self._host} does not accept the key (HTTP {code}). {advice}")
        told, parameter = _complaint(error)
        if code == 404:
            return _Failure(
                f"{self._host} knows no {urllib.parse.urlsplit(self.base_url).path}/chat/completions, or no model "
                f"“{self.model}” (HTTP 404). Check the base URL, which often ends in /v1, and the model's name."
            )
        if code == 429:
            return _Failure(
                f"{self._host} is asked too often, or the account has no credit left (HTTP 429).",
                again=True, pause=_pause(error.headers),
            )  # fmt: skip
        said = f": {_line(told, key)}" if told else ""
        return _Failure(
            f"{self._host} refuses the request (HTTP {code}{said}).",
            again=code in AGAIN, pause=_pause(error.headers), refused=parameter if code == 400 else "",
        )  # fmt: skip


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect within the same scheme, host and port alone, with the same request."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if code not in (307, 308) or (old.scheme, old.netloc) != (new.scheme, new.netloc):
            return None  # the answer itself is then an HTTPError
        return urllib.request.Request(newurl, req.data, dict(req.header_items()), method="POST")

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


def _host_of(address: str) -> str | None:
    """The host of a web address, None if it is none."""
    try:
        parts = urllib.parse.urlsplit(address)
        port = parts.port  # read for the error that it raises
    except ValueError:
        return None
    well = parts.scheme in ("http", "https") and port != 0 and not any(mark.isspace() for mark in address)
    return parts.hostname if well else None


def _content(answer: bytes, name: str) -> str | _Failure:
    """The text of a chat completion."""
    if len(answer) > LARGEST:
        return _Failure(f"The answer of {name} is larger than {LARGEST >> 20} MB, which is no reply.")
    try:
        told = json.loads(answer)
    except ValueError:
        return _Failure(f"The answer of {name} is not JSON. Is the base URL that of an OpenAI-compatible endpoint?")
    try:
        content = told["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        content = None
    if not isinstance(content, str):
        return _Failure(f"The answer of {name} holds no text (choices[0].message.content). Choose another model.")
    return content


def _complaint(error: urllib.error.HTTPError) -> tuple[str, str]:
    """What the server says of an error, and the parameter that it names."""
    try:
        told = json.loads(error.read(LARGEST))
    except (ValueError, OSError, http.client.HTTPException):
        return "", ""
    found = told.get("error", told) if isinstance(told, dict) else None
    if isinstance(found, str):
        return found, ""
    if not isinstance(found, dict):
        return "", ""
    said, parameter = found.get("message"), found.get("param")
    return said if isinstance(said, str) else "", parameter if isinstance(parameter, str) else ""


def _line(text: str, key: str) -> str:
    """One short line of foreign text, without the key."""
    plain = text.replace(key, "…") if key else text
    return " ".join(plain.split())[:200]


def _pause(headers: Any) -> float:
    """Seconds of Retry-After, if it is a number."""
    try:
        return min(LONGEST_PAUSE, max(0.0, float(headers.get("Retry-After", ""))))
    except ValueError:
        return 0.0


def _wait(seconds: float, progress: Callable[[int], None]) -> None:
    ends = time.monotonic() + min(seconds, LONGEST_PAUSE)
    while (left := ends - time.monotonic()) > 0:
        progress(0)
        time.sleep(min(TICK, left))
