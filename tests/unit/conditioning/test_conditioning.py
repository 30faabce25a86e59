"""Whole conditionings: masks, pooled outputs, reference latents, other keys, several entries, and what is refused."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from expressive.conditioning import METHODS, interpolate_conditioning, prompts_per_alpha


def tensor(seed, *shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def entry(seed: int, length: int = 9, batch: int = 1, dtype=torch.float32, **extras: Any) -> list[Any]:
    return [tensor(seed, batch, length, 8, dtype=dtype), extras]


def rows(*alphas):
    return [(a,) for a in alphas]


def frozen(value):
    return copy.deepcopy(value)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def everything(seed, dtype=torch.float32):
    """A conditioning with every kind of extra."""
    return [
        entry(
            seed,
            dtype=dtype,
            pooled_output=tensor(seed + 50, 1, 4, dtype=dtype),
            attention_mask=torch.ones(1, 9),
            reference_latents=[tensor(99, 1, 16, 1, 4, 4)],
            guidance=3.5 + seed,
        )
    ]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_one_returns_the_target_with_all_its_extras(method, dtype):
    neutral, target = everything(1, dtype), everything(2, dtype)
    assert same(interpolate_conditioning(neutral, [target], rows(1.0), method=method), target)


def test_zero_returns_the_neutral():
    neutral, target = everything(1), everything(2)
    [[tokens, extras]] = interpolate_conditioning(neutral, [target], rows(0.0))
    assert torch.equal(tokens, neutral[0][0])
    assert torch.equal(extras["pooled_output"], neutral[0][1]["pooled_output"])
    assert extras["guidance"] == 5.5, "other keys are the target's"


@given(st.lists(st.floats(-1, 3), min_size=1, max_size=4), st.sampled_from(METHODS))
def test_inputs_are_left_alone_and_not_shared(alphas, method):
    neutral, target = everything(1), everything(2)
    before = frozen([neutral, target])
    [[tokens, extras]] = interpolate_conditioning(neutral, [target], rows(*alphas), method=method)
    tokens.zero_()
    extras["pooled_output"].zero_()
    extras["reference_latents"].append(None)
    extras["guidance"] = None
    extras["attention_mask"].zero_()
    assert same([neutral, target], before)


def test_a_list_of_alphas_is_one_batched_entry():
    neutral, target = everything(1), everything(2)
    alphas = [0, 0.25, 0.5, 1, 1.25]
    strip = interpolate_conditioning(neutral, [target], rows(*alphas))
    assert len(strip) == 1 and prompts_per_alpha(strip, len(alphas)) == 1
    tokens, extras = strip[0]
    assert (
        tokens.shape == (5, 9, 8)
        and extras["pooled_output"].shape == (5, 4)
        and extras["attention_mask"].shape == (5, 9)
    )
    assert [r.shape for r in extras["reference_latents"]] == [(1, 16, 1, 4, 4)], "the host repeats it over the batch"
    for i, alpha in enumerate(alphas):
        [[single, single_extras]] = interpolate_conditioning(neutral, [target], rows(alpha))
        assert torch.equal(single[0], tokens[i])
        assert torch.equal(single_extras["pooled_output"][0], extras["pooled_output"][i])


def test_batches_are_alpha_major():
    neutral, target = [entry(1, batch=1)], [entry(2, batch=3)]
    [[tokens, _]] = interpolate_conditioning(neutral, [target], rows(0.0, 1.0))
    assert tokens.shape == (6, 9, 8)
    assert torch.equal(tokens[:3], neutral[0][0].expand(3, -1, -1)) and torch.equal(tokens[3:], target[0][0])


def test_several_reference_pictures_each_get_every_alpha():
    references = [tensor(9, 3, 16, 1, 4, 4)]
    neutral, target = [entry(1, reference_latents=references)], [entry(2, reference_latents=references)]
    [[tokens, extras]] = strip = interpolate_conditioning(neutral, [target], rows(0.0, 0.5))
    assert tokens.shape[0] == 6 and prompts_per_alpha(strip, 2) == 3
    assert torch.equal(tokens[0], tokens[2]) and torch.equal(tokens[3], tokens[5])
    assert extras["reference_latents"][0].shape[0] == 3


@pytest.mark.parametrize("method", [m for m in METHODS if m != "score_one_all"])
def test_windowed_methods_keep_the_targets_pooled_output(method):
    neutral, target = everything(1), everything(2)
    [[_, extras]] = interpolate_conditioning(neutral, [target], rows(0.3), method=method)
    assert torch.equal(extras["pooled_output"], target[0][1]["pooled_output"])


def test_pooled_output_of_one_side_only():
    pooled = tensor(5, 1, 4)
    for neutral, target in ((None, pooled), (pooled, None)):
        sides = [entry(1, pooled_output=neutral)], [entry(2, pooled_output=target)]
        [[_, extras]] = interpolate_conditioning(sides[0], [sides[1]], rows(0.3))
        assert torch.equal(extras["pooled_output"], pooled)
    [[_, extras]] = interpolate_conditioning([entry(1, pooled_output=None)], [[entry(2)]], rows(0.3))
    assert extras["pooled_output"] is None


def test_masks_of_both_sides_count():
    """Neutral: 8 words and 4 of padding. Target: 12 words, hence no mask. Without the mask the lengths would agree."""
    neutral = [entry(1, length=12, attention_mask=(torch.arange(12) < 8).int()[None])]
    target = [entry(2, length=12)]
    neutral[0][0][:, 8:] = 1e4
    [[tokens, extras]] = interpolate_conditioning(neutral, [target], rows(0.0))
    assert "attention_mask" not in extras
    assert torch.equal(tokens[0, -6:], neutral[0][0][0, 2:8]) and tokens.abs().max() < 100

    [[tokens, extras]] = interpolate_conditioning(target, [neutral], rows(0.0, 0.5))
    assert torch.equal(extras["attention_mask"], neutral[0][1]["attention_mask"].repeat(2, 1))
    assert torch.equal(tokens[0, 2:8], target[0][0][0, -6:])


def test_no_mask_means_ones():
    neutral, target = [entry(1)], [entry(2, attention_mask=torch.ones(1, 9))]
    [[tokens, _]] = interpolate_conditioning(neutral, [target], rows(0.0))
    assert torch.equal(tokens, neutral[0][0])


def test_other_keys_first_target_wins():
    neutral = [entry(1, a=0, b=0, c=0)]
    first, second = [entry(2, a=1)], [entry(3, a=2, b=2)]
    [[_, extras]] = interpolate_conditioning(neutral, [first, second], [(0.5, 0.5)])
    assert extras == {"a": 1, "b": 2, "c": 0}


def test_a_second_embedding_is_refused_unless_it_is_the_same():
    neutral, target = [entry(1, conditioning_llama3=tensor(3, 1, 4))], [entry(2, conditioning_llama3=tensor(4, 1, 4))]
    with pytest.raises(ValueError, match="second embedding .conditioning_llama3."):
        interpolate_conditioning(neutral, [target], rows(0.5))
    with pytest.raises(ValueError, match="second embedding"):
        interpolate_conditioning([entry(1)], [target], rows(0.5))
    shared = [entry(1, conditioning_llama3=tensor(4, 1, 4))]
    [[_, extras]] = interpolate_conditioning(shared, [target], rows(0.5))
    assert torch.equal(extras["conditioning_llama3"], tensor(4, 1, 4))


def test_entries_go_pairwise():
    neutral, target = [entry(1), entry(2, length=10)], [entry(3), entry(4, length=10, start_percent=0.5)]
    mixed = interpolate_conditioning(neutral, [target], rows(0.0))
    assert [torch.equal(m[0], n[0]) for m, n in zip(mixed, neutral, strict=True)] == [True, True]
    assert mixed[1][1] == {"start_percent": 0.5}
    single = interpolate_conditioning(neutral[:1], [target], rows(0.0))
    assert torch.equal(single[0][0], neutral[0][0]) and single[1][0].shape == (1, 10, 8)


def test_halves_mix_with_floats_in_the_targets_dtype():
    [[tokens, _]] = interpolate_conditioning([entry(1)], [[entry(2, dtype=torch.bfloat16)]], rows(0.5))
    assert tokens.dtype == torch.bfloat16


def bad(value):
    conditioning = [entry(2)]
    conditioning[0][0][0, 3, 2] = value
    return conditioning


REFERENCE = tensor(9, 1, 16, 1, 4, 4)


@pytest.mark.parametrize(
    ("neutral", "target", "message"),
    [
        ([entry(1)], bad(float("nan")), "embedding of the target holds NaN"),
        (bad(float("inf")), [entry(2)], "embedding of the neutral holds NaN or infinite"),
        ([entry(1, pooled_output=torch.full((1, 4), torch.nan))], [entry(2)], "pooled output of the neutral holds NaN"),
        ([entry(1)], [[torch.randn(1, 9, 6), {}]], "same CLIP"),
        ([entry(1, batch=2)], [entry(2, batch=3)], "batches do not fit"),
        ([entry(1, pooled_output=torch.ones(1, 4))], [entry(2, pooled_output=torch.ones(1, 5))], "pooled outputs have"),
        ([entry(1)], [[torch.randn(9, 8), {}]], r"shape \[9, 8\]"),
        ([entry(1)], [[None, {}]], "NoneType"),
        ([entry(1), entry(2)], [entry(3), entry(4), entry(5)], "cannot be paired"),
        ([entry(1)], [], "cannot be paired"),
        ([entry(1, length=5)], [entry(2)], "suffix_tokens below 5"),
        ([entry(1)], [entry(2, reference_latents=[REFERENCE])], r"0 reference latent\(s\), but the target 1"),
        ([entry(1, reference_latents=[REFERENCE])], [entry(2, reference_latents=[REFERENCE[..., :2]])], "has shape"),
        ([entry(1, reference_latents=[REFERENCE])], [entry(2, reference_latents=[REFERENCE + 1])], "another picture"),
    ],
)
def test_sides_that_do_not_fit(neutral, target, message):
    with pytest.raises(ValueError, match=message):
        interpolate_conditioning(neutral, [target], rows(0.5))


@pytest.mark.parametrize(("alphas", "message"), [([], "no α"), ([(3.5,)], "between"), ([(1, 1)], r"2 α values for 1")])
def test_alphas_that_do_not_fit(alphas, message):
    with pytest.raises(ValueError, match=message):
        interpolate_conditioning([entry(1)], [[entry(2)]], alphas)


def test_no_target():
    with pytest.raises(ValueError, match="no target"):
        interpolate_conditioning([entry(1)], [], rows(1.0))
