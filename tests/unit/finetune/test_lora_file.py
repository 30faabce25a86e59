"""LoRA files of other makers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from expressive.finetune import lora_file
from expressive.finetune.lora import QWEN_TARGETS

RENAMED = ("to_q", "to_k", "to_v", "to_out.0")


def published(blocks: int = 60, rank: int = 64, width: int = 2) -> dict[str, Tensor]:
    """The layout of PixelSmile-preview.safetensors (1440 tensors of 720 layers), with small layers."""
    found = {}
    for block in range(blocks):
        for target in QWEN_TARGETS:
            part = f"attn.{target}" if "mlp" not in target else target
            stem = f"transformer.transformer_blocks.{block}.{part}"
            down, up = (".lora.down", ".lora.up") if target in RENAMED else (".lora_A", ".lora_B")
            found[f"{stem}{down}.weight"] = torch.randn(rank, width).bfloat16()
            found[f"{stem}{up}.weight"] = torch.randn(width, rank).bfloat16()
    return found


def test_all_layers_of_the_published_layout_are_found(tmp_path: Path) -> None:
    weights = published()
    assert len(weights) == 1440
    save_file(weights, tmp_path / "PixelSmile-preview.safetensors", {"format": "pt"})
    found = lora_file.read_lora(tmp_path / "PixelSmile-preview.safetensors")
    assert len(found.layers) == 720 and found.ranks == "64" and not found.alpha and found.published_pixelsmile
    first = "transformer_blocks.0.attn.to_q"
    assert found.trained_scale(first) == 2.0
    assert torch.equal(found.down[first], weights[f"transformer.{first}.lora.down.weight"])
    host = found.for_host()
    assert len(host) == 3 * 720 and float(host[f"transformer.{first}.alpha"]) == 128.0


@pytest.mark.parametrize("prefix", ["", "transformer.", "diffusion_model.", "base_model.model.transformer."])
@pytest.mark.parametrize(
    "ends",
    [
        ("lora_A.weight", "lora_B.weight"),
        ("lora_A.default.weight", "lora_B.default.weight"),
        ("lora_down.weight", "lora_up.weight"),
    ],
)
def test_other_makers_names(prefix: str, ends: tuple[str, str]) -> None:
    down, up = torch.randn(4, 6), torch.randn(8, 4)
    weights = {f"{prefix}blocks.0.to_q.{ends[0]}": down, f"{prefix}blocks.0.to_q.{ends[1]}": up}
    found = lora_file.sorted_out(weights, {}, "x")
    assert found.layers == ["blocks.0.to_q"] and found.trained_scale("blocks.0.to_q") == 1.0
    told = lora_file.sorted_out({**weights, f"{prefix}blocks.0.to_q.alpha": torch.tensor(8.0)}, {}, "x")
    assert told.trained_scale("blocks.0.to_q") == 2.0


def test_another_makers_file_of_rank_64_without_alpha_counts_once() -> None:
    uniform = {
        key.replace(".lora.down", ".lora_A").replace(".lora.up", ".lora_B"): w for key, w in published(2).items()
    }
    found = lora_file.sorted_out(uniform, {}, "x")
    assert not found.published_pixelsmile and found.trained_scale(found.layers[0]) == 1.0


def test_each_layer_keeps_its_own_alpha_and_rank() -> None:
    weights = {}
    for layer, rank, alpha in (("a", 4, 8.0), ("b", 16, 4.0)):
        weights |= {f"{layer}.lora_A.weight": torch.randn(rank, 3), f"{layer}.lora_B.weight": torch.randn(3, rank)}
        weights[f"{layer}.alpha"] = torch.tensor(alpha)
    found = lora_file.sorted_out(weights, {}, "x")
    assert found.ranks == "4 to 16"
    assert [float(found.for_host()[f"transformer.{layer}.alpha"]) for layer in "ab"] == [8.0, 4.0]
    assert [float(found.for_host(0.5)[f"transformer.{layer}.alpha"]) for layer in "ab"] == [2.0, 8.0]


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("diffusion_model.blocks.0.q", "diffusion_model.blocks.0.q"),
        ("unet.down.0.to_q", "unet.down.0.to_q"),
        ("lora_unet_down_0_to_q", "lora_unet_down_0_to_q"),
        ("blocks.0.to_q", "transformer.blocks.0.to_q"),
    ],
)
def test_layers_get_the_name_that_the_model_knows(written: str, known: str) -> None:
    weights = {f"{written}.lora_A.weight": torch.zeros(2, 3), f"{written}.lora_B.weight": torch.zeros(3, 2)}
    assert f"{known}.alpha" in lora_file.sorted_out(weights, {}, "x").for_host(known={known})


def test_what_is_no_lora_is_a_sentence(tmp_path: Path) -> None:
    good = {"a.lora_A.weight": torch.zeros(2, 3), "a.lora_B.weight": torch.zeros(3, 2)}
    cases = {
        "key “b.weight” is none": {**good, "b.weight": torch.zeros(1)},
        "only a part of the adapter of 1 layers, such as “c”": {**good, "c.lora_A.weight": torch.zeros(2, 3)},
        "layers, such as “d”": {**good, "d.alpha": torch.zeros(())},
        "also changes the text encoder": {
            **good,
            "lora_te_a.lora_down.weight": torch.zeros(2, 3),
            "lora_te_a.lora_up.weight": torch.zeros(3, 2),
        },
        "two adapters for the layer “a”": {**good, "transformer.a.lora_A.weight": torch.zeros(2, 3)},
        "holds no adapters": {"a.alpha": torch.zeros(())},
    }
    for sentence, weights in cases.items():
        with pytest.raises(ValueError, match=sentence):
            lora_file.sorted_out(weights, {}, "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"half a download")
    with pytest.raises(ValueError, match="damaged or not a safetensors file"):
        lora_file.read_lora(tmp_path / "x.safetensors")
    with pytest.raises(FileNotFoundError, match="There is no file"):
        lora_file.read_lora(tmp_path / "y.safetensors")
