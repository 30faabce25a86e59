# pyright: reportArgumentType=false
"""Consistent Attention on the host's own models, at small width, in its own samplers."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from .small_models import CONFIGS, latents, small_model, words

KINDS = list(CONFIGS)
STEPS = 2
ALL: dict[str, Any] = {"layers": "all", "start": 0.0, "end": 1.0, "keep": 0.5, "seed": 0}


@pytest.fixture(scope="module")
def share(pack: ModuleType):
    importlib.import_module(f"{pack.__name__}.nodes.attention_sharer")
    module = importlib.import_module(f"{pack.__name__}.nodes.consistent_attention")
    return lambda model, **changes: module.share_attention(model, **{**ALL, **changes})


@pytest.fixture(scope="module")
def models(host_modules) -> dict[str, Any]:
    return {name: small_model(name) for name in KINDS}


@torch.no_grad()
def sampled(model: Any, kind: str, positive: list, negative: list, noise: Tensor, cfg: float = 3.0, **more) -> Tensor:
    import comfy.sample

    return comfy.sample.sample(
        model, noise, STEPS, cfg, more.get("sampler", "euler"), "normal", positive, negative, torch.zeros_like(noise),
        seed=3, disable_pbar=True,
    )  # fmt: skip


def rows(conditioning: list, *which: int) -> list:
    index = list(which)
    return [
        [states[index], {k: v[index] if isinstance(v, Tensor) else v for k, v in told.items()}]
        for states, told in conditioning
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_one_image_is_as_without_it_bit_for_bit(models, share, kind) -> None:
    noise, prompt = latents(kind, 1), words(1)
    plain = sampled(models[kind], kind, prompt, words(1, seed=9), noise)
    assert plain.isfinite().all() and float(plain.std()) > 0
    assert torch.equal(sampled(share(models[kind]), kind, prompt, words(1, seed=9), noise), plain)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cfg", [1.0, 3.0])
def test_images_of_a_set_see_one_another(models, share, kind, cfg) -> None:
    noise, prompts, nothing = latents(kind, 3), words(3), words(3, seed=9)
    plain = sampled(models[kind], kind, prompts, nothing, noise, cfg)
    found = sampled(share(models[kind]), kind, prompts, nothing, noise, cfg)
    assert all(not torch.allclose(found[i], plain[i], atol=1e-4) for i in range(3))
    alone = sampled(models[kind], kind, rows(prompts, 0), rows(nothing, 0), noise[:1], cfg)
    torch.testing.assert_close(plain[:1], alone, atol=1e-3, rtol=1e-3)  # without it, they do not


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_a_set_does_not_matter(models, share, kind) -> None:
    noise, prompts, nothing = latents(kind, 3), words(3), words(3, seed=9)
    found = sampled(share(models[kind]), kind, prompts, nothing, noise)
    order = (2, 0, 1)
    moved = sampled(share(models[kind]), kind, rows(prompts, *order), rows(nothing, *order), noise[list(order)])
    torch.testing.assert_close(moved, found[list(order)], atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_guidance_at_once_or_half_by_half_is_the_same(models, share, kind, monkeypatch) -> None:
    noise, prompts, nothing = latents(kind, 3), words(3), words(3, seed=9)
    model = share(models[kind])
    at_once = sampled(model, kind, prompts, nothing, noise)
    monkeypatch.setattr(type(model.model), "memory_required", lambda *_, **__: 1e30)  # nothing fits beside another
    torch.testing.assert_close(sampled(model, kind, prompts, nothing, noise), at_once, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_of_other_lengths_for_guidance_work(models, share, kind) -> None:
    noise = latents(kind, 3)
    found = sampled(share(models[kind]), kind, words(3, 7), words(3, 5, seed=9), noise)
    assert found.isfinite().all()


def test_padded_prompts_keep_their_mask(models, share) -> None:
    """Qwen-Image masks padding: what lies in it changes nothing, alone or in a set."""
    mask = torch.ones(3, 6, dtype=torch.long)
    mask[:, 4:] = 0
    prompts, noise = words(3, 6, attention_mask=mask), latents("QwenImage", 3)
    other = [[prompts[0][0].clone(), prompts[0][1]]]
    other[0][0][:, 4:] = 7.0
    for model in (models["QwenImage"], share(models["QwenImage"], strength=0.5)):
        one, two = (sampled(model, "QwenImage", told, told, noise, 1.0) for told in (prompts, other))
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-3)


def test_text_and_reference_pictures_of_others_are_not_shared(models, share) -> None:
    """Qwen-Image-Edit's references lie behind the image tokens, the text before them."""
    noise = latents("QwenImage", 2)
    reference = torch.randn(2, 16, 1, 4, 4, generator=torch.Generator().manual_seed(5))
    model = share(models["QwenImage"], keep=1.0)
    seen: list[tuple[int, int]] = []
    sharer = model.model_options["transformer_options"]["optimized_attention_override"]
    mark = sharer.mark

    def watched(*args: Any, **kwargs: Any) -> Any:
        answer = mark(*args, **kwargs)
        seen.append((sharer._next.start, sharer._next.stop))
        return answer

    model.model_options["transformer_options"]["patches"]["attn1_patch"] = [watched]
    told = words(2, 5, reference_latents=[reference])
    assert sampled(model, "QwenImage", told, told, noise, 1.0).isfinite().all()
    assert set(seen) == {(5, 5 + 16)}  # 8 × 8 latent pixels are 16 tokens, the reference's 4 come after


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_it_came_from_stays_as_it_was(models, share, kind) -> None:
    noise, prompts, nothing = latents(kind, 2), words(2), words(2, seed=9)
    before = sampled(models[kind], kind, prompts, nothing, noise)
    sampled(share(models[kind]), kind, prompts, nothing, noise)
    assert torch.equal(sampled(models[kind], kind, prompts, nothing, noise), before)
    options = models[kind].model_options["transformer_options"]
    assert "optimized_attention_override" not in options and not options.get("patches")


@pytest.mark.parametrize("kind", KINDS)
def test_no_strength_and_no_steps_are_as_without_it(models, share, kind) -> None:
    noise, prompts, nothing = latents(kind, 2), words(2), words(2, seed=9)
    plain = sampled(models[kind], kind, prompts, nothing, noise)
    weak = sampled(share(models[kind], strength=0.0), kind, prompts, nothing, noise)
    late = sampled(share(models[kind], start=0.9999, end=1.0), kind, prompts, nothing, noise)
    torch.testing.assert_close(weak, plain, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(late, plain, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_layers_change_less(models, share, kind) -> None:
    noise, prompts, nothing = latents(kind, 3), words(3), words(3, seed=9)
    plain = sampled(models[kind], kind, prompts, nothing, noise, 1.0)
    asked: list[int] = []
    for layers in ("all", "last two thirds", "last third"):
        model = share(models[kind], layers=layers)
        sharer = model.model_options["transformer_options"]["optimized_attention_override"]
        counted = [0]
        original = sharer._now

        def now(options: dict, original=original, counted=counted) -> bool:
            counted[0] += original(options)
            return original(options)

        sharer._now = now
        assert not torch.allclose(sampled(model, kind, prompts, nothing, noise, 1.0), plain, atol=1e-5)
        asked.append(counted[0])
    assert asked[0] > asked[2] and asked[0] >= asked[1] >= asked[2] > 0


def test_two_of_them_and_other_patches_live_together(models, share) -> None:
    """Another override is asked through ours; perturbed attention, which answers self-attention itself, still works."""
    from comfy_extras.nodes_pag import PerturbedAttentionGuidance

    noise, prompts, nothing = latents("SDXL", 2), words(2), words(2, seed=9)
    calls = []

    def counting(func, *args, **kwargs):
        calls.append(1)
        return func(*args, **kwargs)

    other = models["SDXL"].clone()
    other.model_options["transformer_options"]["optimized_attention_override"] = counting
    plain = sampled(share(models["SDXL"]), "SDXL", prompts, nothing, noise)
    assert torch.equal(sampled(share(other), "SDXL", prompts, nothing, noise), plain)
    assert calls
    perturbed = PerturbedAttentionGuidance.execute(share(models["SDXL"]), 2.0).args[0]
    found = sampled(perturbed, "SDXL", prompts, nothing, noise)
    assert found.isfinite().all() and not torch.allclose(found, plain)


def test_parts_and_anchors_are_what_they_say(models, share) -> None:
    noise, prompts, nothing = latents("SDXL", 3), words(3), words(3, seed=9)
    whole = sampled(share(models["SDXL"], anchors=1), "SDXL", prompts, nothing, noise)
    parts = sampled(share(models["SDXL"], anchors=1, at_once=1), "SDXL", prompts, nothing, noise)
    torch.testing.assert_close(parts, whole, atol=1e-4, rtol=1e-3)
    pair = sampled(share(models["SDXL"], anchors=1), "SDXL", rows(prompts, 0, 2), rows(nothing, 0, 2), noise[[0, 2]])
    torch.testing.assert_close(pair, whole[[0, 2]], atol=2e-3, rtol=1e-2)  # image 1 is seen by nobody


def test_it_asks_the_host_for_more_memory(models, share, monkeypatch) -> None:
    import comfy.model_management

    asked: list[float] = []
    load = comfy.model_management.load_models_gpu
    monkeypatch.setattr(
        comfy.model_management,
        "load_models_gpu",
        lambda *args, **named: (asked.append(named["memory_required"]), load(*args, **named))[1],
    )
    noise, prompts, nothing = latents("SDXL", 4), words(4), words(4, seed=9)
    for model in (models["SDXL"], share(models["SDXL"], keep=0.25), share(models["SDXL"], keep=1.0)):
        sampled(model, "SDXL", prompts, nothing, noise)
    assert asked[0] < asked[1] <= asked[2]


def test_settings_that_share_nothing_are_said(models, share) -> None:
    with pytest.raises(ValueError, match="end comes later"):
        share(models["SDXL"], start=0.6, end=0.6)
    with pytest.raises(ValueError, match="keep rate"):
        share(models["SDXL"], keep=0.0)
