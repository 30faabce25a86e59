"""α over the steps of sampling."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from expressive.conditioning import interpolate_conditioning, interpolate_over_steps, parse_schedule


def conditioning(value: float, **extras: object) -> list[list[object]]:
    return [[torch.full((1, 4, 2), value), {"pooled_output": None, **extras}]]


def over_steps(text: str, rows: list[list[float]], **extras: object) -> list[list]:
    return interpolate_over_steps(
        conditioning(0.0, **extras), [conditioning(1.0, **extras)], rows, parse_schedule(text),
        method="score_one_all", suffix_tokens=1,
    )  # fmt: skip


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=6), st.floats(0, 0.999))
def test_every_moment_belongs_to_one_part_and_its_factor(factors: list[float], moment: float) -> None:
    parts = parse_schedule(", ".join(map(str, factors)))
    inside = [part for part in parts if part.start <= moment <= part.end]
    near = any(abs(moment - part.start) < 2e-6 for part in parts[1:])
    assert near or [part.factor for part in inside] == [factors[int(moment * len(factors))]]
    assert all(a.factor != b.factor for a, b in zip(parts, parts[1:], strict=False))


@pytest.mark.parametrize("text", ["", "1", "1, 1"])
def test_a_constant_schedule_is_plain_interpolation(text: str) -> None:
    wanted = interpolate_conditioning(conditioning(0.0), [conditioning(1.0)], [[0.5]], suffix_tokens=1)
    [[tokens, extras]] = over_steps(text, [[0.5]])
    assert torch.equal(tokens, wanted[0][0]) and "start_percent" not in extras


def test_each_part_has_its_range() -> None:
    found = over_steps("0, 1", [[0.5], [1.0]])
    values = [(entry[0][:, 0, 0].tolist(), entry[1]["start_percent"], entry[1]["end_percent"]) for entry in found]
    assert values == [([0, 0], 0.0, pytest.approx(0.5, abs=1e-5)), ([0.5, 1], 0.5, 1.0)]


def test_a_range_that_was_there_is_kept() -> None:
    found = over_steps("0, 0.5, 1", [[1.0]], start_percent=0.4, end_percent=0.6)
    assert [(entry[1]["start_percent"], round(entry[1]["end_percent"], 3)) for entry in found] == [(0.4, 0.6)]


@pytest.mark.parametrize("text", ["a", "0..1", "4", "0, nan"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no schedule"):
        parse_schedule(text)


def test_the_host_takes_each_step_from_one_part(host_modules: object) -> None:
    """The host's own conversion of shares into noise levels, at the steps of its simple schedule."""
    import comfy.model_sampling
    import comfy.samplers

    class Model:
        model_sampling = comfy.model_sampling.ModelSamplingFlux()

    sampling = Model.model_sampling
    entries = [{**extras, "value": tokens} for tokens, extras in over_steps("0, 0.5, 1, 0.25", [[1.0]])]
    comfy.samplers.calculate_start_end_timesteps(Model, entries)
    sigmas: Tensor = comfy.samplers.calculate_sigmas(sampling, "simple", 12)
    active = [
        [i for i, e in enumerate(entries)
         if not ("timestep_start" in e and sigma > e["timestep_start"])
         and not ("timestep_end" in e and sigma < e["timestep_end"])]
        for sigma in sigmas[:-1]
    ]  # fmt: skip
    assert all(len(one) == 1 for one in active), active
    assert sorted({one[0] for one in active}) == [0, 1, 2, 3]
