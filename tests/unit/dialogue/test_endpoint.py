"""An OpenAI-compatible endpoint, which here is a real web server of this machine."""

import json
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from expressive.dialogue.endpoint import Endpoint
from expressive.dialogue.keys import OWN, EndpointError, is_local, key_for
from expressive.dialogue.messages import Sampling

KEY = "sk-very-secret-0123456789"
VARIABLE = f"{OWN}TEST_KEY"
MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
Answer = tuple[int, dict[str, str], bytes]


def told(content: Any) -> Answer:
    body = {"choices": [{"message": {"role": "assistant", "content": content}}]}
    return 200, {}, json.dumps(body).encode()


def failed(code: int, message: str = "no", parameter: str | None = None, **headers: str) -> Answer:
    return code, headers, json.dumps({"error": {"message": message, "param": parameter}}).encode()


class Server(ThreadingHTTPServer):
    """Gives its answers one after the other, the last one again and again, each after a pause."""

    daemon_threads = True
    answers: list[Answer]
    pause = 0.0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = [told("Hi.")], []
        self.open = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def endpoint(self, **rest: Any) -> Endpoint:
        return Endpoint(self.url, "small", **{"back_off": 0.01, **rest})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.open.wait(self.server.pause)
        answers = self.server.answers
        code, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has gone

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output stays readable."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield found
    found.open.set()
    found.shutdown()
    found.server_close()


def test_the_reply_of_a_server(server: Server) -> None:
    server.answers = [told("<think>Hm.</think> Hello you. ")]
    assert server.endpoint().reply(MESSAGES, Sampling(50, 0.3, 7)) == "Hello you."
    ((path, headers, body),) = server.asked
    assert path == "/v1/chat/completions" and "Authorization" not in headers
    assert body == {
        "model": "small", "messages": MESSAGES, "max_tokens": 50, "temperature": 0.3, "seed": 7, "stream": False,
    }  # fmt: skip


def test_a_busy_server_is_asked_again(server: Server) -> None:
    server.answers = [failed(429, Retry_After="0"), failed(503), told("Hi.")]
    assert server.endpoint(retries=2).reply(MESSAGES, Sampling()) == "Hi."
    assert len(server.asked) == 3


def test_it_gives_up_after_so_many_tries(server: Server) -> None:
    server.answers = [failed(500, "out of memory")]
    with pytest.raises(EndpointError, match="HTTP 500: out of memory.*tried 3 times"):
        server.endpoint(retries=2).reply(MESSAGES, Sampling())
    assert len(server.asked) == 3
    server.answers = [failed(400, "no such thing")]
    with pytest.raises(EndpointError, match="HTTP 400: no such thing"):
        server.endpoint(retries=2).reply(MESSAGES, Sampling())
    assert len(server.asked) == 4  # asking again would not help


def test_it_waits_as_long_as_the_server_asks(server: Server) -> None:
    server.answers = [failed(429, Retry_After="0.3"), told("Hi.")]
    start = time.monotonic()
    server.endpoint(retries=1).reply(MESSAGES, Sampling())
    assert time.monotonic() - start >= 0.3


def test_a_late_answer_is_a_sentence(server: Server) -> None:
    server.pause = 5.0
    with pytest.raises(EndpointError, match="did not answer within 0.2 seconds"):
        server.endpoint(timeout=0.2, retries=0).reply(MESSAGES, Sampling())


def test_cancel_does_not_wait_for_the_answer(server: Server) -> None:
    server.pause = 5.0
    start = time.monotonic()

    def cancel(tokens: int) -> None:
        if time.monotonic() - start > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        server.endpoint(timeout=5.0).reply(MESSAGES, Sampling(), cancel)
    assert time.monotonic() - start < 1.0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>", "is not JSON"),
        (b"[1]", "holds no text"),
        (b'{"choices": []}', "holds no text"),
        (told(None)[2], "holds no text"),
        (told([{"type": "text"}])[2], "holds no text"),
    ],
)
def test_an_answer_of_another_kind_is_a_sentence(server: Server, content: bytes, sentence: str) -> None:
    server.answers = [(200, {}, content)]
    with pytest.raises(EndpointError, match=sentence):
        server.endpoint().reply(MESSAGES, Sampling())
    assert len(server.asked) == 1


def test_a_parameter_that_is_not_taken_is_left_out(server: Server) -> None:
    server.answers = [
        failed(400, "use max_completion_tokens", "max_tokens"), failed(400, "only 1", "temperature"), told("Hi."),
    ]  # fmt: skip
    assert server.endpoint(retries=0).reply(MESSAGES, Sampling(50)) == "Hi."
    last = server.asked[-1][2]
    assert last["max_completion_tokens"] == 50 and "max_tokens" not in last and "temperature" not in last


def test_nobody_there_is_a_sentence(server: Server) -> None:
    endpoint = server.endpoint()
    server.shutdown()
    server.server_close()
    with pytest.raises(EndpointError, match="cannot be reached.*Is the server running"):
        endpoint.reply(MESSAGES, Sampling())


def test_redirects_stay_on_the_host(server: Server) -> None:
    other = f"http://localhost:{server.server_port}/v1/chat/completions"
    for code in (301, 302, 307, 308):
        server.asked.clear()
        server.answers = [failed(code, Location=other)]
        with pytest.raises(EndpointError, match="sends on to http://localhost:"):
            server.endpoint().reply(MESSAGES, Sampling())
        assert len(server.asked) == 1
    server.asked.clear()
    server.answers = [failed(307, Location="/v2/chat/completions"), told("Hi.")]
    assert server.endpoint().reply(MESSAGES, Sampling()) == "Hi."
    assert [path for path, _, _ in server.asked] == ["/v1/chat/completions", "/v2/chat/completions"]
    assert server.asked[0][2] == server.asked[1][2]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 429, 500])
def test_the_key_goes_to_the_server_and_nowhere_else(
    server: Server, code: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, f" {KEY}\n")
    endpoint = server.endpoint(key_variable=VARIABLE, retries=0)
    assert endpoint.reply(MESSAGES, Sampling()) == "Hi." and KEY not in repr(endpoint)
    assert server.asked[0][1]["Authorization"] == f"Bearer {KEY}" and KEY not in json.dumps(server.asked[0][2])
    server.answers = [failed(code, f"Incorrect API key provided: {KEY}", WWW_Authenticate=KEY)]
    with caplog.at_level(0), pytest.raises(EndpointError, match=f"HTTP {code}") as raised:
        endpoint.reply(MESSAGES, Sampling())
    shown = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert KEY not in shown and KEY[3:12] not in shown


def test_a_key_that_cannot_be_sent_is_not_repeated(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = server.endpoint(key_variable=VARIABLE)
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(EndpointError, match=f"{VARIABLE} is not set"):
        endpoint.reply(MESSAGES, Sampling())
    for wrong in (f"{KEY}\nX-Other: 1", f"{KEY} {KEY}", f"{KEY}é"):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(EndpointError, match="is not a key") as raised:
            endpoint.reply(MESSAGES, Sampling())
        assert KEY not in str(raised.value)
    monkeypatch.setenv(VARIABLE, KEY)
    with pytest.raises(EndpointError, match="example.com without encryption"):
        key_for(VARIABLE, "http://example.com/v1")
    assert key_for(VARIABLE, "https://example.com/v1") == KEY and not server.asked


def test_no_graph_sends_another_secret_away() -> None:
    with pytest.raises(ValueError, match=f"Only variables whose names begin with {OWN}"):
        Endpoint("https://example.com/v1", "small", "AWS_SECRET_ACCESS_KEY")
    for address in ("https://example.com/v1", "https://api.openai.com.example.com/v1", "http://127.0.0.1/v1"):
        with pytest.raises(ValueError, match="OPENAI_API_KEY goes to api.openai.com alone"):
            Endpoint(address, "small", "OPENAI_API_KEY")
    Endpoint("https://api.openai.com/v1", "gpt", "OPENAI_API_KEY")
    with pytest.raises(ValueError, match="name of an environment variable") as raised:
        Endpoint("https://example.com/v1", "small", KEY)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.168.1.20", True), ("server", True),
        ("gpu.local", True), ("example.com", False), ("8.8.8.8", False), ("134744072", False), ("0x08080808", False),
        ("", False),
    ],
)  # fmt: skip
def test_what_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:11434/v1", "ftp://host/v1", "http://", "http://a b/v1", "http://host:port/v1", "http://["],
)
def test_what_is_no_address_is_a_sentence(address: str) -> None:
    with pytest.raises(ValueError, match="is an address such as"):
        Endpoint(address, "small")


def test_no_secret_stands_in_an_address() -> None:
    for address in (f"https://me:{KEY}@example.com/v1", f"https://example.com/v1?key={KEY}"):
        with pytest.raises(ValueError, match="saved with the graph") as raised:
            Endpoint(address, "small")
        assert KEY not in str(raised.value)
    with pytest.raises(ValueError, match="name of the model is empty"):
        Endpoint("http://127.0.0.1/v1", " ")
    assert Endpoint(" http://127.0.0.1:1/v1/ ", " small ").base_url == "http://127.0.0.1:1/v1"
