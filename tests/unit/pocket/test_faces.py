"""The drawn people: deterministic, different from each other, and moved by their action units."""

import hashlib
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.faces import BACKGROUNDS, GENDERS, RACES, STYLES, Brush, Identity, Pose, contours, rig
from expressive.pocket.faces.shapes import eye_shape, mouth_shape
from expressive.pocket.scene import Camera, Light, Scene, draw, picture, render

ROOT = Path(__file__).parents[3]
HAPPY = Emotion.of("pixelsmile.happy")
EVERYTHING = {f"AU{k}": 1.5 for k in (*range(1, 33), 43)}


def digest(seed: int) -> str:
    return hashlib.sha256(picture(Scene(Identity.sample(seed), HAPPY)).tobytes()).hexdigest()


def shown(seed: int, emotion: Emotion | None = None, **scene: Any) -> np.ndarray:
    return picture(Scene(Identity.sample(seed), emotion or Emotion.neutral(), **scene)).astype(float)


def test_the_same_seed_draws_the_same_pixels_in_another_process() -> None:
    code = (
        "import hashlib; from expressive.emotion import Emotion;"
        "from expressive.pocket.faces import Identity; from expressive.pocket.scene import Scene, picture;"
        "scene = Scene(Identity.sample(7), Emotion.of('pixelsmile.happy'));"
        "print(hashlib.sha256(picture(scene).tobytes()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert other == digest(7)


def test_a_thousand_seeds_are_a_thousand_people_and_cover_every_group() -> None:
    people = [Identity.sample(seed) for seed in range(1000)]
    assert len({(p.skin, p.hair_colour, p.head_width, p.eye_size) for p in people}) == 1000
    counts = {(gender, race): 0 for gender in GENDERS for race in RACES}
    for person in people:
        counts[person.gender, person.race] += 1
    assert min(counts.values()) > 40  # 71 expected of each of the 14 groups


@pytest.mark.parametrize("style", STYLES)
def test_every_expression_changes_the_face_of_every_person(style: str) -> None:
    for seed in (1_000_000, 1_000_001, 1_000_002):
        emotions = [Emotion.neutral(), *(Emotion.of(item.id) for item in vocabulary.pixelsmile())]
        pictures = [shown(seed, emotion, style=style) for emotion in emotions]
        for i, first in enumerate(pictures):
            for second in pictures[:i]:
                assert np.abs(first - second).mean() > 0.8, "two expressions look the same"


def test_a_smile_grows_with_its_intensity() -> None:
    heights = [rig({"AU12": k}).mouth.left for k in (0.0, 0.3, 0.6, 1.0, 1.5)]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1]
    assert rig({"AU12": 9.0}) == rig({"AU12": 1.5})


def test_one_sided_action_units_move_one_side() -> None:
    mouth = rig({"AU12L": 1.0}).mouth
    assert mouth.right < 0 and mouth.left == 0  # the person's left is the picture's right


def test_head_movements_add_to_the_pose() -> None:
    assert rig({"AU51": 0.5}, Pose(yaw=3)).pose.yaw == pytest.approx(10.0)
    assert rig({"AU55": 1, "AU56": 1}).pose.roll == 0


def test_no_head_turns_farther_than_a_neck() -> None:
    pose = rig({"AU51": 1.5, "AU54": 1.5}, Pose(30, -30)).pose
    assert pose.yaw == 35 and pose.pitch == -35


def test_antagonists_settle() -> None:
    assert rig({"AU24": 1, "AU25": 1}).mouth.gap == rig({"AU25": 1}).mouth.gap  # parted lips do not press
    assert rig({"AU5": 1.5, "AU43": 1}) == rig({"AU43": 1})  # a closing lid does not rise
    assert rig({"AU18": 1, "AU20": 1}).mouth.width < 1  # pushed forward, not stretched
    mixed = rig({"AU12": 1, "AU15": 1}).mouth.left
    assert rig({"AU12": 1}).mouth.left < mixed < rig({"AU15": 1}).mouth.left
    raised, lowered, both = (rig(units).brows[0].inner for units in ({"AU1": 1}, {"AU4": 1}, {"AU1": 1, "AU4": 1}))
    assert lowered < both < raised


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("units", [EVERYTHING, {**EVERYTHING, "AU43": 0.0}, {"AU26": 1.5, "AU27": 1.5, "AU12": 1.5}])
def test_all_action_units_at_once_leave_a_face(style: str, units: dict[str, float]) -> None:
    for seed in range(1_000_000, 1_000_008):
        brush = Brush(Identity.sample(seed), rig(units), style)
        mouth = mouth_shape(brush)
        assert mouth.opening >= 0 and mouth.under[1] < brush.chin
        for side in (-1, 1):
            eye = eye_shape(brush, side)
            assert eye.shut or eye.top[1] < eye.bottom[1]
        lips = np.array(contours(brush)["lips_outer_lower"])[:, 0]
        assert np.abs(lips - 64).max() < 0.85 * brush.half_width


def test_every_style_is_another_picture_of_the_same_person() -> None:
    pictures = [shown(1_000_001, style=style) for style in STYLES]
    for i, first in enumerate(pictures):
        for second in pictures[:i]:
            assert np.abs(first - second).mean() > 3


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="portrait, cartoon, anime, clay"):
        Brush(Identity.sample(1), rig({}), "oil")


@pytest.mark.parametrize("style", STYLES)
def test_light_from_a_side_darkens_the_other_one(style: str) -> None:
    even = shown(1_000_002, style=style)
    assert np.array_equal(even, shown(1_000_002, style=style, light=Light()))
    lit = {azimuth: shown(1_000_002, style=style, light=Light(azimuth, 20, 1.0)) for azimuth in (-70, 70)}
    cheeks = (slice(60, 84), slice(38, 50)), (slice(60, 84), slice(78, 90))
    for azimuth, (near, far) in ((-70, cheeks), (70, cheeks[::-1])):
        change = lit[azimuth] - even
        assert change[far].mean() < change[near].mean() - 12
    warm, cold = (shown(1_000_002, style=style, light=Light(warmth=k)).mean((0, 1)) for k in (1, -1))
    assert warm[0] - warm[2] > cold[0] - cold[2] + 15


def test_the_camera_moves_and_nears() -> None:
    centre = Scene(Identity.sample(1_000_000))
    assert 'viewBox="7.36 7.82 113.27 113.27"' in draw(centre)
    assert 'viewBox="18.69 7.82 113.27 113.27"' in draw(replace(centre, camera=Camera(x=0.1)))
    assert 'viewBox="35.68 36.14 56.63 56.63"' in draw(replace(centre, camera=Camera(zoom=2)))


def test_backgrounds_differ() -> None:
    corners = {shown(1_000_000, background=k)[4, 4].tobytes() for k in range(len(BACKGROUNDS))}
    assert len(corners) == len(BACKGROUNDS) >= 12


def test_any_size_is_rendered() -> None:
    for size in (64, 200):
        assert render(draw(Scene(Identity.sample(3), HAPPY)), size).shape == (size, size, 3)


@pytest.mark.parametrize("style", STYLES)
def test_drawing_is_fast(style: str) -> None:
    """A guard against drawing that becomes several times as slow; how fast it is says the bench."""
    scene = Scene(Identity.sample(5), HAPPY, style=style, pose=Pose(15, 8, 4))
    picture(scene)
    rounds = []
    for _ in range(10):
        started = time.process_time()
        for _ in range(6):
            picture(scene)
        rounds.append((time.process_time() - started) / 6)
    assert min(rounds) < 0.05
