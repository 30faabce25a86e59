# pyright: reportArgumentType=false, reportCallIssue=false, reportOptionalMemberAccess=false
"""Text encoders that are adapted beside the UNet, and a UNet of which all weights are trained."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from expressive.finetune import run
from expressive.finetune.config import Config, read_config
from expressive.finetune.hearing import HearingUNet
from expressive.finetune.lora import kohya_stem
from expressive.finetune.pocket_xl import PocketXLBase
from expressive.finetune.sdxl import SdxlBase
from launcher.places import ROOT

from .sdxl_folder import make

MODELS = ROOT / "models"
TIME = torch.tensor([500])


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(2):
        Image.effect_noise((64, 64), 50).convert("RGB").save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a happy face, number {number}", encoding="utf-8")
    return folder


def config(source: Path, *changes: str) -> Config:
    small = ["data.kind=captions", "data.split=", "data.size=64", "data.faces.encoder=", "lora.rank=2", "lora.alpha=2"]
    small += ["painting.expression.weight=0.0", "run.batch=2", "run.steps=2", "samples.every=2", "samples.steps=2"]
    shipped = ROOT / "trainers" / "configs" / "geneava.pocket.toml"
    return read_config(shipped, [f"data.source={source}", "data.dropout=0.0", "optimiser.lr=1e-2", *small, *changes])


def bases(sdxl: Path, texts: bool) -> dict[str, SdxlBase | PocketXLBase]:
    return {"sdxl": SdxlBase(sdxl, dtype=torch.float32, texts=texts), "pocket-xl": PocketXLBase(MODELS, texts=texts)}


@pytest.mark.parametrize("kind", ["sdxl", "pocket-xl"])
@torch.no_grad()
def test_hearing_tokens_gives_what_hearing_states_gave(sdxl: Path, kind: str) -> None:
    plain, joint = bases(sdxl, False)[kind], bases(sdxl, True)[kind]
    assert (plain.hears, joint.hears) == ("states", "tokens")
    noisy = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    sizes = torch.tensor([plain.sizes((64, 64), (0, 0), (64, 64))])
    context, pooled = plain.encode_caption("a happy face")
    tokens, nothing = joint.encode_caption("a happy face")
    assert tokens.shape == (2, 77) and not tokens.is_floating_point() and nothing.shape == (0,)
    wanted = plain.epsilon(noisy, TIME, context[None], pooled[None], sizes)
    found = joint.epsilon(noisy, TIME, tokens[None], nothing[None], sizes)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    other = joint.encode_caption("")
    heard = [torch.stack(parts) for parts in zip((tokens, nothing), other, strict=True)]
    seen = [torch.stack(parts) for parts in zip((context, pooled), plain.encode_caption(""), strict=True)]
    made = joint.sample(*heard, sizes[0], noisy, 2, 3.0)
    torch.testing.assert_close(made, plain.sample(*seen, sizes[0], noisy, 2, 3.0), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["sdxl", "pocket-xl"])
def test_adapters_of_all_three_networks_are_trained_and_saved_in_kohyas_names(
    sdxl: Path, pictures: Path, tmp_path: Path, kind: str
) -> None:
    folder = {"sdxl": sdxl, "pocket-xl": MODELS}[kind]
    how = config(
        pictures, f"base.kind={kind}", f"base.path={folder}", "lora.text_encoders=true", "memory.checkpointing=true"
    )
    file = run.run(how, tmp_path, MODELS)
    assert file is not None
    weights = load_file(file)
    for part in ("lora_unet_", "lora_te1_text_model_encoder_layers_0_", "lora_te2_text_model_encoder_layers_0_"):
        learned = [value for key, value in weights.items() if key.startswith(part) and key.endswith("lora_up.weight")]
        assert learned and any(float(value.abs().max()) > 0 for value in learned), part
    assert len(list((tmp_path / "samples").glob("*.png"))) == 2


def test_the_host_applies_every_key_to_its_own_networks(pictures: Path, tmp_path: Path, pack: ModuleType) -> None:
    import comfy.lora
    import comfy.sd

    how = config(pictures, f"base.path={MODELS}", "lora.text_encoders=true", "samples.every=0")
    file = run.run(how, tmp_path, MODELS)
    assert file is not None
    model, clip, _ = importlib.import_module(f"{pack.__name__}.nodes.pocket_xl_host").load_base("pocket-xl", MODELS)
    weights = load_file(file)
    names = comfy.lora.model_lora_keys_clip(clip.cond_stage_model, comfy.lora.model_lora_keys_unet(model.model, {}))
    patches = comfy.lora.load_lora(weights, names)
    assert len(patches) == len(weights) // 3
    assert any(str(key).startswith("clip_g.") for key in patches)
    _, changed = comfy.sd.load_lora_for_models(model, clip, weights, 1.0, 1.0)
    assert changed is not None
    before, after = (one.encode_from_tokens(one.tokenize("a happy face")) for one in (clip, changed))
    assert not torch.equal(before, after)


def test_text_encoders_may_learn_at_another_rate(pictures: Path, tmp_path: Path) -> None:
    def learned(rate: str) -> dict[str, float]:
        still = config(
            pictures, f"base.path={MODELS}", "lora.text_encoders=true", "samples.every=0", f"optimiser.text_lr={rate}",
            "optimiser.schedule=constant", "optimiser.warm_up=0",
        )  # fmt: skip
        file = run.run(still, tmp_path / rate, MODELS)
        assert file is not None
        return {key: float(value.abs().max()) for key, value in load_file(file).items() if key.endswith("up.weight")}

    slow, fast = learned("1e-6"), learned("1e-2")
    texts = [key for key in slow if "_te" in key and fast[key] > 0]  # SDXL does not hear an encoder's last layer
    assert len(texts) >= 8 and all(slow[key] < 1e-4 < fast[key] for key in texts)
    assert all(slow[key] > 1e-3 for key in slow if "_te" not in key)


@pytest.mark.parametrize("layer, name", [
    ("text_encoder.encoder.layers.0.self_attn.q_proj", "lora_te1_text_model_encoder_layers_0_self_attn_q_proj"),
    ("text_encoder_2.text_model.encoder.layers.3.self_attn.out_proj",
     "lora_te2_text_model_encoder_layers_3_self_attn_out_proj"),
    ("unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
     "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"),
    ("mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
     "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"),
])  # fmt: skip
def test_names(layer: str, name: str) -> None:
    assert kohya_stem(layer) == name


def test_a_fully_trained_pocket_model_is_a_base_of_its_own(pictures: Path, tmp_path: Path, pack: ModuleType) -> None:
    how = config(pictures, f"base.path={MODELS}", "base.trained=full", "name=mine", "optimiser.lr=1e-3")
    file = run.run(how, tmp_path, MODELS)
    assert file == tmp_path / "mine.unet.safetensors"
    old, new = load_file(MODELS / "pocket-xl.unet.safetensors"), load_file(file)
    assert old.keys() == new.keys()
    assert sum(not torch.equal(old[key], new[key]) for key in old) > 0.9 * len(old)
    texts = [
        load_file(folder / f"{name}.text_encoder.safetensors")
        for folder, name in ((MODELS, "pocket-xl"), (tmp_path, "mine"))
    ]
    assert all(torch.equal(texts[0][key], texts[1][key]) for key in texts[0])
    model, _, _ = importlib.import_module(f"{pack.__name__}.nodes.pocket_xl_host").load_base("mine", tmp_path)
    assert model.model.diffusion_model is not None
    with safe_open(file, "pt") as opened:
        told = opened.metadata()
    assert "/lora" not in told["modelspec.architecture"] and "expressive.rank" not in told


def test_a_fully_trained_sdxl_has_the_names_that_the_host_converts(
    sdxl: Path, pictures: Path, tmp_path: Path, host_modules: Path
) -> None:
    """At full width no machine of ours could train it: the names are compared on the real shapes without weights."""
    import comfy.model_detection
    import comfy.utils
    from accelerate import init_empty_weights
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    how = config(pictures, "base.kind=sdxl", f"base.path={sdxl}", "base.trained=full")
    file = run.run(how, tmp_path, MODELS)
    assert file is not None
    saved = load_file(file)
    small = UNet2DConditionModel.from_pretrained(sdxl / "unet")
    assert saved.keys() == small.state_dict().keys()
    assert any(not torch.equal(saved[key].float(), value) for key, value in small.state_dict().items())
    with init_empty_weights():
        real = UNet2DConditionModel(
            sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2, cross_attention_dim=2048,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10), attention_head_dim=(5, 10, 20), use_linear_projection=True,
            addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
        )  # fmt: skip
    names = real.state_dict()
    found = comfy.model_detection.model_config_from_diffusers_unet(dict(names))
    assert type(found).__name__ == "SDXL"
    converted = comfy.utils.unet_to_diffusers(found.unet_config)
    assert set(names) <= set(converted)


def test_full_training_begins_from_the_exact_weights(sdxl: Path, pictures: Path, tmp_path: Path) -> None:
    how = config(
        pictures, "base.kind=sdxl", f"base.path={sdxl}", "base.trained=full", "memory.precision=bf16",
        "optimiser.lr=1e-12", "optimiser.weight_decay=0.0", "samples.every=0",
    )  # fmt: skip
    AcceleratorState._reset_state(reset_partial_state=True)  # another precision than the tests before
    try:
        file = run.run(how, tmp_path, MODELS)
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
    assert file is not None
    was = load_file(sdxl / "unet" / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(value, was[key].half()) for key, value in load_file(file).items())


def test_text_encoders_that_nothing_adapts_are_said(pictures: Path, tmp_path: Path) -> None:
    how = config(pictures, f"base.path={MODELS}", "lora.text_encoders=true", "lora.targets=['to_q']")
    with pytest.raises(ValueError, match="names no layers of the text encoders"):
        run.run(how, tmp_path, MODELS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["base.trained=full", "lora.text_encoders=true"], "without lora.text_encoders"),
        (["base.trained=full", "memory.offload=true"], "memory.offload"),
        (["base.kind=pocket-edit", "base.trained=full"], "sdxl and pocket-xl"),
        (["optimiser.text_lr=1e-5"], "text_lr counts for nothing"),
        (["base.kind=qwen-image-edit", "lora.text_encoders=true"], "sdxl and pocket-xl"),
    ],
)
def test_what_does_not_go_together_is_said(pictures: Path, changes: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(pictures, *changes)


def test_its_targets_are_layers_of_all_three() -> None:
    joint = PocketXLBase(MODELS, texts=True)
    assert isinstance(joint.network, HearingUNet) and joint.targets == HearingUNet.targets
    with pytest.raises(ValueError, match="No layer"):
        from expressive.finetune.lora import LoraShape, add_lora

        add_lora(joint.network, LoraShape(targets=("no_such_layer",)))
