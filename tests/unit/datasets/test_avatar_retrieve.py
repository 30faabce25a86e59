"""Avatar Retrieve: somebody of a gender and an age, drawn or out of a folder."""

import importlib
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.datasets.hagrid import HagridReader
from expressive.pocket.datasets.hagrid import write_hagrid
from expressive.pocket.datasets.writing import Recipe


@pytest.fixture
def node(pack: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The node, with a host whose folders are `input` and `user` of the test's own."""
    module = importlib.import_module(f"{pack.__name__}.nodes.avatar_retrieve")
    for name in ("input", "user"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(module.folder_paths, f"get_{name}_directory", lambda name=name: str(tmp_path / name))
    return module.AvatarRetrieve


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hagrid") / "people"
    write_hagrid(folder, Recipe("hagrid", 36, seed=3, size=96), workers=1)
    return folder


def test_somebody_is_drawn(node: Any) -> None:
    source = {"source": "drawn", "style": "portrait", "gesture": "palm"}
    image, age, known = node.execute("woman", 34, 96, 5, source).args
    assert image.shape == (1, 96, 96, 3) and 0 <= float(image.min()) < float(image.max()) <= 1
    told = json.loads(known)
    assert (age, told["age"], told["gender"], told["gesture"], told["apart"]) == (34, 34, "woman", "palm", 0)
    again = node.execute("woman", 34, 96, 5, source).args[0]
    assert torch.equal(image, again) and not torch.equal(image, node.execute("woman", 34, 96, 6, source).args[0])
    assert node.execute("man", 99, 64, 0, source).args[1] == 80  # the oldest that are drawn


def test_somebody_is_found_in_a_folder(node: Any, drawn: Path, tmp_path: Path) -> None:
    own = tmp_path / "input" / "people"
    shutil.copytree(drawn, own)
    assert "input/people" in str(node.GET_SCHEMA().inputs[2].as_dict())
    source = {"source": "folder", "folder": "input/people", "gestures": ""}
    before = node.fingerprint_inputs(source=source)
    image, age, known = node.execute("man", 40, 64, 1, source).args
    told = json.loads(known)
    entries = {one.name: one.person for one in HagridReader(own / "annotations", faces="one")}
    who = entries[told["name"]]
    assert who is not None and image.shape == (1, 64, 64, 3) and (who.gender, int(who.age)) == ("man", age)
    nearest = min(abs(int(one.age) - 40) for one in entries.values() if one is not None and one.gender == "man")
    assert told["apart"] == nearest == abs(age - 40)
    shown = {one.gesture for one in HagridReader(own / "annotations", faces="one") if one.person == who}
    few = {**source, "gestures": ", ".join(sorted(shown))}
    assert json.loads(node.execute("man", 40, 64, 1, few).args[2])["gesture"] in shown
    assert node.fingerprint_inputs(source=source) == before
    (own / "images" / "palm" / "new.jpg").touch()
    assert node.fingerprint_inputs(source=source) != before
    assert list((tmp_path / "user" / "people_indexes").glob("*.sqlite"))


def test_a_slip_is_a_sentence(node: Any, drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "input" / "people")
    folder = {"source": "folder", "folder": "input/people", "gestures": ""}
    for source, sentence in (
        ({**folder, "folder": "input/gone"}, "no folder “input/gone” with HaGRIDv2's annotations"),
        ({**folder, "gestures": "wave"}, "no gesture wave"),
        ({**folder, "gestures": "xsign"}, "no picture of a woman who shows xsign"),
        (None, "none of: drawn, folder"),
    ):
        with pytest.raises(ValueError, match=sentence):
            node.execute("woman", 30, 64, 0, source)
