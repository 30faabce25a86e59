"""Landmarks drawn over pictures or on black."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from expressive.pocket.scene import Scene, picture
from expressive.pocket.scene.overlay import overlay
from expressive.vision.landmarks.drawing import draw_landmarks, draw_set
from expressive.vision.landmarks.holistic_set import PARTS, HolisticSet

from .drawn_landmarks import WAVING, known

SIZE = (240, 200)  # height, width


def rows(landmarks: HolisticSet) -> np.ndarray:
    return landmarks.landmarks.points[0].numpy()


def black(*size: int) -> np.ndarray:
    return np.zeros((*size, 3), np.uint8)


def test_every_part_is_drawn_where_it_is() -> None:
    landmarks = known(WAVING, image_size=SIZE)
    for name, part in PARTS.items():
        visibility = torch.zeros_like(landmarks.visibility)
        visibility[:, part] = landmarks.visibility[:, part]
        only = replace(landmarks, visibility=visibility)
        drawn = draw_set(only)[0].amax(-1) > 0  # [H, W]
        assert drawn.shape == SIZE and 40 < int(drawn.sum()) < 12000, name
        y, x = drawn.nonzero().float().T
        seen = landmarks.pixels[0, part][landmarks.seen[0, part]]
        low, high = seen[:, :2].amin(0), seen[:, :2].amax(0)
        assert x.min() >= low[0] - 4 and y.min() >= low[1] - 4 and x.max() <= high[0] + 4 and y.max() <= high[1] + 4


def test_the_parts_have_colours_of_their_own() -> None:
    landmarks = known(WAVING)
    drawn = draw_landmarks(black(512, 512), rows(landmarks))
    colours = {tuple(colour) for colour in drawn.reshape(-1, 3).tolist()}
    assert len(colours) == 10  # black, five of the contours, iris, pose and two hands
    hidden = landmarks.visibility.clone()
    hidden[:, PARTS["left_hand"]] = 0.2
    less = rows(replace(landmarks, visibility=hidden))
    without = draw_landmarks(black(512, 512), less)
    assert len({tuple(colour) for colour in without.reshape(-1, 3).tolist()}) == 9
    grey = draw_landmarks(black(512, 512), less, hidden=True)
    assert (110, 110, 110) in {tuple(colour) for colour in grey.reshape(-1, 3).tolist()}
    assert not draw_landmarks(black(64, 64), np.zeros((553, 3), np.float32), hidden=True).any()


def test_large_pictures_have_thicker_lines() -> None:
    landmarks = rows(known(WAVING))
    small, large = (float((draw_landmarks(black(side, side), landmarks) > 0).any(-1).mean()) for side in (384, 1536))
    assert 0.6 < large / small < 1.4, "the same share of the picture, in spite of four times the pixels"


def test_what_is_drawn_over_stays_elsewhere() -> None:
    pictures = torch.stack([torch.from_numpy(picture(WAVING, 256)).float() / 255] * 2)
    landmarks = known(WAVING, WAVING, image_size=(256, 256))
    done: list[int] = []
    drawn = draw_set(landmarks, torch.cat((pictures, torch.zeros(2, 256, 256, 1)), -1), done.append)
    lines = draw_set(landmarks).amax(-1) > 0
    assert done == [1, 2] and torch.equal(drawn[~lines], pictures[~lines])
    assert torch.equal(drawn[lines], draw_set(landmarks)[lines])
    with pytest.raises(ValueError, match="of 2 pictures of 256 × 256 pixels, but there are 2 of 100 × 90"):
        draw_set(landmarks, torch.zeros(2, 90, 100, 3))


def test_the_drawing_can_be_stopped() -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt(done)

    with pytest.raises(KeyboardInterrupt, match="1"):
        draw_set(known(WAVING, WAVING), None, stop)


def test_the_truth_is_laid_over_pictures_with_all_vertices() -> None:
    scene = Scene(WAVING.identity)
    image, landmarks = picture(scene, 128), rows(known(scene))
    plain, wired = overlay(image, landmarks, size=300), overlay(image, landmarks, size=300, wires=True)
    assert plain.shape == wired.shape == (300, 300, 3)
    changed = (plain != overlay(image, np.zeros_like(landmarks), size=300)).any(-1)
    x, y = (landmarks[[50, 280], :2] * 300).astype(int).T  # cheeks, on no contour
    assert changed[y, x].all() and (plain != wired).any()
