"""Aspect buckets: pictures of like shape are cropped to one size, so that they can be batched without distortion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from ..vision.fitting import Size


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


def counted(sizes: Sequence[Size]) -> str:
    """How many pictures each bucket has, for people: "512×512: 40, 448×576: 12"."""
    return ", ".join(f"{w}×{h}: {count}" for (w, h), count in Counter(sizes).most_common())
