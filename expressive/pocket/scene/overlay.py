"""Pictures of the truth: landmarks over a picture, and its depth in grey."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ...vision.landmarks.drawing import draw_landmarks
from .truth import Truth


def overlay(picture: np.ndarray, landmarks: np.ndarray, *, size: int = 384, wires: bool = False) -> np.ndarray:
    """The picture, enlarged to `size`, with its landmarks.

    picture: uint8 [H, W, 3]. landmarks: [553, 3] as in Truth. wires: draw the face mesh's edges too.
    Contours, irises, pose and hands each have a colour; what is not visible is grey. Returns uint8 [size, size, 3].
    """
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS)
    return draw_landmarks(np.asarray(image), landmarks, hidden=True, vertices=True, wires=wires)


def depth_picture(depth: np.ndarray, size: int = 384) -> np.ndarray:
    """Depth in grey, the nearest white: uint8 [size, size, 3]."""
    grey = Image.fromarray(np.round(255 * (1 - depth)).astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST)
    return np.asarray(grey.convert("RGB"))


def beside(picture: np.ndarray, truth: Truth, *, size: int = 384, wires: bool = False) -> np.ndarray:
    """Picture with landmarks and face box, and its depth, side by side: uint8 [size, 2·size, 3]."""
    image = Image.fromarray(overlay(picture, truth.landmarks, size=size, wires=wires))
    left, top, right, bottom = (size * share for share in truth.face_box)
    ImageDraw.Draw(image).rectangle((left, top, right, bottom), outline=(60, 200, 90))
    return np.concatenate([np.asarray(image), depth_picture(truth.depth, size)], axis=1)
