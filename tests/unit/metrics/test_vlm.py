"""A vision-language model as judge: a small server stands for the endpoint."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from expressive.metrics import vlm
from expressive.metrics.edit_folder import EditFile
from expressive.metrics.ffe_bench import EXPRESSIONS
from expressive.metrics.judging import VlmJudge, judged

GOOD = {label: 0.02 for label in vlm.labels()} | {"Happiness": 0.9, "Surprise": 0.4}


class Endpoint:
    """Answers with what is in `answers`, one after the other, the last for ever; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = [(200, json.dumps(GOOD))]
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        endpoint, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    endpoint.asked.append(body)
                    endpoint.headers.append(dict(self.headers))
                    status, answer = endpoint.answers.pop(0) if len(endpoint.answers) > 1 else endpoint.answers[0]
                told = {
                    "choices": [{"message": {"content": answer}}],
                    "usage": {"prompt_tokens": 1000, "completion_tokens": 50},
                }
                content = json.dumps(told if status == 200 else {"error": answer}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the screen."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (8, 8), "tan").save(tmp_path / "face.png")
    return tmp_path / "face.png"


@pytest.fixture
def scorer(endpoint: Endpoint, tmp_path: Path) -> vlm.VlmScorer:
    return vlm.VlmScorer(endpoint.url, "some-vlm", tmp_path / "cache", timeout=10)


def test_the_prompt_is_the_papers_and_names_the_twelve() -> None:
    assert set(vlm.labels().values()) == set(EXPRESSIONS)
    assert vlm.labels()["Embarrassment"] == "shy" and vlm.labels()["Drowsiness"] == "sleepy"
    assert vlm.prompt().startswith("Role and Task Definition") and "Do not explain your reasoning" in vlm.prompt()


def test_a_picture_is_scored_once_and_its_answer_kept(
    endpoint: Endpoint, scorer: vlm.VlmScorer, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(vlm.KEY, "secret")
    found = scorer.scores(picture)
    assert found[EXPRESSIONS.index("happy")] == 0.9 and found[EXPRESSIONS.index("surprised")] == 0.4
    assert scorer.scores(picture) == found
    assert (scorer.usage.asked, scorer.usage.kept) == (1, 1)
    assert scorer.usage.cost((2.0, 12.0)) == pytest.approx(1000 * 2e-6 + 50 * 12e-6)
    (body,) = endpoint.asked
    text, image = body["messages"][0]["content"]
    assert text["text"] == vlm.prompt() and image["image_url"]["url"].startswith("data:image/png;base64,")
    assert body["model"] == "some-vlm" and body["temperature"] == 0
    assert endpoint.headers[0]["Authorization"] == "Bearer secret"
    assert "secret" not in "".join(path.read_text() for path in scorer.cache.rglob("*.json"))


def test_an_answer_that_is_not_as_asked_is_asked_for_again(
    endpoint: Endpoint, scorer: vlm.VlmScorer, picture: Path
) -> None:
    endpoint.answers = [(200, "I see a smile."), (200, "{}"), (200, f"```json\n{json.dumps(GOOD)}\n```")]
    assert scorer.scores(picture)[EXPRESSIONS.index("happy")] == 0.9 and scorer.usage.asked == 3


@pytest.mark.parametrize(
    "answer",
    ["[]", json.dumps({**GOOD, "Happiness": 1.5}), json.dumps({**GOOD, "Happiness": True}), json.dumps({"Joy": 1.0})],
)
def test_three_wrong_answers_are_enough(endpoint: Endpoint, scorer: vlm.VlmScorer, picture: Path, answer: str) -> None:
    endpoint.answers = [(200, answer)]
    with pytest.raises(vlm.JudgeError, match="face.png: some-vlm answered 3 times, but not as asked"):
        scorer.scores(picture)
    assert scorer.usage.asked == 3 and not list(scorer.cache.glob("*"))


def test_a_busy_endpoint_is_waited_for(
    endpoint: Endpoint, scorer: vlm.VlmScorer, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    endpoint.answers = [(429, "slow down"), (503, "busy"), (200, json.dumps(GOOD))]
    assert len(scorer.scores(picture)) == 12 and len(endpoint.asked) == 3


@pytest.mark.parametrize(("status", "sentence"), [(401, "Set the key in EXPRESSIVE_AVATARS_VLM_KEY"), (400, "400")])
def test_a_refusal_is_a_sentence(
    endpoint: Endpoint, scorer: vlm.VlmScorer, picture: Path, status: int, sentence: str
) -> None:
    endpoint.answers = [(status, "no")]
    with pytest.raises(vlm.JudgeError, match=sentence):
        scorer.scores(picture)


def test_many_pictures_are_asked_about_at_once(endpoint: Endpoint, scorer: vlm.VlmScorer, tmp_path: Path) -> None:
    edits = []
    for number in range(9):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
        edits.append(EditFile(tmp_path / f"{number}.png", tmp_path / "0.png", "happy", number / 8))
    found = judged(edits, VlmJudge(scorer, []))
    assert [edit.alpha for edit in found] == [number / 8 for number in range(9)]
    assert all(edit.dominant == "happy" and edit.identity is None for edit in found) and scorer.usage.asked == 9
