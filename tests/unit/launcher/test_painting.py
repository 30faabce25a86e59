"""A painter in front of a small server that answers as ComfyUI does, and fails as servers do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from expressive.dataset_maker.config import Config
from expressive.dataset_maker.painters import FailedError, RefusedError, UnreachableError
from expressive.dataset_maker.plan import make_plan
from launcher.graph import keep_only
from launcher.painting import ComfyPainter
from launcher.places import LaunchError

GRAPH = {
    "1": {"class_type": "Paint", "inputs": {"seed": 0, "text": ""}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "all"}},
    "3": {"class_type": "Upscale", "inputs": {"image": ["2", 0]}},
    "4": {
        "class_type": "SaveImage",
        "inputs": {"images": ["3", 0], "filename_prefix": "x"},
        "_meta": {"title": "Keep"},
    },
    "5": {"class_type": "Note", "inputs": {}},
}
INPUTS = {"Paint.seed": "{seed}", "Paint.text": "{word}, {age}"}
(AVATAR, *_) = make_plan(
    Config.model_validate({"name": "x", "workflow": {"file": "x", "keep": "x", "inputs": {}}, "people": {"count": 1}})
)


class Handler(BaseHTTPRequestHandler):
    server: Any

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def _answer(self, content: Any, code: int = 200) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        told = self.server.told
        path = self.path.split("?")[0]
        if path in told["codes"]:
            return self._answer({}, told["codes"][path])
        if path.startswith("/history/"):
            found = told["history"](path.rpartition("/")[2])
            return self._answer({} if found is None else {path.rpartition("/")[2]: found})
        answers = {"/system_stats": {}, "/object_info": {}, "/queue": told["queue"], "/view": b"a picture"}
        return self._answer(answers[path])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told["posts"].append((self.path, body))
        if self.path == "/prompt":
            if self.server.told["refuse"]:
                error = {"message": "no", "details": "", "type": "x"}
                return self._answer({"error": error, "node_errors": {}}, 400)
            if "/prompt" in self.server.told["codes"]:
                return self._answer({}, self.server.told["codes"]["/prompt"])
            return self._answer({"prompt_id": body["prompt_id"]})
        return self._answer(b"")


@pytest.fixture
def told() -> dict[str, Any]:
    done = {"status": {"status_str": "success"}, "outputs": {"4": {"images": [{"filename": "a.png"}]}}}
    return {
        "history": lambda prompt_id: done,
        "queue": {"queue_running": [], "queue_pending": []},
        "posts": [],
        "codes": {},
        "refuse": False,
        "done": done,
    }


@pytest.fixture
def painter(told) -> Iterator[ComfyPainter]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.told = told
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield ComfyPainter(f"http://127.0.0.1:{server.server_port}", GRAPH, "Keep", INPUTS, 60, "me")
    server.shutdown()
    server.server_close()


def paint(painter: ComfyPainter) -> bytes:
    return painter.paint(AVATAR, 42, threading.Event())


def posted(told, path):
    return [body for where, body in told["posts"] if where == path]


def test_it_queues_the_filled_graph_with_one_output_and_fetches_its_picture(painter, told):
    assert paint(painter) == b"a picture"
    (body,) = posted(told, "/prompt")
    assert body["prompt"] == {
        "1": {"class_type": "Paint", "inputs": {"seed": 42, "text": f"{AVATAR.word}, {AVATAR.age}"}},
        "3": {"class_type": "Upscale", "inputs": {"image": ["1", 0]}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}, "_meta": {"title": "Keep"}},
    }
    assert body["client_id"] == "me" and not posted(told, "/queue")
    assert painter.trouble() == ""


def test_prompts_of_an_earlier_run_are_withdrawn_and_those_of_others_are_not(painter, told):
    told["queue"] = {
        "queue_running": [[0, "mine", {}, {"client_id": "me"}, []]],
        "queue_pending": [[1, "others", {}, {"client_id": "you"}, []], [2, "mine too", {}, {"client_id": "me"}, []]],
    }
    paint(painter)
    assert sorted(body["delete"][0] for body in posted(told, "/queue")) == ["mine", "mine too"]


def test_a_failing_node_is_named(painter, told):
    message = {"node_id": "3", "node_type": "Upscale", "exception_message": "out of memory "}
    failed = {"status": {"status_str": "error", "messages": [["execution_error", message]]}, "outputs": {}}
    told["history"] = lambda prompt_id: failed
    with pytest.raises(FailedError, match=r"node 3 \(Upscale\): out of memory$"):
        paint(painter)


def test_no_picture_and_several_are_failures(painter, told):
    for images in ([], [{"filename": "a"}, {"filename": "b"}]):
        found = {"status": {"status_str": "success"}, "outputs": {"4": {"images": images}}}
        told["history"] = lambda prompt_id, found=found: found
        with pytest.raises(FailedError, match=f"made {len(images)} pictures"):
            paint(painter)


@pytest.mark.parametrize(
    ("path", "code", "kind"),
    [
        ("/prompt", 503, UnreachableError),
        ("/prompt", 500, FailedError),
        ("/view", 404, UnreachableError),
        ("/view", 500, FailedError),
        ("/object_info", 502, UnreachableError),
    ],
)
def test_what_the_servers_codes_mean(painter, told, path, code, kind):
    told["codes"][path] = code
    with pytest.raises(kind):
        paint(painter)


def test_a_refused_graph_is_nobodys_bad_luck(painter, told):
    told["refuse"] = True
    with pytest.raises(RefusedError, match="refuses this workflow"):
        paint(painter)


def test_a_forgotten_prompt_and_one_that_never_begins_go_to_another_server(painter, told, monkeypatch):
    monkeypatch.setattr("launcher.painting.LOST_AFTER", 0.0)
    told["history"] = lambda prompt_id: None
    with pytest.raises(UnreachableError, match="^has forgotten its picture"):
        paint(painter)
    painter.seconds = -1
    told["history"] = lambda prompt_id: told["queue"].update(queue_pending=[[0, prompt_id, {}, {}, []]])
    with pytest.raises(UnreachableError, match="has not begun"):
        paint(painter)
    told["history"] = lambda prompt_id: told["queue"].update(
        queue_pending=[], queue_running=[[0, prompt_id, {}, {}, []]]
    )
    with pytest.raises(FailedError, match="took longer"):
        paint(painter)
    assert len(posted(told, "/interrupt")) == 3, "each is withdrawn"


def test_given_up_it_withdraws_what_it_queued(painter, told):
    told["history"] = lambda prompt_id: None
    given_up = threading.Event()
    given_up.set()
    with pytest.raises(InterruptedError):
        painter.paint(AVATAR, 1, given_up)
    (queued,), (withdrawn,) = posted(told, "/prompt"), posted(told, "/queue")
    assert withdrawn == {"delete": [queued["prompt_id"]]}


def test_a_server_that_is_not_there_says_so():
    painter = ComfyPainter("http://127.0.0.1:9", GRAPH, "Keep", INPUTS, 60, "me")
    assert "does not answer" in painter.trouble()
    with pytest.raises(UnreachableError, match="does not answer"):
        paint(painter)


def test_only_pictures_can_be_kept():
    graph = {"1": {"class_type": "SaveImage", "inputs": {}}, "2": {"class_type": "Paint", "inputs": {}}}
    for wanted in ("SaveImage", "Paint"):
        with pytest.raises(LaunchError, match="Name a Save Image or Preview Image that has pictures"):
            keep_only(graph, wanted)
    with pytest.raises(LaunchError, match="0 nodes are called"):
        keep_only(graph, "Nothing")
