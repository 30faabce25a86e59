"""Pictures of the truth: landmarks over a picture, and its depth in grey."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .landmarks import FACE_PART, LEFT_HAND_PART, POSE_PART, RIGHT_HAND_PART
from .mesh import IRISES, MESH, mesh
from .truth import Truth

Colour = tuple[int, int, int]

POSE_LINES: tuple[tuple[int, int], ...] = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24), (23, 25), (25, 27), (24, 26),
    (26, 28), (15, 17), (15, 19), (15, 21), (16, 18), (16, 20), (16, 22), (0, 2), (2, 7), (0, 5), (5, 8), (9, 10),
)  # fmt: skip
"""Which of MediaPipe's 33 pose landmarks are joined by a line."""

HAND_LINES: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12), (9, 13),
    (13, 14), (14, 15), (15, 16), (13, 17), (0, 17), (17, 18), (18, 19), (19, 20),
)  # fmt: skip
"""Which of MediaPipe's 21 hand landmarks are joined by a line."""

_COLOURS: dict[str, Colour] = {  # of contours by the beginning of their names
    "oval": (255, 255, 255),
    "lips": (255, 70, 110),
    "eye": (80, 220, 255),
    "iris": (255, 235, 60),
    "brow": (255, 160, 40),
    "nose": (130, 255, 130),
}
_MESH, _BODY, _LEFT, _RIGHT = (190, 190, 200), (210, 130, 255), (255, 120, 60), (90, 160, 255)
_HIDDEN = (110, 110, 110)


def overlay(picture: np.ndarray, landmarks: np.ndarray, *, size: int = 384, wires: bool = False) -> np.ndarray:
    """The picture, enlarged to `size`, with its landmarks.

    picture: uint8 [H, W, 3]. landmarks: [553, 3] as in Truth. wires: draw the face mesh's edges too.
    Contours, irises, pose and hands each have a colour; what is not visible is grey. Returns uint8 [size, size, 3].
    """
    image = Image.fromarray(picture).resize((size, size), Image.Resampling.LANCZOS)
    canvas = ImageDraw.Draw(image)
    face = landmarks[FACE_PART]
    if wires:
        _lines(canvas, face, mesh().edges.tolist(), _MESH, 1, size)
    _dots(canvas, face[:MESH], _MESH, 0.8, size)
    for name, indices in mesh().contours.items():
        colour = next(value for key, value in _COLOURS.items() if name.startswith(key))
        pairs = list(zip(indices, indices[1:], strict=False))
        _lines(canvas, face, [*pairs, (indices[-1], indices[0])] if name == "oval" else pairs, colour, 1, size)
        _dots(canvas, face[list(indices)], colour, 1.4, size)
    for first in IRISES.values():
        _dots(canvas, face[first : first + 5], _COLOURS["iris"], 1.4, size)
    _lines(canvas, landmarks[POSE_PART], POSE_LINES, _BODY, 2, size)
    _dots(canvas, landmarks[POSE_PART], _BODY, 2.6, size)
    for part, colour in ((LEFT_HAND_PART, _LEFT), (RIGHT_HAND_PART, _RIGHT)):
        if landmarks[part].any():
            _lines(canvas, landmarks[part], HAND_LINES, colour, 1, size)
            _dots(canvas, landmarks[part], colour, 1.8, size)
    return np.asarray(image)


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


def _lines(
    canvas: ImageDraw.ImageDraw,
    points: np.ndarray,
    pairs: list[tuple[int, int]] | tuple[tuple[int, int], ...],
    colour: Colour,
    width: int,
    size: int,
) -> None:
    for a, b in pairs:
        seen = bool(points[a, 2] and points[b, 2])
        (x0, y0), (x1, y1) = (points[a, :2] * size).tolist(), (points[b, :2] * size).tolist()
        canvas.line((x0, y0, x1, y1), fill=colour if seen else _HIDDEN, width=width)


def _dots(canvas: ImageDraw.ImageDraw, points: np.ndarray, colour: Colour, radius: float, size: int) -> None:
    for x, y, seen in points.tolist():
        x, y = x * size, y * size
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour if seen else _HIDDEN)
