"""run.py as people call it, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error

import pytest
from PIL import Image

from launcher.client import Client
from launcher.places import ROOT

GRAPH = {
    "version": 0.4,
    "nodes": [
        {
            "id": 1,
            "type": "LoadImage",
            "mode": 0,
            "inputs": [],
            "outputs": [
                {"name": "IMAGE", "type": "IMAGE", "links": [1]},
                {"name": "MASK", "type": "MASK", "links": None},
            ],
            "widgets_values": ["beside.png", "image"],
        },
        {
            "id": 2,
            "type": "ImageScaleBy",
            "mode": 0,
            "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
            "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [2]}],
            "widgets_values": ["nearest-exact", 2],
        },
        {
            "id": 3,
            "type": "SaveImage",
            "mode": 0,
            "title": "The picture",
            "inputs": [{"name": "images", "type": "IMAGE", "link": 2}],
            "outputs": [],
            "widgets_values": ["scaled"],
        },
        {"id": 4, "type": "Note", "mode": 0, "inputs": [], "outputs": [], "widgets_values": ["for the eye"]},
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"]],
}


def start(*arguments, **options):
    command = [sys.executable, str(ROOT / "run.py"), *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
    if os.name != "nt":  # whoever runs the tests in the background has them ignore Ctrl-C, and so would this process
        options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **options)


@pytest.fixture
def workflow(tmp_path):
    """A workflow file with its picture beside it, in input/."""
    (tmp_path / "input").mkdir()
    Image.new("RGB", (20, 10), (200, 100, 50)).save(tmp_path / "input" / "beside.png")
    file = tmp_path / "scale.json"
    file.write_text(json.dumps(GRAPH))
    return file


def test_workflow_runs_a_saved_graph(workflow, tmp_path):
    process = start("workflow", workflow, "--set", "ImageScaleBy.scale_by=3", "--out", tmp_path / "out")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    picture = tmp_path / "out" / "scaled_00001_.png"
    assert str(picture) in output
    with Image.open(picture) as image:
        assert image.size == (60, 30)
        assert json.loads(image.text["workflow"]) == GRAPH, "the picture opens as its graph on the canvas"


def test_workflow_says_which_node_is_wrong(workflow):
    process = start("workflow", workflow, "--set", "2.upscale_method=magic")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "node 2 (ImageScaleBy): Value not in list: upscale_method: 'magic'" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(("number", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_the_server_ends_with_run_py(number, status):
    if number == "SIGKILL" and sys.platform != "linux":
        pytest.skip("only Linux ends a child whose parent was killed")
    process = start("canvas", "--no-browser", "--port", "8266", start_new_session=True)
    assert process.stdout is not None
    url = next(line.split()[-1] for line in process.stdout if line.startswith("The canvas is at"))
    client = Client(url)
    assert client.get("/system_stats")["system"]["comfyui_version"]
    process.send_signal(getattr(signal, number))
    assert process.wait(30) == status
    process.stdout.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            client.get("/system_stats", timeout=5)
        except (urllib.error.URLError, OSError):
            return
        time.sleep(0.2)
    pytest.fail(f"the server still answers at {url}")


def test_doctor_reports_without_a_server():
    process = start("doctor")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "ComfyUI         0." in output
    assert "Model files go to" in output
