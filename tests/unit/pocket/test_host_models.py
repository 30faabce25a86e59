"""PocketModels in the host: LoRA keys, broken files, the tokenizer behind the host's interface."""

import shutil
from pathlib import Path
from types import ModuleType

import pytest
import torch

from expressive.pocket import host_keys
from expressive.pocket.nets import PocketConfig, VaeConfig, build_vae
from expressive.pocket.text import MAX_TOKENS


def test_a_lora_in_peft_names_finds_every_layer(pack: ModuleType, random_base: Path) -> None:
    import comfy.lora
    import comfy.sd

    model, clip, _ = pack.nodes.pocket_host.load_base("random", random_base)
    adapted = {"to_q", "to_k", "to_v", "add_q_proj", "0", "proj"}
    modules = model.model.diffusion_model.named_modules()
    blocks = [(name, module) for name, module in modules if name.startswith("transformer_blocks.")]
    layers = [name for name, module in blocks if name.rsplit(".", 1)[-1] in adapted and hasattr(module, "weight")]
    assert layers
    lora = {}
    for name in layers:
        out, into = model.model.diffusion_model.get_submodule(name).weight.shape
        lora[f"transformer.{name}.lora_A.weight"] = torch.randn(4, into)
        lora[f"transformer.{name}.lora_B.weight"] = torch.randn(out, 4)
    patched, _ = comfy.sd.load_lora_for_models(model, clip, lora, 1.0, 1.0)
    assert patched is not None
    assert set(patched.patches) == {f"diffusion_model.{name}.weight" for name in layers}


def test_the_model_can_be_made_again_from_its_files(pack: ModuleType, random_base: Path) -> None:
    for patcher in (lambda p: p[0], lambda p: p[1].patcher, lambda p: p[2].patcher):
        first = patcher(pack.nodes.pocket_host.load_base("random", random_base))
        build, arguments = first.cached_patcher_init
        again = build(*arguments)
        assert again.model is not first.model
        for name, weight in first.model.state_dict().items():
            if "logit_scale" not in name:
                assert torch.equal(weight, again.model.state_dict()[name]), name


def test_bases_are_listed_by_their_files(pack: ModuleType, random_base: Path) -> None:
    assert pack.nodes.pocket_files.editing_bases(random_base) == ["random"]


def test_a_missing_file_is_a_sentence(pack: ModuleType, random_base: Path, tmp_path: Path) -> None:
    shutil.copy(random_base / "random.transformer.safetensors", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"random\.text_encoder\.safetensors .* Install the pack again"):
        pack.nodes.pocket_host.load_base("random", tmp_path)


def test_a_damaged_file_is_a_sentence(pack: ModuleType, random_base: Path, tmp_path: Path) -> None:
    for file in random_base.iterdir():
        shutil.copy(file, tmp_path)
    whole = (tmp_path / "random.vae.safetensors").read_bytes()
    (tmp_path / "random.vae.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"random\.vae\.safetensors cannot be read .* install the pack again"):
        pack.nodes.pocket_host.load_base("random", tmp_path)


def test_a_foreign_file_is_a_sentence(pack: ModuleType, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    for part in ("transformer", "text_encoder", "vae"):
        save_file({"x": torch.zeros(1)}, tmp_path / f"other.{part}.safetensors")
    with pytest.raises(ValueError, match="not a pocket model of this pack"):
        pack.nodes.pocket_host.load_base("other", tmp_path)


def test_weights_that_do_not_fit_are_a_sentence(pack: ModuleType, random_base: Path, tmp_path: Path) -> None:
    shutil.copy(random_base / "random.vae.safetensors", tmp_path / "mixed.transformer.safetensors")
    with pytest.raises(ValueError, match="does not fit its own description"):
        pack.nodes.pocket_host.load_transformer(str(tmp_path / "mixed.transformer.safetensors"))


def test_tokens_come_padded_and_weightless(pack: ModuleType) -> None:
    tokens = pack.nodes.pocket_host.PocketTokenizer().tokenize_with_weights(
        "(happy:1.3) person", images=[], llama_template="{}"
    )
    (row,) = tokens["pocket"]
    assert len(row) == MAX_TOKENS
    assert {weight for _, weight in row} == {1.0}


def test_every_weight_of_the_auto_encoder_has_a_name_in_the_host(pack: ModuleType) -> None:
    import comfy.ldm.wan.vae

    state = build_vae(VaeConfig(base_dim=8)).state_dict()
    host = comfy.ldm.wan.vae.WanVAE(
        dim=8,
        z_dim=16,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=2,
        attn_scales=[],
        temperal_downsample=[False, True, True],
    ).state_dict()
    renamed = host_keys.vae_for_host(state)
    assert {k: v.shape for k, v in renamed.items()} == {k: v.shape for k, v in host.items()}
    assert host_keys.vae_from_host(renamed, state).keys() == state.keys()


def test_a_config_comes_back_from_json_and_nonsense_is_a_sentence() -> None:
    config = PocketConfig(shift=0.5, vae=VaeConfig(base_dim=8))
    assert PocketConfig.from_json(config.to_json()) == config
    with pytest.raises(ValueError, match="not the description of a pocket model"):
        PocketConfig.from_json("[1]")
