"""The workflows inside a real server: the pocket ones run, the full ones are what the server accepts."""

import io
import json
import os
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from launcher.graph import to_prompt
from launcher.places import WORKFLOWS
from launcher.server import Server

POCKET = sorted(WORKFLOWS.glob("*.pocket.json"))
FREEZE = "EXPRESSIVE_AVATARS_FREEZE"
SAMPLERS = ("KSampler", "Stylize", "ConsistentAttentionSampler")
SAVED = {"SaveImage": "images", "SaveAudio": "audio"}
FULL = sorted(file for file in WORKFLOWS.glob("*.json") if ".pocket" not in file.name)


def api(file: Path):
    return json.loads((WORKFLOWS / "api" / file.name).read_text(encoding="utf-8"))


def node(prompt, name):
    """The inputs of the one node with this title or class."""
    (found,) = [n for n in prompt.values() if name in (n["_meta"]["title"], n["class_type"])]
    return found["inputs"]


def key(prompt, name):
    (found,) = [k for k, n in prompt.items() if name in (n["_meta"]["title"], n["class_type"])]
    return found


def slider(seed=42, **alphas):
    prompt = api(WORKFLOWS / "expression-slider.pocket.json")
    node(prompt, "KSampler").update(seed=seed)
    node(prompt, "TextLatentInterpolate").update(alphas)
    return prompt


def pictures(host, prompt, run, name):
    """The pictures that one node of a run saved: [B,H,W,3] uint8."""
    files = run.history["outputs"][key(prompt, name)]["images"]
    return np.stack([np.asarray(Image.open(io.BytesIO(host.view(file))).convert("RGB")) for file in files])


def difference(one, other):
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


@pytest.mark.parametrize("file", [*POCKET, *FULL], ids=lambda file: file.stem)
def test_the_api_format_is_what_the_saved_graph_means(host, file):
    made = to_prompt(json.loads(file.read_text(encoding="utf-8")), host.object_info())
    if os.environ.get(FREEZE):
        text = json.dumps(made, indent=2, ensure_ascii=False)
        (WORKFLOWS / "api" / file.name).write_text(f"{text}\n", encoding="utf-8")
    assert api(file) == made, f"write it anew with {FREEZE}=1 python run.py test host"


@pytest.mark.parametrize("file", POCKET, ids=lambda file: file.stem)
def test_a_pocket_workflow_runs_and_can_be_watched(host, file):
    prompt = api(file)
    for inputs in (n["inputs"] for n in prompt.values() if n["inputs"].get("style") == "geneava grid"):
        inputs["style.races"] = "Black, Latino"  # eight people for twenty-eight
    samplers = {k: n["inputs"] for k, n in prompt.items() if n["class_type"] in SAMPLERS}
    for inputs in samplers.values():
        inputs["noise_seed" if "noise_seed" in inputs else "seed"] = 1
    run = host.run(prompt)
    assert run.end == "execution_success", run.messages[-1]
    savers = {k: n["class_type"] for k, n in prompt.items() if n["class_type"] in SAVED}
    assert savers and all(run.history["outputs"][k][SAVED[kind]] for k, kind in savers.items())
    for sampler, inputs in samplers.items():
        sampling = [p["value"] for p in run.of_type("progress") if p["node"] == sampler]
        assert sampling[-1] == inputs["steps"]
        assert all(b >= a or b <= 1 for a, b in pairwise(sampling))  # a list of prompts is sampled one after the other
    if not samplers:
        assert run.of_type("progress")
        return
    shown = [sent for sent in run.previews if struct.unpack(">I", sent[:4]) == (1,)]  # others are texts on nodes
    assert shown
    Image.open(io.BytesIO(shown[0][8:])).load()


def test_the_slider_makes_one_picture_per_alpha_and_a_labelled_strip(host):
    prompt = slider(seed=2, alphas="0:1:3")
    run = host.run(prompt)
    frames, strip = pictures(host, prompt, run, "Save pictures"), pictures(host, prompt, run, "Save strip")
    assert frames.shape == (3, 128, 128, 3)
    assert strip.shape[0] == 1
    assert strip.shape[2] > 3 * 128 and strip.shape[1] > 128


def test_alpha_changes_the_face_and_more_of_it_changes_more(host):
    prompt = slider(seed=3, alphas="0, 0.5, 1")
    neutral, half, full = pictures(host, prompt, host.run(prompt), "Save pictures")
    assert difference(neutral, full) > difference(neutral, half) > 0.2


def test_the_slider_without_a_list_makes_the_picture_of_that_alpha(host):
    listed, single = slider(seed=4, alphas="0.5, 1"), slider(seed=4, alphas="", alpha=1.0)
    strip = pictures(host, listed, host.run(listed), "Save pictures")
    (alone,) = pictures(host, single, host.run(single), "Save pictures")
    assert difference(strip[1], alone) < 0.5  # one picture in a batch of two, or alone: rounding only
    assert difference(strip[0], alone) > difference(strip[1], alone)


def test_a_second_run_comes_from_the_cache_and_a_repetition_gives_the_same_pixels(host):
    prompt = slider(seed=5, alphas="0, 1")
    first = pictures(host, prompt, host.run(prompt), "Save pictures")

    again = host.run(prompt)
    assert again.of_type("execution_cached")[0]["nodes"]
    assert set(again.of_type("execution_cached")[0]["nodes"]) == set(prompt)
    assert not again.of_type("progress")

    other = slider(seed=6, alphas="0, 1")
    assert difference(pictures(host, other, host.run(other), "Save pictures"), first) > 0.2

    host.post("/free", {"unload_models": True, "free_memory": True})
    repeated = host.run(prompt)
    assert repeated.of_type("progress")
    assert np.array_equal(pictures(host, prompt, repeated, "Save pictures"), first)


def test_a_run_can_be_cancelled_and_the_next_one_is_whole(host):
    cancelled = host.run(slider(seed=7), interrupt_at="progress")
    assert cancelled.end == "execution_interrupted"
    done = [p["value"] for p in cancelled.of_type("progress")]
    assert max(done) < node(slider(), "KSampler")["steps"]
    prompt = slider(seed=8, alphas="0, 1")
    assert pictures(host, prompt, host.run(prompt), "Save pictures").shape == (2, 128, 128, 3)


@pytest.fixture(scope="module")
def host_with_placeholders(tmp_path_factory: pytest.TempPathFactory, host, placeholder_models) -> Iterator:
    """A second server, which has an empty file for each model and a picture to load."""
    arguments = ["--cpu", "--disable-api-nodes", *placeholder_models]
    with Server(state=tmp_path_factory.mktemp("server"), arguments=arguments) as server:
        Image.new("RGB", (64, 96), "tan").save(server.input / "example.png")
        yield type(host)(server)


@pytest.mark.parametrize("file", FULL, ids=lambda file: file.stem)
def test_the_server_accepts_a_full_workflow(host_with_placeholders, file):
    """Client.queue raises what the validation objects to; the run then stops at an empty model file, as it must."""
    prompt = api(file)
    run = host_with_placeholders.run(prompt)
    assert run.end == "execution_error"
    assert prompt[run.messages[-1]["data"]["node_id"]]["class_type"] in (
        "UNETLoader", "CLIPLoader", "VAELoader", "LoadMediaPipeFaceLandmarker", "CheckpointLoaderSimple", "LoadDia"
    )  # fmt: skip
