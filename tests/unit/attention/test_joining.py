# pyright: reportArgumentType=false
"""A picture that joins a painted set, on the host's own models at small width."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from .small_models import CONFIGS, latents, small_model, words
from .test_consistent_attention import rows, sampled
from .test_sampler import SETTINGS

KINDS = list(CONFIGS)
IMAGES = 3


@pytest.fixture(scope="module")
def models(host_modules) -> dict[str, Any]:
    return {name: small_model(name) for name in KINDS}


@pytest.fixture(scope="module")
def nodes(pack: ModuleType) -> Any:
    names = ("consistent_attention_sampler", "join_consistent_set", "attention_sharer", "set_joiner")
    modules = [importlib.import_module(f"{pack.__name__}.nodes.{name}") for name in names]
    return modules[0].ConsistentAttentionSampler, modules[1].JoinConsistentSet


@torch.no_grad()
def painted(nodes: Any, model: Any, prompts: list, empty: Tensor, **changes: Any) -> tuple[Tensor, Any]:
    told = {name: [value] for name, value in {**SETTINGS, "redraw": True, **changes}.items()}
    made, kept = nodes[0].execute([model], [prompts], [words(1, seed=9)], [{"samples": empty}], **told).args
    return made["samples"], kept


def alone(nodes: Any, model: Any, kind: str, kept: Any, prompt: list, empty: Tensor, strength=1.0, **more) -> Tensor:
    import comfy.sample

    joined = nodes[1].execute(model, kept, strength).args[0]
    noise = comfy.sample.prepare_noise(empty, SETTINGS["noise_seed"])
    return sampled(joined, kind, prompt, words(1, seed=9), noise, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_who_joins_later_looks_as_if_there_from_the_beginning(models, nodes, kind, tmp_path: Path) -> None:
    """With anchors, a picture sees what it would have seen in the set; through a file, too."""
    from expressive.attention.kept_set import KeptSet

    prompts, empty = words(IMAGES), torch.zeros_like(latents(kind, 1))
    whole, _ = painted(nodes, models[kind], prompts, empty, anchors=2)
    _, kept = painted(nodes, models[kind], rows(prompts, 0, 1), empty, anchors=2)
    kept = KeptSet.load(kept.save(tmp_path / "cast.safetensors"))
    late = alone(nodes, models[kind], kind, kept, rows(prompts, 2), empty)
    torch.testing.assert_close(late, whole[2:], atol=2e-3, rtol=1e-2)
    plain = sampled(models[kind], kind, rows(prompts, 2), words(1, seed=9), *[noise_of(empty)])
    assert not torch.allclose(late, plain, atol=1e-2)


def noise_of(empty: Tensor) -> Tensor:
    import comfy.sample

    return comfy.sample.prepare_noise(empty, SETTINGS["noise_seed"])  # pyright: ignore[reportReturnType]


@pytest.mark.parametrize("kind", KINDS)
def test_several_that_join_with_anchors_do_not_see_one_another(models, nodes, kind) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents(kind, 1))
    _, kept = painted(nodes, models[kind], rows(prompts, 0), empty, anchors=1)
    joined = nodes[1].execute(models[kind], kept, 1.0).args[0]
    noise = noise_of(empty).expand(2, *empty.shape[1:]).contiguous()
    both = sampled(joined, kind, rows(prompts, 1, 2), words(2, seed=9)[:1], noise)
    one = sampled(joined, kind, rows(prompts, 1), rows(words(2, seed=9), 0), noise[:1])
    torch.testing.assert_close(both[:1], one, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_joining_half_by_half_is_the_same(models, nodes, kind, monkeypatch) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents(kind, 1))
    _, kept = painted(nodes, models[kind], rows(prompts, 0, 1), empty)
    at_once = alone(nodes, models[kind], kind, kept, rows(prompts, 2), empty)
    monkeypatch.setattr(type(models[kind].model), "memory_required", lambda *_, **__: 1e30)
    parts = alone(nodes, models[kind], kind, kept, rows(prompts, 2), empty)
    torch.testing.assert_close(parts, at_once, atol=2e-3, rtol=1e-2)


def test_a_smaller_strength_shows_less(models, nodes) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents("SDXL", 1))
    _, kept = painted(nodes, models["SDXL"], rows(prompts, 0, 1), empty)
    plain = sampled(models["SDXL"], "SDXL", rows(prompts, 2), words(1, seed=9), noise_of(empty))
    away = [
        float((alone(nodes, models["SDXL"], "SDXL", kept, rows(prompts, 2), empty, strength) - plain).abs().mean())
        for strength in (0.0, 0.3, 1.0)
    ]
    assert away[0] == 0 and away[0] < away[1] < away[2]


def test_what_cannot_join_is_told(models, nodes) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents("SDXL", 1))
    _, kept = painted(nodes, models["SDXL"], prompts, empty)
    with pytest.raises(ValueError, match="painted with SDXL of .* this is QwenImage of .* Connect that model"):
        nodes[1].execute(models["QwenImage"], kept, 1.0)
    with pytest.raises(ValueError, match=r"latents of 4 × 8 × 8, this picture as 4 × 16 × 8"):
        alone(nodes, models["SDXL"], "SDXL", kept, rows(prompts, 0), torch.zeros(1, 4, 16, 8))
    _, unguided = painted(nodes, models["SDXL"], prompts, empty, cfg=1.0)
    with pytest.raises(ValueError, match="without guidance"):
        alone(nodes, models["SDXL"], "SDXL", unguided, rows(prompts, 0), empty)
    assert alone(nodes, models["SDXL"], "SDXL", unguided, rows(prompts, 0), empty, cfg=1.0).isfinite().all()


def test_sharing_twice_is_told(models, nodes) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents("SDXL", 1))
    _, kept = painted(nodes, models["SDXL"], prompts, empty)
    joined = nodes[1].execute(models["SDXL"], kept, 1.0).args[0]
    with pytest.raises(ValueError, match="share attention already"):
        painted(nodes, joined, prompts, empty)


def test_the_set_of_a_sampler_with_other_steps_can_be_joined(models, nodes) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents("SDXL", 1))
    _, kept = painted(nodes, models["SDXL"], prompts, empty, steps=5, sampler_name="heun")
    assert kept.trouble == ""
    assert alone(nodes, models["SDXL"], "SDXL", kept, rows(prompts, 0), empty, sampler="dpmpp_2m").isfinite().all()


def test_no_trace_is_left(models, nodes) -> None:
    prompts, empty = words(IMAGES), torch.zeros_like(latents("SDXL", 1))
    before = sampled(models["SDXL"], "SDXL", rows(prompts, 0), words(1, seed=9), noise_of(empty))
    _, kept = painted(nodes, models["SDXL"], prompts, empty)
    alone(nodes, models["SDXL"], "SDXL", kept, rows(prompts, 1), empty)
    assert torch.equal(sampled(models["SDXL"], "SDXL", rows(prompts, 0), words(1, seed=9), noise_of(empty)), before)
