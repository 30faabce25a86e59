"""Landmarks over time: the 1€ filter, and lost faces held."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from expressive.vision.landmarks.holistic_set import PARTS, HolisticSet
from expressive.vision.landmarks.one_euro import OneEuro, one_euro
from expressive.vision.landmarks.steadying import hold_lost, smooth

from .drawn_landmarks import WAVING, known

FPS = 25.0


def paper(values: list[float], rate: float, settings: OneEuro) -> list[float]:
    """Algorithm 1 of the paper, number by number."""

    def alpha(cutoff: float) -> float:
        tau, te = 1 / (2 * math.pi * cutoff), 1 / rate
        return 1 / (1 + tau / te)

    filtered: list[float] = []
    speed = 0.0
    for value in values:
        if not filtered:
            filtered.append(value)
            continue
        share = alpha(settings.d_cutoff)
        speed = share * (value - filtered[-1]) * rate + (1 - share) * speed
        share = alpha(settings.min_cutoff + settings.beta * abs(speed))
        filtered.append(share * value + (1 - share) * filtered[-1])
    return filtered


def still(seed: int = 0, frames: int = 400) -> Tensor:
    """A point that rests at 0.4, with the noise of one pixel in 500: [frames, 8]."""
    return 0.4 + 0.002 * torch.randn(frames, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def jitter(values: Tensor) -> float:
    """From frame to frame."""
    return float(values.diff(dim=0).std())


@pytest.mark.parametrize("settings", [OneEuro(), OneEuro(0.3, 100.0, 2.0), OneEuro(5.0, 0.0), OneEuro.of(0.7)])
def test_it_is_the_algorithm_of_the_paper(settings: OneEuro) -> None:
    values = torch.randn(60, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64).cumsum(0) / 30
    found = one_euro(values, FPS, settings)
    for place in range(3):
        expected = paper(values[:, place].tolist(), FPS, settings)
        torch.testing.assert_close(found[:, place], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)
    scaled = one_euro(values * 40, FPS, settings, speed_scale=1 / 40) / 40
    torch.testing.assert_close(scaled, found)


def test_what_does_not_change_is_not_changed() -> None:
    values = torch.rand(5, 3).expand(30, 5, 3)
    found = one_euro(values, FPS, OneEuro.of(1.0))
    assert torch.equal(found, values) and found.dtype == torch.float32


def test_more_smoothing_is_less_jitter_and_the_same_place() -> None:
    noisy = still()
    found = [jitter(one_euro(noisy, FPS, OneEuro.of(smoothing))) for smoothing in (0.0, 0.25, 0.5, 0.75, 1.0)]
    raw = jitter(noisy)
    assert raw > found[0] and all(more > less for more, less in zip(found, found[1:], strict=False))
    assert found[2] < 0.5 * raw and found[4] < 0.25 * raw
    assert float((one_euro(noisy, FPS, OneEuro.of(1.0))[100:].mean(0) - 0.4).abs().max()) < 0.001


@pytest.mark.parametrize("smoothing", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("speed", [0.3, -1.0])
def test_what_moves_lags_by_less_than_a_frame(smoothing: float, speed: float) -> None:
    rest, move = torch.zeros(25, dtype=torch.float64), torch.arange(1, 51, dtype=torch.float64) * speed / FPS
    path = torch.cat((rest, move))
    late = (path - one_euro(path[:, None], FPS, OneEuro.of(smoothing))[:, 0]) / (speed / FPS)  # in frames
    assert float(late[50:].abs().max()) < 0.7
    plain = (path - one_euro(path[:, None], FPS, replace(OneEuro.of(smoothing), beta=0.0))[:, 0]) / (speed / FPS)
    assert float(late[50:].abs().max()) < float(plain[-1].abs())


def test_the_filter_starts_anew_where_nothing_was_there() -> None:
    values = still(frames=40)[:, :2]
    there = torch.ones_like(values, dtype=torch.bool)
    there[10:13, 0] = False
    found = one_euro(values, FPS, OneEuro.of(0.5), there)
    assert torch.equal(found[10:14, 0], values[10:14, 0])
    torch.testing.assert_close(found[13:, 0], one_euro(values[13:], FPS, OneEuro.of(0.5))[:, 0])
    torch.testing.assert_close(found[:, 1], one_euro(values, FPS, OneEuro.of(0.5))[:, 1])


def test_wrong_settings_are_refused() -> None:
    for settings in ({"min_cutoff": 0.0}, {"d_cutoff": -1.0}, {"beta": -0.1}, {"min_cutoff": math.nan}):
        with pytest.raises(ValueError, match="cutoffs above 0 Hz"):
            OneEuro(**settings)
    with pytest.raises(ValueError, match="from 0 to 1, but here it is 1.5"):
        OneEuro.of(1.5)
    with pytest.raises(ValueError, match="frames a second is 0"):
        one_euro(torch.zeros(2, 1), 0.0, OneEuro())


def clip(frames: int, image_size: tuple[int, int] = (128, 128)) -> HolisticSet:
    """The same person again and again, with blendshapes that tell the frames apart."""
    one = known(WAVING, image_size=image_size)
    shapes = torch.arange(frames, dtype=torch.float32)[:, None].expand(frames, 52).clone()
    points, visibility = one.points.repeat(frames, 1, 1), one.visibility.repeat(frames, 1)
    return HolisticSet.of(points, visibility, image_size, shapes)


def test_landmarks_are_filtered_alike_in_both_directions_whatever_the_pictures_shape() -> None:
    moved = clip(20, (100, 300))
    walk = torch.randn(20, generator=torch.Generator().manual_seed(2)).cumsum(0)  # pixels
    points = moved.points.clone()
    points[:, 5, 0], points[:, 5, 1] = walk / 300, walk / 100
    found = smooth(replace(moved, points=points), FPS, OneEuro.of(0.6))
    torch.testing.assert_close(found.points[:, 5, 0] * 300, found.points[:, 5, 1] * 100, rtol=0, atol=1e-4)
    assert float((found.points[:, 5, 0] * 300 - walk).abs().max()) > 0.05
    assert torch.equal(found.points[:, 6], moved.points[:, 6]) and torch.equal(found.visibility, moved.visibility)


def without(landmarks: HolisticSet, frames: slice, rows: slice) -> HolisticSet:
    """Those landmarks missing in those frames."""
    points, visibility = landmarks.points.clone(), landmarks.visibility.clone()
    points[frames, rows], visibility[frames, rows] = 0.0, 0.0
    assert landmarks.blendshapes is not None
    shapes = landmarks.blendshapes.clone()
    shapes[frames] = 0.0
    return HolisticSet.of(points, visibility, landmarks.image_size, shapes)


def test_a_lost_face_is_held_for_some_frames_and_then_dropped() -> None:
    whole = clip(10)
    found = hold_lost(without(whole, slice(3, 8), PARTS["face"]), 3)
    assert found.held.tolist() == [False] * 3 + [True] * 3 + [False] * 4
    assert found.found.tolist() == [True] * 6 + [False] * 2 + [True] * 2
    assert torch.equal(found.face[5], whole.face[2]) and torch.equal(found.pose, whole.pose)
    assert found.blendshapes is not None and found.blendshapes[:, 0].tolist() == [0, 1, 2, 2, 2, 2, 0, 0, 8, 9]


def test_somebody_who_is_lost_altogether_stands_still() -> None:
    whole = clip(6)
    found = hold_lost(without(whole, slice(2, 4), slice(None)), 9)
    assert found.held.tolist() == [False, False, True, True, False, False]
    assert torch.equal(found.points, whole.points) and torch.equal(found.visibility, whole.visibility)


def test_before_the_first_face_there_is_none_to_hold() -> None:
    late = without(clip(5), slice(0, 2), slice(None))
    found = hold_lost(late, 9)
    assert not found.held.any() and torch.equal(found.points, late.points)
    gone = without(clip(5), slice(2, 5), PARTS["face"])
    assert torch.equal(hold_lost(gone, 0).points, gone.points)
    with pytest.raises(ValueError, match="0 frames or more, but here for -1"):
        hold_lost(gone, -1)
