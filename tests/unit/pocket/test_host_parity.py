"""The same weights in diffusers and transformers, and in the host's own classes, are the same functions."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.pocket import latents, still, text
from expressive.pocket.model import PocketEdit, schedule
from launcher.places import ROOT

PROMPTS = ["Edit the person to show a happy expression", "Edit the character to show a zzz expression, please!"]
SHIPPED = ROOT / "models"
BASES = ["random"] + (["pocket-edit"] if (SHIPPED / "pocket-edit.transformer.safetensors").is_file() else [])


@pytest.fixture(scope="module", params=BASES)
def base(request: pytest.FixtureRequest, random_base: Path) -> tuple[Path, str]:
    return (random_base if request.param == "random" else SHIPPED), request.param


@pytest.fixture(scope="module")
def reference(base: tuple[Path, str]) -> PocketEdit:
    """The base in diffusers and transformers, with diffusers' own attention."""
    from diffusers.models.transformers.transformer_qwenimage import QwenDoubleStreamAttnProcessor2_0

    edit = PocketEdit.load(*base)
    blocks: Any = edit.transformer.transformer_blocks
    for block in blocks:
        block.attn.set_processor(QwenDoubleStreamAttnProcessor2_0())
    return edit


@pytest.fixture(scope="module")
def hosted(pack: ModuleType, base: tuple[Path, str]) -> tuple:
    """MODEL, CLIP and VAE of the same base."""
    return pack.nodes.pocket_host.load_base(base[1], base[0])


@torch.no_grad()
@pytest.mark.parametrize("prompt", PROMPTS)
def test_text_encoder(reference: PocketEdit, hosted: tuple, prompt: str) -> None:
    clip = hosted[1]
    ((found, options),) = clip.encode_from_tokens_scheduled(clip.tokenize(prompt))
    wanted = reference.encode_prompts([prompt])
    assert found.shape == wanted.shape == (1, len(text.tokenize(prompt)), reference.config.text.hidden_size)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    torch.testing.assert_close(options["pooled_output"], wanted[:, -1], atol=1e-4, rtol=0)


@torch.no_grad()
def test_the_editing_nodes_prompt_is_the_plain_prompt(hosted: tuple) -> None:
    from comfy_extras.nodes_qwen import TextEncodeQwenImageEditPlus

    clip, prompt = hosted[1], PROMPTS[0]
    ((plain, _),) = clip.encode_from_tokens_scheduled(clip.tokenize(prompt))
    (edited,) = TextEncodeQwenImageEditPlus.execute(clip, prompt, image1=torch.rand(1, 128, 128, 3)).args
    assert torch.equal(edited[0][0], plain)


@torch.no_grad()
def test_transformer_with_reference_tokens(reference: PocketEdit, hosted: tuple) -> None:
    net = hosted[0].model.diffusion_model
    noisy, source = torch.randn(2, 16, 16, 16), torch.randn(2, 16, 16, 16)
    context, sigma = reference.encode_prompts([PROMPTS[0]] * 2), torch.tensor([0.3, 0.95])
    wanted = reference.velocity(noisy, sigma, context, source)
    found = net(noisy[:, :, None], sigma, context, ref_latents=[source[:, :, None]], transformer_options={})
    torch.testing.assert_close(found[:, :, 0], wanted, atol=1e-3, rtol=0)
    assert wanted.std() > 0.01
    without = net(noisy[:, :, None], sigma, context, transformer_options={})
    assert (without[:, :, 0] - wanted).abs().max() > 0.01  # the source picture matters


@torch.no_grad()
def test_plain_attention_is_diffusers_attention(reference: PocketEdit, base: tuple[Path, str]) -> None:
    plain = PocketEdit.load(*base)
    noisy, source, sigma = torch.randn(2, 16, 8, 8), torch.randn(2, 16, 8, 8), torch.tensor([0.2, 0.7])
    context = reference.encode_prompts([PROMPTS[0]] * 2)
    torch.testing.assert_close(
        plain.velocity(noisy, sigma, context, source),
        reference.velocity(noisy, sigma, context, source),
        atol=1e-4,
        rtol=1e-4,
    )


@torch.no_grad()
def test_auto_encoder(reference: PocketEdit, hosted: tuple) -> None:
    vae = hosted[2]
    pictures = torch.rand(1, 64, 64, 3)
    wanted = still.encode(reference.vae, pictures.movedim(-1, 1) * 2 - 1)[:, :16]
    found = vae.encode(pictures)
    assert found.shape == (1, 16, 1, 8, 8)
    torch.testing.assert_close(found[:, :, 0], wanted, atol=1e-3, rtol=1e-4)
    again = still.decode(reference.vae, wanted).movedim(1, -1).add(1).div(2).clamp(0, 1)
    torch.testing.assert_close(vae.decode(found).reshape(again.shape), again, atol=1e-3, rtol=0)


@torch.no_grad()
def test_the_hosts_sampler_makes_the_same_latents(reference: PocketEdit, hosted: tuple) -> None:
    """KSampler (euler, simple, cfg 1) with a reference latent, against Euler steps in diffusers from the same noise."""
    import comfy.sample
    import node_helpers

    model, clip, _ = hosted
    steps, seed = 6, 7
    source = latents.denormalise(torch.randn(1, 16, 16, 16, generator=torch.Generator().manual_seed(1)))
    positive = clip.encode_from_tokens_scheduled(clip.tokenize(PROMPTS[0]))
    positive = node_helpers.conditioning_set_values(positive, {"reference_latents": [source[:, :, None]]}, append=True)
    empty = torch.zeros(2, 16, 1, 16, 16)
    noise: Any = comfy.sample.prepare_noise(empty, seed)
    found = comfy.sample.sample(
        model, noise, steps, 1.0, "euler", "simple", positive, positive, empty, seed=seed, disable_pbar=True
    )
    context = reference.encode_prompts([PROMPTS[0]]).expand(2, -1, -1)
    start = noise[:, :, 0]
    wanted = reference.sample(context, latents.normalise(source).expand(2, -1, -1, -1), start, steps)
    torch.testing.assert_close(found[:, :, 0], latents.denormalise(wanted), atol=1e-3, rtol=0)


def test_the_schedule_is_the_hosts(hosted: tuple, reference: PocketEdit) -> None:
    import comfy.samplers

    sampling = hosted[0].get_model_object("model_sampling")
    found = comfy.samplers.calculate_sigmas(sampling, "simple", 12)
    torch.testing.assert_close(found, schedule(12, reference.config.shift), atol=1e-6, rtol=0)
