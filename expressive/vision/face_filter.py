"""Which pictures show one whole, large face, as GenEAva filters Emo135 and its own avatars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .fitting import Box, Size

if TYPE_CHECKING:
    from ..encoders import FacePoints


def boxes_of(faces: FacePoints) -> list[list[Box]]:
    """The faces of each picture, for `unfit`; of several, the finder tells the place of the largest alone."""
    rows = zip(faces.boxes.tolist(), faces.faces.tolist(), faces.found.tolist(), strict=True)
    return [[(left, top, right, bottom)] * many if found else [] for (left, top, right, bottom), many, found in rows]


def unfit(boxes: Sequence[Box], size: Size, smallest: float, border: float) -> str:
    """Why a picture of (width, height) with these faces does not show one whole, large face; empty where it does.

    smallest: of a face's longer side, as a share of the picture's shorter one. border: share of the picture that has
    to be free on every side.
    """
    if not boxes:
        return "no face"
    if len(boxes) > 1:
        return "several faces"
    width, height = size
    left, top, right, bottom = boxes[0]
    if max(right - left, bottom - top) < smallest * min(width, height):
        return "a face too small"
    free = min(left / width, top / height, 1 - right / width, 1 - bottom / height)
    return "a face at the border" if free < border else ""
