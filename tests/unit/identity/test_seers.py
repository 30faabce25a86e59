# pyright: reportArgumentType=false
"""The encoders that an adapter looks through, by their names."""

import importlib
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from expressive.finetune.seers import load_seers
from launcher.places import ROOT

MODELS = ROOT / "models"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like dinov2-base, small and random."""
    from transformers import Dinov2Config, Dinov2Model

    folder = tmp_path_factory.mktemp("models") / "image_encoders" / "dinov2-base"
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(1)
    Dinov2Model(Dinov2Config(**sizes, image_size=32, patch_size=8)).save_pretrained(folder)
    processor = {
        "do_resize": True, "size": {"shortest_edge": 32}, "resample": 3, "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32}, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "image_processor_type": "BitImageProcessor",
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def test_free_encoders_tell_identity_and_look(dino: Path) -> None:
    seers = load_seers(str(dino), str(dino), "reader", MODELS, CPU)
    assert seers.identity is seers.appearance, "loaded once"
    assert seers.widths == (32, 32, 256)
    assert seers.key["identity"].startswith("dinov2 dinov2-base ") and seers.key["expression"].startswith("reader ")
    identity, appearance = seers.who(torch.rand(2, 3, 50, 40))
    assert identity.shape == (2, 32) and appearance.shape == (2, 16, 32)
    torch.testing.assert_close(identity.norm(dim=1), torch.ones(2))


def test_who_cannot_tell_a_role_is_told(dino: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no config.json"):
        load_seers(str(tmp_path), str(dino), "reader", MODELS, CPU)
    both = load_seers(str(dino), str(dino), str(dino), MODELS, CPU)
    face = both.face(torch.rand(3, 3, 32, 32))
    torch.testing.assert_close(face.mean(1), torch.zeros(3), atol=1e-5, rtol=0)


def test_the_node_finds_the_encoders_where_users_put_them(dino: Path, pack: ModuleType, monkeypatch) -> None:
    import folder_paths

    node = importlib.import_module(f"{pack.__name__}.nodes.identity_adapter")
    key = load_seers(str(dino), str(dino), "reader", MODELS, CPU).key
    loaded = SimpleNamespace(name="mine.safetensors", encoders=key, finder="")
    with pytest.raises(FileNotFoundError, match=r"looks through dinov2-base, .* Put it at models/image_encoders"):
        node.seers_of(loaded)
    monkeypatch.setattr(folder_paths, "models_dir", str(dino.parents[1]))
    seers, held = node.seers_of(loaded)
    assert seers.widths == (32, 32, 256) and len(held) == 2
    loaded.encoders = {**key, "identity": "dinov2 dinov2-base 0123"}
    with pytest.raises(ValueError, match="trained with another dinov2-base"):
        node.seers_of(loaded)
