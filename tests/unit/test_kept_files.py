"""Nodes that keep something under a name: kept sets and identities. (Presets: emotion/test_expression_preset.py)"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch


@pytest.fixture(params=["ConsistentSet", "IdentityFile"])
def keeping(request: pytest.FixtureRequest, pack: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """(node, its input, how to make one of a number)"""
    folders = importlib.import_module(f"{pack.__name__}.nodes.kept_files").folder_paths
    monkeypatch.setattr(folders, "get_user_directory", lambda: str(tmp_path))
    if request.param == "ConsistentSet":
        module = importlib.import_module(f"{pack.__name__}.expressive.attention.kept_set")
        sharing = importlib.import_module(f"{pack.__name__}.expressive.attention.consistent").Sharing()

        def make(number: float) -> Any:
            latents = torch.full((2, 3, 4, 2, 2), number)
            return module.KeptSet("a network", sharing, torch.tensor([2.0, 1.0]), latents, {0: [None, None]})

        node = importlib.import_module(f"{pack.__name__}.nodes.consistent_set").ConsistentSet
        return node, "consistent_set", make, tmp_path / "consistent_sets"
    module = importlib.import_module(f"{pack.__name__}.expressive.identity.features")

    def person(number: float) -> Any:
        return module.IdentityFeatures(
            torch.full((1, 4), number), torch.zeros(1, 2, 4), torch.zeros(1, 3), ("happy",), {"identity": "a"}
        )

    node = importlib.import_module(f"{pack.__name__}.nodes.identity_file").IdentityFile
    return node, "identity", person, tmp_path / "identities"


def test_what_is_kept_is_taken_up_again(keeping: Any) -> None:
    node, socket, make, folder = keeping
    one, load = make(1.0), {"mode": "load", "kept": "mine"}
    save = {"mode": "save", "name": "mine", socket: one}
    assert node.execute(save).args[0] is one and [path.stem for path in folder.iterdir()] == ["mine"]
    assert node.execute(load).args[0].same_as(one) and "mine" in str(node.GET_SCHEMA().inputs[0].as_dict())
    before = node.fingerprint_inputs(load)
    node.execute(save)
    assert node.fingerprint_inputs(load) == before  # the same is not written again
    node.execute({**save, socket: make(2.0)})
    assert node.fingerprint_inputs(load) != before and node.execute(load).args[0].same_as(make(2.0))


def test_what_was_removed_or_damaged_is_saved_again(keeping: Any) -> None:
    node, socket, make, folder = keeping
    save = {"mode": "save", "name": "mine", socket: make(1.0)}
    node.execute(save)
    (file,) = folder.iterdir()
    before = node.fingerprint_inputs(save)
    file.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="mine"):
        node.execute({"mode": "load", "kept": "mine"})
    node.execute(save)
    assert node.execute({"mode": "load", "kept": "mine"}).args[0].same_as(make(1.0))
    file.unlink()
    assert node.fingerprint_inputs(save) not in (before, node.fingerprint_inputs(save))


def test_a_slip_is_a_sentence(keeping: Any) -> None:
    node, socket, make, folder = keeping
    (none,) = (
        option
        for option in node.GET_SCHEMA().inputs[0].as_dict()["options"][0]["inputs"]["required"]["kept"][1]["options"]
    )
    for wrong, sentence in (
        ({"mode": "load", "kept": none}, "set the mode to save first"),
        ({"mode": "load", "kept": "gone"}, "“gone”"),
        ({"mode": "load", "kept": "../gone"}, "cannot be the name of an? "),
        ({"mode": "save", "name": "x"}, " to save. Connect "),
        ({"mode": "save", "name": "../x", socket: make(1.0)}, "cannot be the name of an? "),
        (None, "none of: load, save"),
    ):
        with pytest.raises((FileNotFoundError, ValueError), match=sentence):
            node.execute(wrong)
    assert not folder.exists()
