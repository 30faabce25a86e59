# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""LoadExpressionLoRA: all layers or none."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from expressive.conditioning import Calibration
from expressive.finetune.lora import QWEN_TARGETS
from expressive.finetune.lora_file import sorted_out
from launcher.places import ROOT


@pytest.fixture(scope="module")
def node(pack: ModuleType) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.load_expression_lora")


@pytest.fixture(scope="module")
def model(pack: ModuleType) -> Any:
    host = importlib.import_module(f"{pack.__name__}.nodes.pocket_host")
    return host.load_base("pocket-edit", ROOT / "models")[0]


@pytest.fixture
def published(model: Any) -> dict[str, Tensor]:
    """A LoRA for the pocket model with the mixed names of PixelSmile's file."""
    layers = {
        key.removeprefix("diffusion_model.").removesuffix(".weight"): weight
        for key, weight in model.model.state_dict().items()
        if key.startswith("diffusion_model.transformer_blocks.") and key.endswith(".weight")
    }
    found: dict[str, Tensor] = {}
    for layer, weight in layers.items():
        target = next((t for t in QWEN_TARGETS if layer.endswith("." + t)), None)
        if target is not None:
            renamed = target in ("to_q", "to_k", "to_v", "to_out.0")
            down, up = (".lora.down", ".lora.up") if renamed else (".lora_A", ".lora_B")
            found[f"transformer.{layer}{down}.weight"] = torch.randn(64, weight.shape[1])
            found[f"transformer.{layer}{up}.weight"] = torch.randn(weight.shape[0], 64)
    return found


def weight_of(model: Any, key: str) -> Tensor:
    import comfy.lora

    weight = model.model.state_dict()[key].float()
    return comfy.lora.calculate_weight(model.patches.get(key, []), weight.clone(), key)


def test_every_layer_of_the_mixed_names_is_changed_as_much_as_asked(
    node: ModuleType, model: Any, published: dict[str, Tensor]
) -> None:
    file = sorted_out(published, {}, "x")
    patched = node.apply_lora(model, file, None, "x")
    blocks = len(model.model.diffusion_model.transformer_blocks)
    assert len(patched.patches) == 12 * blocks and not model.patches
    for layer, (down, up) in {
        "attn.to_q": (".lora.down", ".lora.up"), "attn.add_q_proj": (".lora_A", ".lora_B")
    }.items():  # fmt: skip
        stem = f"transformer.transformer_blocks.0.{layer}"
        update = published[f"{stem}{up}.weight"] @ published[f"{stem}{down}.weight"]
        key = f"diffusion_model.transformer_blocks.0.{layer}.weight"
        changed = weight_of(patched, key) - weight_of(model, key)
        torch.testing.assert_close(changed, 2.0 * update, atol=1e-2, rtol=1e-3)


def test_the_node_says_what_it_did(
    node: ModuleType, model: Any, published: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(published, tmp_path / "smile.safetensors")
    monkeypatch.setattr(node.folder_paths, "get_full_path_or_raise", lambda _, name: str(tmp_path / name))
    layers = len(published) // 2
    for scale, counted in (("as trained", "2"), ("alpha = rank", "1"), ("own", "0.5")):
        output = node.LoadExpressionLoRA.execute(model, "smile.safetensors", {"scale": scale, "own_scale": 0.5})
        told = output.ui.as_dict()["text"][0]
        assert told == f"all {layers} layers, rank 64, counted {counted} times"
        assert len(output.result[0].patches) == layers
        assert output.result[1] is None  # the published file has no calibration


def test_a_calibration_comes_with_the_file(
    node: ModuleType, model: Any, published: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Calibration((0.0, 1.0), {"happy": (0.1, 0.9), "sad": (0.2, 0.2)})
    save_file(published, tmp_path / "smile.safetensors", {"expressive.calibration": written.to_json()})
    monkeypatch.setattr(node.folder_paths, "get_full_path_or_raise", lambda _, name: str(tmp_path / name))
    output = node.LoadExpressionLoRA.execute(model, "smile.safetensors", {"scale": "as trained"})
    assert output.result[1].to_json() == written.to_json()
    assert output.ui.as_dict()["text"][0].endswith("α is calibrated for 1 expressions")
    assert (
        node.LoadExpressionLoRA.execute(model, "smile.safetensors", {"scale": "own", "own_scale": 2.0}).result[1]
        is None
    )
    save_file(published, tmp_path / "broken.safetensors", {"expressive.calibration": "{}"})
    with pytest.raises(ValueError, match="broken.safetensors: This is no calibration"):
        node.LoadExpressionLoRA.execute(model, "broken.safetensors", {"scale": "as trained"})
    with pytest.raises(ValueError, match="The scale is none of: as trained, alpha = rank, own. Choose one."):
        node.LoadExpressionLoRA.execute(model, "smile.safetensors")


def test_all_720_layers_of_the_published_layout_are_applied(node: ModuleType, host_modules: object) -> None:
    """Its 60 blocks with small layers, in the host's own Qwen-Image transformer."""
    import comfy.ldm.qwen_image.model
    import comfy.model_base
    import comfy.model_patcher
    import comfy.ops
    import comfy.supported_models

    from .test_lora_file import published

    small = {"num_layers": 60, "attention_head_dim": 8, "num_attention_heads": 1, "joint_attention_dim": 8}
    config = comfy.supported_models.QwenImage({"image_model": "qwen_image", **small, "axes_dims_rope": (2, 2, 4)})
    config.set_inference_dtype(torch.float32, None)
    model = comfy.model_base.QwenImage(config, device=torch.device("cpu"))
    patcher = comfy.model_patcher.ModelPatcher(model, torch.device("cpu"), torch.device("cpu"))
    weights = {}
    for key, value in published(60, 64).items():
        layer = key.partition(".lora")[0].removeprefix("transformer.")
        shape = comfy.utils.get_attr(model.diffusion_model, f"{layer}.weight").shape
        weights[key] = torch.zeros(64, shape[1]) if value.shape[0] == 64 else torch.zeros(shape[0], 64)
    patched = node.apply_lora(patcher, sorted_out(weights, {}, "x"), None, "x")
    assert len(weights) == 1440 and len(patched.patches) == 720


def test_a_layer_is_measured_by_what_it_stands_for(node: ModuleType, model: Any) -> None:
    """Weights that are stored quantised say their shape, and hold another number of bytes."""

    class Quantised:
        shape = torch.Size((12, 8))

    class Model:
        model = type("Inner", (), {"layer": type("Layer", (), {"weight": Quantised()})()})()

    class Patch:
        def __init__(self, out: int) -> None:
            self.weights = (torch.zeros(out, 4), torch.zeros(4, 8))

    assert node.fits(Model, "layer.weight", Patch(12)) and not node.fits(Model, "layer.weight", Patch(4))
    assert node.fits(Model, ("layer.weight", (0, 4, 4)), Patch(4))  # q, k or v of a fused layer


def test_a_lora_for_another_model_is_refused(node: ModuleType, model: Any, published: dict[str, Tensor]) -> None:
    stem = "transformer.blocks.0.x"
    foreign = {f"{stem}.lora_A.weight": torch.zeros(4, 8), f"{stem}.lora_B.weight": torch.zeros(8, 4)}
    other = sorted_out(foreign, {"expressive.base": "sdxl"}, "x")
    with pytest.raises(ValueError, match=r"None of the 1 layers of smile fit this model \(.*\)\. It is for .*, sdxl"):
        node.apply_lora(model, other, 1.0, "smile")
    key = next(key for key in published if key.endswith("lora_B.weight"))
    wrong = sorted_out({**published, key: torch.zeros(7, 64)}, {}, "x")
    with pytest.raises(ValueError, match=f"Only {len(published) // 2 - 1} of the {len(published) // 2} layers"):
        node.apply_lora(model, wrong, 1.0, "smile")
    assert not model.patches
