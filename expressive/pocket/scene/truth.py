"""What is true of a picture: known from how it was drawn, never estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FACE, POSE, HAND = 478, 33, 21
LANDMARKS = FACE + POSE + 2 * HAND
"""MediaPipe Holistic order: 478 of the face (468 mesh, 10 iris), 33 of the pose, 21 of the left and 21 of the right
hand."""


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
