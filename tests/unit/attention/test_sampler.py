# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
"""Consistent Attention Sampler: a set out of a list of prompts."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from .small_models import latents, small_model, words

SETTINGS: dict[str, Any] = {
    "noise_seed": 3, "steps": 2, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
    "noise": "shared", "keep": 0.5, "strength": 1.0, "anchors": 0, "layers": "all", "start": 0.0, "end": 1.0,
    "draw_seed": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def sample(pack: ModuleType):
    importlib.import_module(f"{pack.__name__}.nodes.attention_sharer")
    node = importlib.import_module(f"{pack.__name__}.nodes.consistent_attention_sampler").ConsistentAttentionSampler

    @torch.no_grad()
    def run(
        model: Any, positive: list, negative: list, empty: Tensor, mask: Tensor | None = None, **changes: Any
    ) -> Tensor:
        told = {name: [value] for name, value in {**SETTINGS, **changes}.items()}
        masked = {} if mask is None else {"noise_mask": mask}
        return node.execute([model], positive, negative, [{"samples": empty, **masked}], **told).args[0]["samples"]

    return run


@pytest.fixture(scope="module")
def models(host_modules) -> dict[str, Any]:
    return {name: small_model(name) for name in ("SDXL", "QwenImage")}


def prompts(count: int, length: int = 5) -> list:
    return [words(1, length, seed=10 + k) for k in range(count)]


@pytest.mark.parametrize("kind", ["SDXL", "QwenImage"])
def test_a_list_of_prompts_becomes_a_set(models, sample, kind) -> None:
    empty = torch.zeros_like(latents(kind, 1))
    made = sample(models[kind], prompts(3), [words(1, 5, seed=9)], empty)
    assert made.shape[0] == 3 and made.isfinite().all()
    alone = sample(models[kind], prompts(3), [words(1, 5, seed=9)], empty, strength=0.0)
    assert not torch.allclose(made, alone, atol=1e-4)
    batched = sample(models[kind], [words_of(prompts(3))], [words(1, 5, seed=9)], empty)
    torch.testing.assert_close(batched, made, atol=1e-4, rtol=1e-3)


def words_of(several: list) -> list:
    pooled = torch.cat([one[0][1]["pooled_output"] for one in several])
    return [[torch.cat([one[0][0] for one in several]), {"pooled_output": pooled}]]


def test_the_same_prompts_give_the_same_picture_from_shared_noise_alone(models, sample) -> None:
    empty, twice = torch.zeros(1, 4, 8, 8), [words(1, 5, seed=1)] * 2
    nothing = [words(1, 5, seed=9)]
    shared = sample(models["SDXL"], twice, nothing, empty)
    torch.testing.assert_close(shared[0], shared[1], atol=1e-4, rtol=1e-3)
    own = sample(models["SDXL"], twice, nothing, empty, noise="own")
    assert not torch.allclose(own[0], own[1], atol=1e-2)


def test_one_prompt_is_the_hosts_ksampler(models, sample, host_modules) -> None:
    import nodes as host_nodes

    empty, nothing = torch.zeros(1, 4, 8, 8), words(1, 5, seed=9)
    state = torch.get_rng_state()
    made = sample(models["SDXL"], prompts(1), [nothing], empty)
    assert torch.equal(torch.get_rng_state(), state)
    (wanted,) = host_nodes.common_ksampler(
        models["SDXL"], 3, 2, 3.0, "euler", "normal", prompts(1)[0], nothing, {"samples": empty}
    )
    torch.testing.assert_close(made, wanted["samples"], atol=1e-5, rtol=1e-4)


def test_prompts_of_other_lengths_are_filled_up(models, sample) -> None:
    mixed = [words(1, 4, seed=10), words(1, 6, seed=11)]
    made = sample(models["QwenImage"], mixed, [words(1, 5, seed=9)], torch.zeros(1, 16, 1, 8, 8), strength=0.0)
    alone = sample(models["QwenImage"], mixed[:1], [words(1, 5, seed=9)], torch.zeros(1, 16, 1, 8, 8))
    torch.testing.assert_close(made[:1], alone, atol=2e-3, rtol=1e-2)


def test_a_picture_to_start_from_serves_all(models, sample) -> None:
    start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    made = sample(models["SDXL"], prompts(2), [words(1, 5, seed=9)], start, denoise=0.3)
    assert made.shape == (2, 4, 8, 8)
    with pytest.raises(ValueError, match="3 latents for 2 prompts"):
        sample(models["SDXL"], prompts(2), [words(1, 5, seed=9)], start.expand(3, -1, -1, -1))


def test_what_a_mask_leaves_out_stays_as_it_was(models, sample) -> None:
    start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(4))
    mask = torch.zeros(1, 8, 8)
    mask[..., 4:] = 1
    made = sample(models["SDXL"], prompts(2), [words(1, 5, seed=9)], start, mask)
    torch.testing.assert_close(made[..., :4], start[..., :4].expand(2, -1, -1, -1), atol=1e-3, rtol=1e-3)
    assert not torch.allclose(made[..., 4:], start[..., 4:].expand(2, -1, -1, -1), atol=1e-2)


def test_one_model_and_one_latent(models, sample, pack) -> None:
    node = importlib.import_module(f"{pack.__name__}.nodes.consistent_attention_sampler").ConsistentAttentionSampler
    told = {name: [value] for name, value in SETTINGS.items()}
    with pytest.raises(ValueError, match="1 models and 2 latents"):
        node.execute([models["SDXL"]], prompts(2), [words(1)], [{"samples": torch.zeros(1, 4, 8, 8)}] * 2, **told)
