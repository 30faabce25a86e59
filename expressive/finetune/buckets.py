"""Aspect buckets: pictures of like shape are cropped to one size, so that they can be batched without distortion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..datasets.ffe import Box

Size = tuple[int, int]
"""Width and height in pixels."""


def bucket_sizes(side: int, step: int = 64, longest: float = 2.0) -> list[Size]:
    """All sizes of about side² pixels whose sides are multiples of `step`, from 1 : longest to longest : 1."""
    found = {(side // step * step, side // step * step)} if side >= step else set()
    width = step
    while width <= side * math.sqrt(longest) + step:
        height = round(side * side / width / step) * step
        if height and max(width / height, height / width) <= longest:
            found |= {(width, height), (height, width)}
        width += step
    if not found:
        raise ValueError(f"Pictures of {side} pixels are too small for sizes in steps of {step}.")
    return sorted(found)


def nearest_bucket(size: Size, buckets: Sequence[Size]) -> Size:
    """The bucket whose shape is nearest to a picture's, by the ratio of the ratios."""
    return min(buckets, key=lambda bucket: abs(math.log(size[0] * bucket[1] / (size[1] * bucket[0]))))


def fit(picture: Image, size: Size, box: Box | None = None) -> Image:
    """Scaled (Lanczos) so that it covers the size, then cropped: around the middle of `box`, else of the picture.

    box: left, top, right, bottom in pixels, of a face.
    """
    from PIL import Image, ImageOps

    middle = (0.5, 0.5)
    if box is not None:
        share = min(picture.width / size[0], picture.height / size[1])
        middle = (
            _place((box[0] + box[2]) / 2, share * size[0], picture.width),
            _place((box[1] + box[3]) / 2, share * size[1], picture.height),
        )
    return ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS, centering=middle)


def _place(middle: float, window: float, whole: float) -> float:
    """Where a window around `middle` lies within `whole`: 0 at its start … 1 at its end, 0.5 where it fills it."""
    room = whole - window
    return min(1.0, max(0.0, (middle - window / 2) / room)) if room > 0.5 else 0.5


def counted(sizes: Sequence[Size]) -> str:
    """How many pictures each bucket has, for people: "512×512: 40, 448×576: 12"."""
    return ", ".join(f"{w}×{h}: {count}" for (w, h), count in Counter(sizes).most_common())
