"""Depth and person mask against the pixels and the landmarks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressive.emotion import Emotion
from expressive.pocket.body import Body
from expressive.pocket.faces import Identity
from expressive.pocket.scene import FRAMES, STYLES, Pose, Scene, picture
from expressive.pocket.scene.landmarks import POSE_PART, RIGHT_HAND_PART
from expressive.pocket.scene.sampling import random_emotion, random_scene
from expressive.pocket.scene.truth import Truth, truth

WHO = replace(Identity.sample(1_000_003), hair_style="buzz", glasses="none", beard="none")
SIZE = 128


def depth_at(known: Truth, spot: np.ndarray) -> float:
    return float(known.depth[int(spot[1] * SIZE), int(spot[0] * SIZE)])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("frame", "gesture"), [("face", "relaxed"), ("upper_body", "palm")])
def test_the_mask_is_what_does_not_change_with_the_background(style: str, frame: str, gesture: str) -> None:
    scene = Scene(
        WHO, Emotion.of("happy"), style=style, frame=frame, body=Body().gesturing(gesture), pose=Pose(15, 6, 4)
    )
    one, other = (picture(replace(scene, background=k), SIZE).astype(int) for k in (0, 5))
    person = np.abs(one - other).max(axis=-1) <= 2
    mask = truth(scene, SIZE).mask
    assert mask.dtype == bool and mask.shape == (SIZE, SIZE)
    assert (person & ~mask).sum() < 0.01 * person.sum(), "the person's pixels"
    assert (mask & ~person).sum() < 0.08 * person.sum(), "half of the blended pixels at the edge"


@pytest.mark.parametrize("pose", [Pose(), Pose(20, 0, 0), Pose(-15, 15, 0), Pose(0, -20, 10)])
def test_the_nose_is_nearer_than_the_cheek_the_ear_and_the_wall(pose: Pose) -> None:
    known = truth(Scene(WHO, pose=pose), SIZE)
    found = known.landmarks
    ears = [depth_at(known, ear) for ear in found[POSE_PART][[7, 8]] if ear[2]]
    nose, cheeks = depth_at(known, found[4]), [depth_at(known, found[k]) for k in (50, 280)]
    assert nose < min(cheeks) and max(cheeks) < min(ears) and max(ears) < 1.0
    assert max(cheeks) - nose > 0.05 and min(ears) - nose > 0.15
    assert known.depth[2, 2] == known.depth[2, -3] == 1.0 and known.depth.min() == 0.0
    assert np.all((known.depth < 1) == known.mask)


def test_the_side_that_a_head_turns_to_goes_back() -> None:
    known = truth(Scene(WHO, pose=Pose(25, 0, 0)), SIZE)
    cheek_right, cheek_left = (depth_at(known, known.landmarks[k]) for k in (425, 205))
    assert cheek_right > cheek_left + 0.05


def test_hands_lie_before_the_body_and_the_body_before_the_wall() -> None:
    known = truth(Scene(WHO, frame="upper_body", body=Body().gesturing("stop")), SIZE)
    hand = np.mean([depth_at(known, point) for point in known.landmarks[RIGHT_HAND_PART][[0, 5, 9, 13]]])
    shoulders = known.landmarks[POSE_PART][[11, 12]]
    chest = depth_at(known, shoulders.mean(axis=0))
    assert hand < chest - 0.1 and chest < 0.9


def test_hair_follows_the_skull() -> None:
    known = truth(Scene(replace(WHO, hair_style="long")), SIZE)
    found = known.landmarks
    hair = known.depth[int((found[10, 1] - 0.05) * SIZE), int(found[10, 0] * SIZE)]
    lock = known.depth[int(found[17, 1] * SIZE), int((found[234, 0] - 0.07) * SIZE)]
    assert depth_at(known, found[4]) < hair < lock < 1.0


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(1_000_000, 1_900_000), frame=st.sampled_from(tuple(FRAMES)))
def test_any_scene_has_finite_maps_of_any_size(seed: int, frame: str) -> None:
    scene = random_scene(seed, Identity.sample(seed), random_emotion(seed), frame=frame, spread=(30.0, 30.0, 30.0))
    size = 32 + seed % 64
    known = truth(scene, size)
    assert known.depth.shape == known.mask.shape == (size, size) and known.depth.dtype == np.float32
    assert np.isfinite(known.depth).all() and known.depth.min() >= 0.0 and known.depth.max() <= 1.0
    assert known.mask.mean() > 0.1
