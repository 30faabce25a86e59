"""Presets, and the node that keeps them."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from expressive.emotion import Emotion
from expressive.emotion.preset import Preset
from expressive.named_files import named_file, names_in

SHY = Preset(Emotion((("pixelsmile.shy", 0.7), ("emo135.joy", 0.2))), 0.85)


def test_a_preset_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "new" / "shy smile (2).json"
    assert Preset.load(SHY.save(file)) == SHY
    assert Preset.load(Preset(Emotion.neutral(), 0.0).save(file)).alpha == 0.0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_names_are_found_again(tmp_path: Path) -> None:
    assert names_in(tmp_path / "nowhere", ".json") == []
    for name in ("shy smile (2)", ".hidden"):
        SHY.save(tmp_path / f"{name}.json")
    assert names_in(tmp_path, ".json") == ["shy smile (2)"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", " a", "a\n", "x" * 81, ".hidden"])
def test_a_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a preset"):
        named_file(tmp_path, name, ".json", "a preset")


def test_what_is_no_preset_is_a_sentence(tmp_path: Path) -> None:
    for content in (
        "[1]",
        "{",
        '{"emotion": {"version": 1, "weights": {"nope": 1}}, "alpha": 1}',
        '{"alpha": 1}',
        '{"emotion": {"version": 1, "weights": {}}, "alpha": NaN}',
    ):
        (tmp_path / "x.json").write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match="is not an expression preset"):
            Preset.load(tmp_path / "x.json")


def test_the_node_saves_and_loads(pack: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"{pack.__name__}.nodes.expression_preset")
    folders = importlib.import_module(f"{pack.__name__}.nodes.kept_files").folder_paths
    monkeypatch.setattr(folders, "get_user_directory", lambda: str(tmp_path))
    node, own = module.ExpressionPreset, importlib.import_module(f"{pack.__name__}.expressive.emotion").Emotion
    felt = own(SHY.emotion.weights)
    saved = node.execute({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85})
    assert saved.result == (felt, 0.85) and saved.ui.as_dict()["text"][0].startswith("saved shy.json: ")
    assert "shy" in str(node.GET_SCHEMA().inputs[0].as_dict())
    before = node.fingerprint_inputs({"mode": "load", "preset": "shy"})
    node.execute({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85})
    assert node.fingerprint_inputs({"mode": "load", "preset": "shy"}) == before  # the same is not written again
    assert node.execute({"mode": "load", "preset": "shy"}).result == (felt, 0.85)
    node.execute({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.5})
    assert node.fingerprint_inputs({"mode": "load", "preset": "shy"}) != before
    other = node.fingerprint_inputs({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85})
    (tmp_path / "expression_presets" / "shy.json").unlink()
    assert node.fingerprint_inputs({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85}) != other
    for wrong, sentence in (
        ({"mode": "load", "preset": "(no preset yet)"}, "set the mode to save first"),
        ({"mode": "load", "preset": "gone"}, "no preset “gone”"),
        ({"mode": "save", "name": "../x", "emotion": felt, "alpha": 1.0}, "cannot be the name of a preset"),
        ({"mode": "save", "name": "x", "alpha": 1.0}, "no emotion to save"),
        (None, "none of: load, save"),
    ):
        with pytest.raises((FileNotFoundError, ValueError), match=sentence):
            node.execute(wrong)
