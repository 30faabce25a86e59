"""Inversion, injection and AdaIN as mathematics."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from expressive.stylization import SourceStructure, Trajectory, adapt_statistics, invert, noise_levels_up

MEAN, SPREAD = 0.4, 0.7


def gaussian(x: Tensor, sigma: float) -> Tensor:
    """The right answer for pictures whose numbers are normal with MEAN and SPREAD."""
    return MEAN + (x - MEAN) * SPREAD**2 / (SPREAD**2 + sigma**2)


def euler(x: Tensor, sigmas: list[float]) -> Tensor:
    for high, low in zip(sigmas, [*sigmas[1:], 0.0], strict=True):
        answer = gaussian(x, high)
        x = answer + (x - answer) * (low / high)
    return x


@pytest.fixture
def clean() -> Tensor:
    return MEAN + SPREAD * torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_going_down_ends_where_going_up_began(clean: Tensor) -> None:
    sigmas = noise_levels_up([14.6, 6.0, 2.5, 1.0, 0.4, 0.15, 0.0], 0.03)
    errors = []
    for refinements in (0, 1, 3, 60):
        path = invert(gaussian, clean, sigmas, refinements=refinements)
        errors.append(float((euler(path.at(sigmas[-1]), sigmas[::-1]) - clean).square().mean().sqrt()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 2 * 0.03**2, "only the lowest level, which counts as no noise, is left"


def test_the_noise_of_a_gaussian_picture_is_its_own_shape(clean: Tensor) -> None:
    """The exact trajectory is x − m = (x0 − m) √(1 + σ²/s²)."""
    levels = noise_levels_up([0.02 * 1.02**k for k in range(330)], 0.02)
    path = invert(gaussian, clean, levels)
    top = levels[-1]
    wanted = MEAN + (clean - MEAN) * math.sqrt((SPREAD**2 + top**2) / (SPREAD**2 + levels[0] ** 2))
    torch.testing.assert_close(path.at(top), wanted, rtol=0.02, atol=0.02)
    torch.testing.assert_close(path.at(levels[0]), clean)


@given(st.lists(st.floats(1e-3, 80), min_size=1, max_size=8, unique=True), st.floats(1e-3, 0.1))
def test_levels_rise_and_keep_those_of_the_sampler(sigmas: list[float], lowest: float) -> None:
    levels = noise_levels_up([*sigmas, 0.0], lowest)
    assert all(a < b for a, b in zip(levels, levels[1:], strict=False))
    assert set(sigmas) <= set(levels) and levels[0] <= max(lowest, min(sigmas))
    below = [level for level in levels if level <= min(sigmas)]
    assert all(high / low <= 2.001 for low, high in zip(below, below[1:], strict=False))


@pytest.mark.parametrize("sigmas", [[], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
def test_levels_that_do_not_rise_are_refused(clean: Tensor, sigmas: list[float]) -> None:
    with pytest.raises(ValueError, match="have to rise from above zero"):
        invert(gaussian, clean, sigmas)


def test_no_level_above_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above zero"):
        noise_levels_up([0.0], 0.03)


def test_noise_between_levels_follows_the_logarithm(clean: Tensor) -> None:
    noise = torch.stack([torch.zeros_like(clean), torch.ones_like(clean)])
    path = Trajectory(clean, (0.1, 10.0), noise)
    assert path.noise_at(1.0).mean() == pytest.approx(0.5)
    assert torch.equal(path.noise_at(0.01), noise[0]) and torch.equal(path.noise_at(99.0), noise[1])


def test_loud_noise_is_turned_down_and_quiet_noise_stays(clean: Tensor) -> None:
    shape = (1, 2, 4, 8, 8)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise /= noise.std((2, 3, 4), keepdim=True)
    noise[0, 0] *= 3.0
    noise[0, 1] *= 0.5
    found = Trajectory(clean, (1.0,), noise).no_louder_than_noise().noise
    torch.testing.assert_close(found[0, 0], noise[0, 0] / 3)
    assert torch.equal(found[0, 1], noise[0, 1])


def test_each_chunk_of_a_batch_takes_its_own_sources_tokens() -> None:
    structure, asking, asked = SourceStructure(), torch.randn(2, 5, 3), torch.randn(2, 4, 3)
    structure.take_tokens("here", asking, asked)
    own = torch.randn(6, 5, 3), torch.randn(6, 4, 3)  # three conditionings of two pictures, one after the other
    found = structure.tokens("here", *own)
    assert torch.equal(found[0], torch.cat([asking] * 3)) and torch.equal(found[1], torch.cat([asked] * 3))
    assert structure.tokens("elsewhere", *own) == own


def test_only_the_last_block_of_the_level_gives_features() -> None:
    structure = SourceStructure()
    latents = torch.Size((1, 4, 32, 32))
    blocks = {1: 8, 2: 8, 3: 16, 4: 32}
    given = {number: torch.randn(1, 6, side, side) for number, side in blocks.items()}
    for number, features in given.items():
        structure.take_features(("output", number), features, latents)
    for number, features in given.items():
        own = torch.zeros(2, *features.shape[1:])
        found = structure.features(("output", number), own)
        assert torch.equal(found, torch.cat([features] * 2)) if number == 2 else found is own


def test_another_size_is_a_sentence() -> None:
    structure = SourceStructure()
    structure.take_tokens("here", torch.zeros(1, 64, 3), torch.zeros(1, 64, 3))
    with pytest.raises(ValueError, match="1 × 64 × 3 numbers where the new pictures have 2 × 16 × 3"):
        structure.tokens("here", torch.zeros(2, 16, 3), torch.zeros(2, 16, 3))


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(0, 99))
def test_statistics_move_by_the_amount(amount: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    content = torch.randn(2, 3, 16, 16, generator=generator) * 2 + 1
    style = torch.randn(1, 3, 9, 7, generator=generator) * 0.3 - 4
    found = adapt_statistics(content, style, amount)
    wanted = content.mean((2, 3)) * (1 - amount) + style.mean((2, 3)) * amount
    torch.testing.assert_close(found.mean((2, 3)), wanted, atol=1e-3, rtol=1e-3)
    if amount == 0:
        assert torch.equal(found, content)
