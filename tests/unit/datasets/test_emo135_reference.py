"""Reference pictures of one of the 135 emotions: drawn, and from a folder in Emo135's layout."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from expressive.datasets.class_folders import is_emo135
from expressive.datasets.emo135 import read_emo135
from expressive.emotion import vocabulary

DRAWN = {"bank": "drawn", "style": "portrait", "intensity": 1.0, "one_person": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people with three pictures of delight each, in a landscape format, and one of grief."""
    rows = {}
    for person, green in (("ann", 0), ("bob", 255)):
        for index in range(3):
            place = tmp_path / "mine" / "007_delight" / f"{person}-{index}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((40, 60, 3), (60 * index, green, 0), np.uint8)).save(place)
            rows[f"007_delight/{place.name}"] = {"identity": person, "split": "train"}
    (tmp_path / "mine" / "grief").mkdir()
    Image.new("RGB", (30, 50)).save(tmp_path / "mine" / "grief" / "one.png")
    (tmp_path / "mine" / "identities.json").write_text(json.dumps(rows))
    (tmp_path / "other" / "holiday").mkdir(parents=True)
    return tmp_path / "mine"


@pytest.fixture
def node(pack: ModuleType, folder: Path) -> Any:
    import folder_paths

    before = folder_paths.get_input_directory()
    folder_paths.set_input_directory(str(folder.parent))
    yield importlib.import_module(f"{pack.__name__}.nodes.emo135_reference").Emo135Reference
    folder_paths.set_input_directory(before)


@pytest.fixture
def Emotion(pack: ModuleType) -> Any:  # noqa: N802 - the class, as the host loads it
    return pack.expressive.emotion.Emotion


def run(node: Any, word: str = "delight", bank: Any = None, count: int = 2, size: int = 64, seed: int = 0, **more: Any):
    return node.execute(word, count, size, seed, bank if bank is not None else DRAWN, **more).args


def test_only_folders_of_classes_are_banks(folder: Path) -> None:
    assert is_emo135(folder) and not is_emo135(folder.parent / "other")
    (folder.parent / "split" / "train" / "delight").mkdir(parents=True)
    assert is_emo135(folder.parent / "split") and not is_emo135(folder.parent / "gone")


def test_everybody_comes_once_before_anybody_comes_again(folder: Path) -> None:
    bank, delight = read_emo135(folder), vocabulary.entry("emo135.delight")
    for seed in range(20):
        found = bank.references(delight, 4, seed)
        assert {picture.identity for picture in found[:2]} == {"ann", "bob"}
        assert len({picture.path for picture in found}) == 4
        assert found == bank.references(delight, 4, seed)
    assert len({bank.references(delight, 1, seed)[0].path for seed in range(20)}) > 2
    assert {picture.identity for picture in bank.references(delight, 3, 0, "ann")} == {"ann"}


def test_what_a_folder_lacks_is_told(folder: Path, node: Any) -> None:
    bank = {"bank": "folder", "folder": "input/mine", "identity": ""}
    with pytest.raises(
        ValueError, match="^There is no picture of “joy”, and 2 are asked for. These have enough: delight.$"
    ):
        run(node, "joy", bank)
    with pytest.raises(ValueError, match="There is 1 picture of “grief”, and 2"):
        run(node, "grief", bank)
    with pytest.raises(ValueError, match="3 pictures of “delight” of ann, and 4 are asked for.$"):
        run(node, "delight", {**bank, "identity": "ann"}, count=4)
    with pytest.raises(ValueError, match="no folder “input/gone”"):
        run(node, "delight", {**bank, "folder": "input/gone"})


def test_pictures_of_a_folder_become_a_batch(folder: Path, node: Any, Emotion: Any) -> None:
    image, label, emotion = run(node, "delight", {"bank": "folder", "folder": "input/mine", "identity": "bob"}, count=3)
    assert image.shape == (3, 64, 64, 3) and label == "delight" and emotion == Emotion.of("delight")
    assert torch.allclose(image[..., 1], torch.ones(()), atol=0.01)
    assert sorted(round(float(one[..., 0].mean() * 255)) for one in image) == [0, 60, 120]
    offered = node.define_schema().inputs[1].options[1].inputs[0].options
    assert offered == ["input/mine"]


def test_the_hosts_folder_of_datasets_is_looked_into_too(folder: Path, node: Any, tmp_path: Path) -> None:
    import folder_paths

    places = folder_paths.folder_names_and_paths["datasets"][0]
    places.append(str(tmp_path))
    try:
        assert node.define_schema().inputs[1].options[1].inputs[0].options == ["input/mine", "datasets/mine"]
    finally:
        places.remove(str(tmp_path))


def test_a_new_picture_is_noticed(folder: Path, node: Any) -> None:
    bank = {"bank": "folder", "folder": "input/mine", "identity": ""}
    before = node.fingerprint_inputs(bank=bank)
    (folder / "joy").mkdir()
    assert node.fingerprint_inputs(bank=bank) != before
    assert node.fingerprint_inputs(bank=DRAWN) == ""


def test_drawn_people_repeat_by_seed_and_show_the_word(node: Any, Emotion: Any) -> None:
    image, label, emotion = run(node, "grief", {**DRAWN, "intensity": 0.5})
    assert image.shape == (2, 64, 64, 3) and label == "grief" and emotion == Emotion.of("emo135.grief", 0.5)
    assert torch.equal(image, run(node, "grief", {**DRAWN, "intensity": 0.5})[0])
    assert not torch.equal(image, run(node, "grief", DRAWN, seed=1)[0])
    assert not torch.equal(image[0], image[1])


def test_one_person_in_several_poses(node: Any) -> None:
    several, one = (run(node, bank={**DRAWN, "one_person": same}, count=3)[0] for same in (False, True))
    assert torch.equal(several[0], one[0])
    spread = [float((images[1:] - images[:1]).square().mean()) for images in (several, one)]
    assert 0 < spread[1] < spread[0]


def test_every_style_in_turn(node: Any) -> None:
    image = run(node, bank={**DRAWN, "style": "each in turn"}, count=4)[0]
    portrait = run(node, bank=DRAWN, count=4)[0]
    same = [torch.equal(a, b) for a, b in zip(image, portrait, strict=True)]
    assert same == [True, False, False, False]


def test_an_emotion_takes_the_place_of_the_word(node: Any, Emotion: Any) -> None:
    felt = Emotion.of("pixelsmile.happy", 0.4) + Emotion.of("pixelsmile.surprised", 0.6)
    image, label, emotion = run(node, emotion=felt)
    assert label == felt.nearest_emo135().word and emotion == felt
    assert torch.equal(image, run(node, "grief", emotion=felt)[0])
    with pytest.raises(ValueError, match="neutral face is none of the 135"):
        run(node, emotion=Emotion.neutral())
