"""What is true of a picture: known from how it was drawn, never estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...emotion import Emotion, vocabulary
from ..body import joints
from ..faces.brush import Brush
from ..faces.shapes import head_outline
from .depth import depth_and_mask
from .drawing import brush_of, view_box
from .landmarks import FACE, HAND, LANDMARKS, LEFT_HAND_PART, POSE, RIGHT_HAND_PART, ear_point, place
from .landmarks_covered import covered
from .mesh_surface import stand, turned
from .scene import Scene

__all__ = ["FACE", "HAND", "LANDMARKS", "POSE", "Truth", "truth"]


@dataclass(frozen=True)
class Truth:
    """The truth about a picture of H × W pixels.

    action_units: FACS code → intensity. intensities: float32 [12] in PixelSmile's order. label: index into the 135
    words, −1 where the emotion is not one of them. landmarks: float32 [553, 3], x and y as shares of the picture's
    width and height (beyond 0..1 outside of the picture), visibility 0 or 1; a hand that is not there is all zero.
    depth: float32 [H, W], 0 nearest … 1 farthest (background). mask: bool [H, W], the person. face_box: left, top,
    right, bottom as shares, of the head without long hair.
    """

    action_units: dict[str, float]
    intensities: np.ndarray
    label: int
    landmarks: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    face_box: tuple[float, float, float, float]


def truth(scene: Scene, size: int = 128, *, maps: bool = True) -> Truth:
    """What is true of `picture(scene, size)`.

    maps: False leaves out depth and mask (arrays of no elements), which take most of the time.
    """
    brush = brush_of(scene)
    skeleton = joints(brush, scene.body)
    view = view_box(scene)
    left, top, side = view
    placed = place(brush, skeleton)
    shares = (placed.points[:, :2] - (left, top)) / side
    inside = np.all((shares >= 0) & (shares <= 1), axis=1)
    seen = inside & placed.there
    below = np.r_[: FACE + 11]  # face, and the pose's points of the head: what a hand may hide
    seen[below] &= ~covered(placed.points[below, :2], skeleton)
    landmarks = np.concatenate([shares, seen[:, None]], axis=1).astype(np.float32)
    for hand in (LEFT_HAND_PART, RIGHT_HAND_PART):
        if not seen[hand].any():
            landmarks[hand] = 0.0
    if maps:
        depth, mask = depth_and_mask(brush, scene.body, skeleton, view, size)
    else:
        depth, mask = np.zeros((0, 0), np.float32), np.zeros((0, 0), bool)
    return Truth(
        action_units=scene.action_units,
        intensities=np.array(list(scene.emotion.pixelsmile().values()), np.float32),
        label=_label(scene.emotion),
        landmarks=landmarks,
        depth=depth,
        mask=mask,
        face_box=_face_box(brush, view),
    )


def _label(emotion: Emotion) -> int:
    """Index 0 … 134 of the only word, where it is one of the 135; else −1."""
    if len(emotion.weights) != 1:
        return -1
    word = vocabulary.entry(emotion.weights[0][0])
    return word.index - 1 if word.vocabulary == "emo135" else -1


def _face_box(brush: Brush, view: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the head with its ears, without hair."""
    surface = brush.surface
    frontal = np.pad(np.array(head_outline(brush)), ((0, 0), (0, 1)))
    ears = np.array([ear_point(brush, side, 1.0) for side in (-1, 1)])
    points = np.concatenate([turned(surface, stand(surface, frontal)), turned(surface, ears)])[:, :2]
    left, top = ((points.min(axis=0) - view[:2]) / view[2]).tolist()
    right, bottom = ((points.max(axis=0) - view[:2]) / view[2]).tolist()
    return (left, top, right, bottom)
