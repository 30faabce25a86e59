"""A dataset of avatars that is added to, cut off, and gone on with."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from expressive.datasets.avatars import METADATA, AvatarFolder
from expressive.datasets.emo135 import read_emo135
from launcher.places import ROOT

PICTURE = np.zeros((8, 8, 3), np.uint8)


def test_what_is_listed_is_not_written_again(tmp_path: Path) -> None:
    first = AvatarFolder(tmp_path)
    assert first.add("delight/a-1-0", PICTURE, "one", {"seed": 1})
    assert not first.add("delight/a-1-0", PICTURE + 255, "other", {})
    again = AvatarFolder(tmp_path)
    assert "delight/a-1-0" in again and len(again) == 1 and not again.add("delight/a-1-0", PICTURE + 255, "x", {})
    assert again.rows() == [{"file_name": "delight/a-1-0.png", "text": "one", "seed": 1}]
    assert np.asarray(Image.open(tmp_path / "delight" / "a-1-0.png")).max() == 0


def test_a_line_that_was_cut_off_is_taken_away(tmp_path: Path) -> None:
    AvatarFolder(tmp_path).add("joy/a", PICTURE, "one", {})
    whole = (tmp_path / METADATA).read_bytes()
    (tmp_path / METADATA).write_bytes(whole + b'{"file_name": "joy/b.p')
    assert len(AvatarFolder(tmp_path)) == 1
    assert (tmp_path / METADATA).read_bytes() == whole


def test_a_picture_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    AvatarFolder(tmp_path).add("joy/a", PICTURE, "one", {})
    (tmp_path / "joy" / "a.png").unlink()
    assert AvatarFolder(tmp_path).add("joy/a", PICTURE, "one", {})


def test_another_list_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_text('{"image": "x"}\n')
    with pytest.raises(ValueError, match=r"metadata.jsonl:1: expected a JSON line with a file_name"):
        AvatarFolder(tmp_path)


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a/b/c", ".hidden", "", "a\nb"])
def test_names_stay_inside(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a picture"):
        AvatarFolder(tmp_path).add(name, PICTURE, "", {})


def test_killed_at_any_moment_it_is_whole(tmp_path: Path) -> None:
    script = (
        "import numpy as np, sys; from pathlib import Path; from expressive.datasets.avatars import AvatarFolder\n"
        "d = AvatarFolder(Path(sys.argv[1]))\n"
        "for k in range(3000): d.add(f'joy/a-{k}', np.full((64, 64, 3), k % 256, np.uint8), 'x' * 400, {'k': k})"
    )
    counts = []
    for number in range(6):
        child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(tmp_path.glob("joy/*.png"))) <= max(counts, default=0) + number:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        dataset = AvatarFolder(tmp_path)
        counts.append(len(dataset))
        for row in dataset.rows():
            assert np.asarray(Image.open(tmp_path / row["file_name"])).mean() == row["k"] % 256
        names = [json.loads(line)["file_name"] for line in (tmp_path / METADATA).read_text().splitlines()]
        assert len(names) == len(set(names)) == counts[-1]
    assert counts == sorted(counts) and counts[-1] > counts[0]


@pytest.fixture
def node(pack: ModuleType, tmp_path: Path) -> Any:
    import folder_paths

    before = folder_paths.get_output_directory()
    folder_paths.set_output_directory(str(tmp_path))
    yield importlib.import_module(f"{pack.__name__}.nodes.save_avatar_dataset")
    folder_paths.set_output_directory(before)


def save(node: Any, image: torch.Tensor, **more: Any) -> Path:
    usual = {"folder": "mine", "prefix": "avatar", "text": "a face", "seed": 7}
    return Path(node.SaveAvatarDataset.execute(image, **{**usual, **more}).args[0])


def test_everything_known_of_a_picture_is_kept(node: Any, pack: ModuleType) -> None:
    delight = pack.expressive.emotion.Emotion.of("emo135.delight", 0.8)
    reading = importlib.import_module(f"{pack.__name__}.expressive.metrics.readings").FaceReading
    scores = (0.0,) * 6 + (0.9,) + (0.0,) * 5
    folder = save(
        node, torch.rand(2, 16, 16, 3), text="one\ntwo", about="age: elderly\nrace: Indian", emotion=delight,
        readings=[reading(scores, True)] * 2,
    )  # fmt: skip
    rows = AvatarFolder(folder).rows()
    assert [row["text"] for row in rows] == ["one", "two"]
    assert rows[1] | {"text": ""} == {
        "file_name": "delight/avatar-7-1.png", "text": "", "age": "elderly", "race": "Indian", "seed": 7, "models": {},
        "emotion": "delight", "weights": {"emo135.delight": 0.8}, "shows": "happy", "scores": list(scores),
    }  # fmt: skip
    assert read_emo135(folder).counts["delight"] == 2, "the folder is one of Emo135's layout too"


def test_a_repeated_run_adds_nothing(node: Any) -> None:
    image = torch.rand(3, 16, 16, 3)
    folder = save(node, image[:2])
    assert save(node, image) == folder and len(AvatarFolder(folder)) == 3
    assert len(AvatarFolder(save(node, image, seed=8))) == 6


def test_a_prompt_of_several_lines_is_one_prompt_for_one_picture(node: Any) -> None:
    image = torch.rand(1, 16, 16, 3)
    assert AvatarFolder(save(node, image, text="a face,\nsmiling")).rows()[0]["text"] == "a face, smiling"
    assert AvatarFolder(save(node, image, text="", seed=8)).rows()[1]["text"] == ""


def test_a_mix_of_emotions_and_a_neutral_face_have_folders(node: Any, pack: ModuleType) -> None:
    emotion = pack.expressive.emotion.Emotion
    for felt in (emotion.from_words(["joy", "fear", "anger"]), emotion.neutral()):
        folder = save(node, torch.rand(1, 16, 16, 3), emotion=felt)
    assert {row["file_name"].split("/")[0] for row in AvatarFolder(folder).rows()} == {"joy-anger-fear", "neutral"}


def test_the_models_of_a_graph_are_named_by_their_hashes(node: Any) -> None:
    graph = {
        "1": {"class_type": "PocketModels", "inputs": {"base": "pocket-xl"}},
        "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "none-such.safetensors", "model": ["1", 0]}},
    }
    found = node.models_of(graph)
    assert set(found) == {f"pocket-xl.{part}.safetensors" for part in ("unet", "text_encoder", "vae")}
    assert len(set(found.values())) == 3 and found == node.models_of(graph)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"folder": "../elsewhere"}, "no folder inside ComfyUI's output folder"),
        ({"folder": " "}, "no folder inside"),
        ({"text": "a\nb"}, "2 lines of text for 3 pictures"),
        ({"about": "elderly"}, "does not say what it is of"),
        ({"readings": []}, "0 readings for 3 pictures"),
        ({"prefix": "a/b/c"}, "no name for a picture"),
    ],
)
def test_what_does_not_fit_is_a_sentence(node: Any, wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        save(node, torch.rand(3, 16, 16, 3), **wrong)
