"""Landmarks drawn: the skeleton, the hands, and the contours of the face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...pocket.scene.mesh import IRISES, MESH, mesh
from .connections import HAND_LINES, POSE_LINES
from .holistic_set import PARTS, SEEN, HolisticSet

Colour = tuple[int, int, int]

_CONTOURS: dict[str, Colour] = {  # by the beginning of their names
    "oval": (255, 255, 255),
    "lips": (255, 70, 110),
    "eye": (80, 220, 255),
    "brow": (255, 160, 40),
    "nose": (130, 255, 130),
}
_IRIS: Colour = (255, 235, 60)
_MESH, _BODY, _LEFT, _RIGHT = (190, 190, 200), (210, 130, 255), (255, 120, 60), (90, 160, 255)
_HIDDEN = (110, 110, 110)
_PLAIN = 384  # pixels of the shorter side up to which lines are as thin as they get


def draw_landmarks(
    picture: np.ndarray, landmarks: np.ndarray, *, hidden: bool = False, vertices: bool = False, wires: bool = False
) -> np.ndarray:
    """A picture uint8 [H, W, 3] with the landmarks [553, 3] of one person: x and y as shares, and visibility.

    Contours, irises, pose and hands each have a colour; lines are thicker in large pictures. hidden: what is not seen
    is drawn too, in grey. vertices: the face mesh's 468 points. wires: its edges. Returns uint8 [H, W, 3].
    """
    image = Image.fromarray(picture)
    pen = _Pen(ImageDraw.Draw(image), image.size, max(1.0, min(image.size) / _PLAIN), hidden)
    face, pose = landmarks[PARTS["face"]], landmarks[PARTS["pose"]]
    if face.any():
        _face(pen, face, vertices, wires)
    if pose.any():
        pen.lines(pose, POSE_LINES, _BODY, 2)
        pen.dots(pose, _BODY, 2.6)
    for name, colour in (("left_hand", _LEFT), ("right_hand", _RIGHT)):
        hand = landmarks[PARTS[name]]
        if hand.any():
            pen.lines(hand, HAND_LINES, colour, 1)
            pen.dots(hand, colour, 1.8)
    return np.array(image)


def draw_set(
    landmarks: HolisticSet, pictures: Tensor | None = None, progress: Callable[[int], None] | None = None
) -> Tensor:
    """Every frame of a set: float32 [F, H, W, 3], 0..1, on the CPU.

    pictures: float [F, H, W, ≥ 3], 0..1, what is drawn over; None: black. progress: told how many frames are done,
    after each; what it raises ends the drawing. Raises ValueError for pictures of another number or size.
    """
    height, width = landmarks.image_size
    if pictures is not None and tuple(pictures.shape[:3]) != (len(landmarks), height, width):
        raise ValueError(
            f"The landmarks are of {len(landmarks)} pictures of {width} × {height} pixels, but there are "
            f"{len(pictures)} of {pictures.shape[2]} × {pictures.shape[1]}. Give the pictures that they were found in."
        )
    drawn = torch.empty(len(landmarks), height, width, 3)
    for index, rows in enumerate(landmarks.landmarks.points.cpu().numpy()):  # [553, 3] each
        picture = np.zeros((height, width, 3), np.uint8)
        if pictures is not None:
            picture = (pictures[index, ..., :3].float() * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        drawn[index] = torch.from_numpy(draw_landmarks(picture, rows)).float() / 255
        if progress is not None:
            progress(index + 1)
    return drawn


@dataclass(frozen=True)
class _Pen:
    """size: width and height in pixels. unit: pixels of the thinnest line. hidden: draw in grey what is not seen."""

    canvas: ImageDraw.ImageDraw
    size: tuple[int, int]
    unit: float
    hidden: bool

    def lines(self, points: np.ndarray, pairs: Iterable[tuple[int, int]], colour: Colour, width: float) -> None:
        """Between pairs of points [N, 3]: x, y, visibility."""
        for a, b in pairs:
            seen = bool(points[a, 2] >= SEEN and points[b, 2] >= SEEN)
            if seen or self.hidden:
                (x0, y0), (x1, y1) = (points[[a, b], :2] * self.size).tolist()
                self.canvas.line((x0, y0, x1, y1), fill=colour if seen else _HIDDEN, width=round(width * self.unit))

    def dots(self, points: np.ndarray, colour: Colour, radius: float) -> None:
        """At points [N, 3]: x, y, visibility."""
        radius = radius * self.unit
        for x, y, visibility in points.tolist():
            seen = visibility >= SEEN
            if seen or self.hidden:
                x, y = x * self.size[0], y * self.size[1]
                box = (x - radius, y - radius, x + radius, y + radius)
                self.canvas.ellipse(box, fill=colour if seen else _HIDDEN)


def _face(pen: _Pen, face: np.ndarray, vertices: bool, wires: bool) -> None:
    if wires:
        pen.lines(face, mesh().edges.tolist(), _MESH, 1)
    if vertices:
        pen.dots(face[:MESH], _MESH, 0.8)
    for name, indices in mesh().contours.items():
        colour = next(value for key, value in _CONTOURS.items() if name.startswith(key))
        pairs = list(zip(indices, indices[1:], strict=False))
        pen.lines(face, [*pairs, (indices[-1], indices[0])] if name == "oval" else pairs, colour, 1)
        if vertices:
            pen.dots(face[list(indices)], colour, 1.4)
    for first in IRISES.values():
        pen.dots(face[first : first + 5], _IRIS, 1.4)
