"""Cut a face out, and put an edited one back so that nothing else in the picture moves.

The crop is a square of whole pixels, scaled to the size that the model wants. What goes back is the edit where it
changed something, faded out towards the square's border: where nothing was edited the picture stays bit for bit as it
was, whatever scaling loses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .fitting import Box

LITTLE, MUCH = 0.01, 0.05
"""Mean change of a place, in 0…1, up to which it stays as it was, and from which on it is the edit's."""
AROUND = 24  # a place is this part of the crop's side

CHOICES = ("largest", "index", "person")


@dataclass(frozen=True)
class Placement:
    """Where a crop came from. left, top, side: its square in pixels of the picture; it may reach over the border.

    size: pixels of the crop's side after scaling. picture: (height, width) of the whole.
    """

    left: int
    top: int
    side: int
    size: int
    picture: tuple[int, int]


def choose_face(
    faces: Sequence[Box], choice: str = "largest", index: int = 0, likeness: Callable[[Box], float] | None = None
) -> int:
    """Which of a picture's faces is meant.

    largest: by area. index: the index-th from left to right. person: the highest `likeness` to a wanted person. Raises
    ValueError where there is no face, no such face, or no such choice.
    """
    if not faces:
        raise ValueError("There is no face in the picture. Use one with a visible face, or crop by hand.")
    if choice == "largest":
        return max(range(len(faces)), key=lambda i: (faces[i][2] - faces[i][0]) * (faces[i][3] - faces[i][1]))
    if choice == "index":
        if not -len(faces) <= index < len(faces):
            raise ValueError(
                f"The picture has {len(faces)} face(s), so face {index} is not there; the first is 0, from the left."
            )
        return sorted(range(len(faces)), key=lambda i: faces[i][0] + faces[i][2])[index]
    if choice == "person" and likeness is not None:
        return max(range(len(faces)), key=lambda i: likeness(faces[i]))
    raise ValueError(f"There is no choice “{choice}”; there are {', '.join(CHOICES)}.")


def place(box: Box, picture: tuple[int, int], size: int, margin: float = 0.6) -> Placement:
    """The square around a face's box, its side 1 + margin times the box's longer one, within the picture if it fits.

    picture: (height, width). Raises ValueError for an empty box.
    """
    left, top, right, bottom = box
    if right - left < 1 or bottom - top < 1:
        raise ValueError(f"The face's box {box} is smaller than a pixel.")
    height, width = picture
    side = max(1, round(max(right - left, bottom - top) * (1 + margin)))
    x, y = round((left + right) / 2 - side / 2), round((top + bottom) / 2 - side / 2)
    if side <= width:
        x = min(max(x, 0), width - side)
    if side <= height:
        y = min(max(y, 0), height - side)
    return Placement(x, y, side, size, picture)


def crop(picture: Tensor, where: Placement) -> Tensor:
    """Pictures [B,H,W,C] in 0…1 → [B,size,size,C]; beyond the border the nearest pixels go on."""
    _check(picture, where)
    rows = torch.arange(where.top, where.top + where.side).clamp(0, where.picture[0] - 1)
    columns = torch.arange(where.left, where.left + where.side).clamp(0, where.picture[1] - 1)
    return _scaled(picture[:, rows][:, :, columns], where.size).clamp(0, 1)  # bicubic overshoots


def composite(picture: Tensor, edited: Tensor, where: Placement, fade: float = 0.12) -> Tensor:
    """Pictures [B,H,W,C] with edited crops [B,h,w,C] put back.

    fade: share of the square's side over which an edit fades out at its border. Where `edited` is what `crop` gave, and
    everywhere outside of the square, the result is `picture` bit for bit. Raises ValueError for another picture's crop.
    """
    _check(picture, where)
    if len(edited) != len(picture) and 1 not in (len(edited), len(picture)):
        raise ValueError(f"There are {len(picture)} pictures and {len(edited)} edited crops; give one, or as many.")
    picture = picture.expand(max(len(picture), len(edited)), -1, -1, -1)
    if edited.shape[1] != edited.shape[2]:
        raise ValueError(
            f"The edited crop has {edited.shape[2]} × {edited.shape[1]} pixels, but a crop is square. Edit it without "
            "changing its shape."
        )
    change = edited - crop(picture, replace(where, size=edited.shape[1]))  # at the edit's own size: nothing is lost
    share = _scaled(changed(change)[..., None], where.side).clamp(0, 1)
    share = share * border_mask(where.side, fade).to(change)[None, :, :, None]
    top, left = max(0, where.top), max(0, where.left)
    bottom, right = min(where.picture[0], where.top + where.side), min(where.picture[1], where.left + where.side)
    rows, columns = slice(top - where.top, bottom - where.top), slice(left - where.left, right - where.left)
    new = _scaled(edited, where.side)[:, rows, columns].clamp(0, 1)
    result = picture.clone()
    old = result[:, top:bottom, left:right]
    result[:, top:bottom, left:right] = old + share[:, rows, columns] * (new - old)
    return result


def changed(change: Tensor) -> Tensor:
    """How much of an edit replaces the picture, from the difference [B,h,w,C] that it makes: [B,h,w] in 0…1.

    0 where nothing changed, 1 where and around where much did. Adding the difference instead would leave the picture's
    own lines beside those that a model has drawn a little softer or elsewhere.
    """
    width = max(3, change.shape[1] // AROUND) | 1
    amount = change.abs().amax(-1)[:, None]  # b h w c → b 1 h w
    for _ in range(2):
        amount = F.avg_pool2d(F.pad(amount, [width // 2] * 4, mode="replicate"), width, stride=1)
    share = ((amount[:, 0] - LITTLE) / (MUCH - LITTLE)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def border_mask(side: int, fade: float) -> Tensor:
    """[side,side]: 1 in the middle, falling to 0 at the border along a cosine over `fade` × side pixels."""
    distance = torch.minimum(torch.arange(side) + 0.5, side - torch.arange(side) - 0.5)
    width = max(fade * side, 1e-6)
    ramp = 0.5 - 0.5 * torch.cos(torch.pi * (distance / width).clamp(0, 1))
    return ramp[:, None] * ramp[None, :]


def _scaled(picture: Tensor, side: int) -> Tensor:
    """[B,H,W,C] → [B,side,side,C], smoothed where it becomes smaller."""
    if tuple(picture.shape[1:3]) == (side, side):
        return picture
    moved = picture.movedim(-1, 1)  # b h w c → b c h w
    return F.interpolate(moved, (side, side), mode="bicubic", antialias=True).movedim(1, -1)


def _check(picture: Tensor, where: Placement) -> None:
    if tuple(picture.shape[1:3]) != where.picture:
        raise ValueError(
            f"This place is in a picture of {where.picture[1]} × {where.picture[0]} pixels, but the picture has "
            f"{picture.shape[2]} × {picture.shape[1]}. Connect the one that was cropped."
        )
