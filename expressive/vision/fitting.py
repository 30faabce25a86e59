"""Pictures cut and scaled to what a model wants: one way for training and for the canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]
"""Width and height in pixels."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

PREPARATIONS = ("author", "host")
CROP = 512  # side of the square that PixelSmile was trained on
SEEN = 384  # side of the square with as many pixels as the host shows the text encoder
PATCH = 16  # pixels of a transformer's token: 8 of a latent pixel, times 2


def fit(picture: Image, size: Size, box: Box | None = None) -> Image:
    """Scaled (Lanczos) so that it covers the size, then cropped: around the middle of `box`, else of the picture.

    box: of a face.
    """
    from PIL import Image, ImageOps

    middle = _middle(picture.size, size, box)
    return ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS, centering=middle)


def fitted_corner(whole: Size, size: Size, box: Box | None = None) -> tuple[int, int]:
    """Left and top of the crop that `fit` takes, in pixels of the crop's own scale: SDXL's crop conditioning."""
    share = min(whole[0] / size[0], whole[1] / size[1])
    middle = _middle(whole, size, box)
    left, top = (place * (long / share - short) for place, long, short in zip(middle, whole, size, strict=True))
    return round(left), round(top)


def _middle(whole: Size, size: Size, box: Box | None) -> tuple[float, float]:
    """Where the crop lies in the picture, across and down: 0 at its start … 1 at its end."""
    if box is None:
        return 0.5, 0.5
    share = min(whole[0] / size[0], whole[1] / size[1])
    return (
        _place((box[0] + box[2]) / 2, share * size[0], whole[0]),
        _place((box[1] + box[3]) / 2, share * size[1], whole[1]),
    )


def to_tensor(picture: Image) -> Tensor:
    """RGB picture → float [1,3,H,W] in 0…1."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    return pixels.permute(2, 0, 1)[None].float() / 255  # h w c → 1 c h w


def _place(middle: float, window: float, whole: float) -> float:
    """Where a window around `middle` lies within `whole`: 0 at its start … 1 at its end, 0.5 where it fills it."""
    room = whole - window
    return min(1.0, max(0.0, (middle - window / 2) / room)) if room > 0.5 else 0.5


def prepare_edit(image: Tensor, preparation: str, side: int) -> tuple[Tensor, Tensor]:
    """Pictures [B,H,W,3] in 0…1 → what the text encoder sees and what the auto-encoder encodes, both [B,h,w,3].

    author: as PixelSmile's own code, the middle square of 512 pixels for both, the second scaled; in 8 bits, as there.
    host: the whole picture for both, the first smaller, as the host's TextEncodeQwenImageEditPlus.
    side: the second has about side² pixels, its sides multiples of 16. Raises ValueError for another preparation.
    """
    if preparation == "author":
        size = _rounded(side, 1.0)
        squares = [fit(picture, (CROP, CROP)) for picture in _pictures(image)]
        return _tensor(squares), _tensor([fit(square, size) for square in squares])
    if preparation == "host":
        shape = image.shape[2] / image.shape[1]
        small = (round(SEEN * math.sqrt(shape)), round(SEEN / math.sqrt(shape)))
        return _averaged(image, small), _averaged(image, _rounded(side, shape))
    raise ValueError(f"There is no preparation “{preparation}”; there are {' and '.join(PREPARATIONS)}.")


def _pictures(image: Tensor) -> list[Image]:
    from PIL import Image

    pixels = (image.clamp(0, 1) * 255).round().byte().cpu().numpy()
    return [Image.fromarray(one) for one in pixels]


def _tensor(pictures: list[Image]) -> Tensor:
    return torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).float() / 255


def _averaged(image: Tensor, size: Size) -> Tensor:
    """[B,H,W,C] → [B,h,w,C], each pixel the mean of those it covers."""
    moved = image.movedim(-1, 1)  # b h w c → b c h w
    return F.interpolate(moved, (size[1], size[0]), mode="area").movedim(1, -1)


def _rounded(side: int, shape: float) -> Size:
    """Width and height of about side² pixels whose ratio is `shape`, in whole patches."""
    return (
        max(1, round(side * math.sqrt(shape) / PATCH)) * PATCH,
        max(1, round(side / math.sqrt(shape) / PATCH)) * PATCH,
    )
