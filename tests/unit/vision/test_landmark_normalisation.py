"""The vector l̃: without place and scale, whatever the picture shows."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from expressive.pocket.scene import Camera
from expressive.vision.landmarks.connections import TORSOS
from expressive.vision.landmarks.holistic_set import HolisticSet
from expressive.vision.landmarks.normalisation import BROAD, DOWN, VECTOR, normalise

from .drawn_landmarks import WAVING, known

LEFT, RIGHT, HIPS = 478 + 11, 478 + 12, slice(478 + 23, 478 + 25)


def moved(landmarks: HolisticSet, scale: float, shift: tuple[float, float], canvas: tuple[int, int]) -> HolisticSet:
    """The same people smaller or larger, elsewhere in a picture of (height, width)."""
    pixels = landmarks.pixels * scale + torch.tensor([*shift, 0.0])
    return replace(landmarks, points=pixels / torch.tensor([canvas[1], canvas[0], canvas[1]]), image_size=canvas)


def unseen(landmarks: HolisticSet, *places: int | slice) -> HolisticSet:
    """With these landmarks where they are, but not seen."""
    visibility = landmarks.visibility.clone()
    for place in places:
        visibility[:, place] = 0.0
    return replace(landmarks, visibility=visibility)


def alike(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-4)


CHANGES = [(0.4, (0.0, 0.0), (128, 128)), (1.0, (-30.0, 55.0), (128, 128)), (3.0, (10.0, -200.0), (480, 1000))]


@pytest.mark.parametrize(("scale", "shift", "canvas"), CHANGES)
@pytest.mark.parametrize("torso", TORSOS)
def test_place_scale_and_shape_of_the_picture_do_not_matter(
    scale: float, shift: tuple[float, float], canvas: tuple[int, int], torso: str
) -> None:
    whole = known(WAVING)
    everything = replace(whole, visibility=torch.ones_like(whole.visibility))
    for given, joint in (
        (everything, torso),
        (whole, "shoulders"),
        (unseen(whole, LEFT), "face"),
        (unseen(whole, RIGHT, HIPS), "face"),
    ):
        before, after = normalise(given, torso), normalise(moved(given, scale, shift, canvas), torso)
        assert before.joint == after.joint == (joint,)
        alike(after.vector, before.vector)
        assert before.vector.shape == (1, VECTOR) and before.vector.dtype == torch.float32


def test_the_camera_does_not_matter_either() -> None:
    near, far = (known(replace(WAVING, camera=camera)) for camera in (Camera(), Camera(0.04, -0.03, 0.9)))
    one, other = normalise(near), normalise(far)
    both = one.seen & other.seen
    assert int(both.sum()) > 450
    alike(other.points[both], one.points[both])


def test_the_shoulders_are_one_apart_and_the_joint_is_the_origin() -> None:
    landmarks = known(WAVING)
    points = normalise(landmarks).points[0]
    assert float((points[LEFT] - points[RIGHT]).norm()) == pytest.approx(1)
    alike(points[LEFT] + points[RIGHT], torch.zeros(2))
    assert points[LEFT, 0] > 0 > points[10, 1], "x to the right, y down"
    everything = replace(landmarks, visibility=torch.ones_like(landmarks.visibility))
    hips = normalise(everything, "hips").points[0]
    alike(hips[HIPS].mean(0), torch.zeros(2))
    assert float((hips[LEFT] - hips[RIGHT]).norm()) == pytest.approx(1)


def test_the_vector_is_x_y_and_mask_of_one_landmark_after_the_other() -> None:
    landmarks = unseen(known(WAVING), 4, 100)
    found = normalise(landmarks)
    rows = found.vector.reshape(1, 553, 3)
    assert torch.equal(rows[..., :2], found.points) and torch.equal(rows[..., 2] > 0, landmarks.seen)
    assert set(rows[..., 2].unique().tolist()) == {0.0, 1.0}
    assert not rows[0, [4, 100]].any() and rows[0, 33].all()


def test_without_shoulders_the_face_says_where_they_would_be() -> None:
    landmarks = unseen(known(WAVING), LEFT)
    found, pixels = normalise(landmarks), landmarks.pixels[0, :, :2]
    cheeks = pixels[[234, 454]]
    width = (cheeks[0] - cheeks[1]).norm()
    expected = (pixels[1] - cheeks.mean(0) - torch.tensor([0.0, DOWN]) * width) / (BROAD * width)
    assert found.joint == ("face",)
    alike(found.points[0, 1], expected)


def test_a_clip_without_shoulders_for_a_while_does_not_jump() -> None:
    seen = known(WAVING, WAVING)
    visibility = seen.visibility.clone()
    visibility[1, LEFT] = 0.0
    found = normalise(replace(seen, visibility=visibility))
    assert found.joint == ("shoulders", "face")
    there = found.seen[1]
    alike(found.points[1, there], found.points[0, there])


def test_shoulders_behind_each_other_are_those_of_a_profile() -> None:
    landmarks = known(WAVING)
    points = landmarks.points.clone()
    points[:, LEFT] = points[:, RIGHT] + 0.01
    found = normalise(replace(landmarks, points=points))
    assert found.joint == ("face",) and float(found.points.abs().max()) < 10


def test_nobody_is_all_zero() -> None:
    hand = HolisticSet.nothing(2, (10, 10))
    visibility = hand.visibility.clone()
    visibility[1, 511:532] = 1.0
    found = normalise(replace(hand, visibility=visibility))
    assert found.joint == ("nothing", "nothing") and not found.vector.any()
    with pytest.raises(ValueError, match="no torso joint “neck”; there are shoulders, hips"):
        normalise(hand, "neck")
