"""Presets, and the node that keeps them."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from expressive.emotion import Emotion
from expressive.emotion.preset import Preset, preset_names

SHY = Preset(Emotion((("pixelsmile.shy", 0.7), ("emo135.joy", 0.2))), 0.85)


def test_the_same_again_is_not_written_again(tmp_path: Path) -> None:
    before = SHY.save(tmp_path, "shy").stat().st_mtime_ns
    assert SHY.save(tmp_path, "shy").stat().st_mtime_ns == before
    Preset(SHY.emotion, 0.5).save(tmp_path, "shy")
    assert SHY.save(tmp_path, "shy").stat().st_mtime_ns != before and Preset.load(tmp_path, "shy") == SHY


def test_a_preset_comes_back(tmp_path: Path) -> None:
    assert preset_names(tmp_path / "nowhere") == []
    SHY.save(tmp_path / "new", "shy smile (2)")
    assert preset_names(tmp_path / "new") == ["shy smile (2)"]
    assert Preset.load(tmp_path / "new", "shy smile (2)") == SHY
    Preset(Emotion.neutral(), 0.0).save(tmp_path / "new", "shy smile (2)")
    assert Preset.load(tmp_path / "new", "shy smile (2)").alpha == 0.0


@pytest.mark.parametrize("name", ["", "../x", "a/b", " a", "a\n", "x" * 81, ".hidden"])
def test_a_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a preset"):
        SHY.save(tmp_path, name)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="cannot be the name of a preset"):
        Preset.load(tmp_path, name)


def test_what_is_no_preset_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no preset “x”"):
        Preset.load(tmp_path, "x")
    for content in (
        "[1]",
        "{",
        '{"emotion": {"version": 1, "weights": {"nope": 1}}, "alpha": 1}',
        '{"alpha": 1}',
        '{"emotion": {"version": 1, "weights": {}}, "alpha": NaN}',
    ):
        (tmp_path / "x.json").write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match="is not an expression preset"):
            Preset.load(tmp_path, "x")


def test_the_node_saves_and_loads(pack: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"{pack.__name__}.nodes.expression_preset")
    monkeypatch.setattr(module.folder_paths, "get_user_directory", lambda: str(tmp_path))
    node, own = module.ExpressionPreset, importlib.import_module(f"{pack.__name__}.expressive.emotion").Emotion
    felt = own(SHY.emotion.weights)
    saved = node.execute({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85})
    assert saved.result == (felt, 0.85) and saved.ui.as_dict()["text"][0].startswith("saved shy.json: ")
    assert "shy" in str(node.GET_SCHEMA().inputs[0].as_dict())
    before = node.fingerprint_inputs({"mode": "load", "preset": "shy"})
    assert node.execute({"mode": "load", "preset": "shy"}).result == (felt, 0.85)
    node.execute({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.5})
    assert node.fingerprint_inputs({"mode": "load", "preset": "shy"}) != before
    other = node.fingerprint_inputs({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85})
    (tmp_path / "expression_presets" / "shy.json").unlink()
    assert node.fingerprint_inputs({"mode": "save", "name": "shy", "emotion": felt, "alpha": 0.85}) != other
    for wrong, sentence in (
        ({"mode": "load", "preset": "(no preset yet)"}, "set the mode to save first"),
        ({"mode": "load", "preset": "gone"}, "no preset “gone”"),
        ({"mode": "save", "name": "x", "alpha": 1.0}, "no emotion to save"),
        (None, "none of: load, save"),
    ):
        with pytest.raises((FileNotFoundError, ValueError), match=sentence):
            node.execute(wrong)
