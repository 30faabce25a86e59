"""The α axis below a row of pictures: a line that takes on colour from neutral to target, a tick under each picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont

from .lettering import font, line_height, wrap

SMOOTH = 4  # drawn four times larger, then reduced, because PIL's shapes have hard edges


@dataclass(frozen=True)
class Axis:
    alphas: Sequence[float]  # strictly rising or falling, one per picture
    centres: Sequence[int]  # of the pictures, in pixels
    left: int
    right: int
    target: str  # what α = 1 is called


def axis_height(size: int) -> int:
    """Pixels that an axis with text of `size` pixels takes."""
    return round(size * 1.5) + 2 * line_height(font(size))


def sweeps(alphas: Sequence[float]) -> bool:
    """Whether they rise or fall all the way, so that they can stand along an axis."""
    steps = np.diff(np.asarray(alphas, dtype=float))
    return len(steps) > 0 and bool((steps > 0).all() or (steps < 0).all())


def draw_axis(
    sheet: Image.Image, axis: Axis, top: int, size: int, colours: tuple[str, str, str], text: str, muted: str
) -> None:
    """Draw `axis` into `sheet` from `top` on. colours: of the line at α ≤ 0, at 1 and at 2 or more."""
    background = sheet.getpixel((0, 0))
    label, strong = font(size), font(size, strong=True)
    name_width = round(strong.getlength("α")) + size // 2
    rising = axis.alphas[-1] > axis.alphas[0]
    start, end = (axis.left, axis.right - name_width) if rising else (axis.left + name_width, axis.right)
    middle, thick, head = round(size * 0.7), max(2, round(size / 6)), round(size * 0.55)

    width, height = axis.right - axis.left, round(size * 1.4)
    band = Image.new("RGB", (width * SMOOTH, height * SMOOTH), background)
    draw = ImageDraw.Draw(band)
    columns = np.arange((start - axis.left) * SMOOTH, (end - axis.left) * SMOOTH)
    line = _colours(_alpha_at(columns / SMOOTH + axis.left, axis), colours)
    y = middle * SMOOTH
    for x, colour in zip(columns.tolist(), line, strict=True):
        tip = columns[-1] - x if rising else x - columns[0]
        half = tip / 2 if tip < head * SMOOTH else thick * SMOOTH / 2
        draw.line([(x, y - half), (x, y + half)], fill=colour)
    names = {alpha: x for alpha in (0.0, 1.0) if (x := _place(alpha, axis)) is not None}
    dots = [(alpha, x, 0.16) for alpha, x in names.items() if alpha not in axis.alphas]
    dots += [(alpha, centre, 0.26) for alpha, centre in zip(axis.alphas, axis.centres, strict=True)]
    for alpha, centre, radius in dots:
        x, r = (centre - axis.left) * SMOOTH, round(size * radius) * SMOOTH
        edge = max(2, thick) * SMOOTH
        draw.ellipse([x - r - edge, y - r - edge, x + r + edge, y + r + edge], fill=background)
        draw.ellipse([x - r, y - r, x + r, y + r], fill=_colours(np.array([alpha]), colours)[0])
    sheet.paste(band.resize((width, height), Image.Resampling.BOX), (axis.left, top))

    draw = ImageDraw.Draw(sheet)
    place = (axis.right if rising else axis.left, top + middle + size * 0.27)  # the middle of a small letter
    draw.text(place, "α", text, strong, anchor="rs" if rising else "ls")
    numbers = top + round(size * 1.5)
    for alpha, centre in zip(axis.alphas, axis.centres, strict=True):
        draw.text((centre, numbers), f"{round(alpha, 3) + 0.0:g}".replace("-", "−"), text, label, anchor="ma")
    _name_ends(draw, axis, names, numbers + line_height(label), strong, {0.0: muted, 1.0: colours[1]})


def _name_ends(
    draw: ImageDraw.ImageDraw,
    axis: Axis,
    places: dict[float, float],
    top: int,
    face: FreeTypeFont,
    colours: dict[float, str],
) -> None:
    """Write what α = 1 and α = 0 are called, inside of the axis; the latter only where there is room for both."""
    taken: list[tuple[float, float]] = []
    for alpha, name in ((1.0, axis.target), (0.0, "neutral")):
        if alpha not in places or not name:
            continue
        [line] = wrap(name, face, axis.right - axis.left, most=1)
        half = face.getlength(line) / 2
        x = min(max(places[alpha], axis.left + half), axis.right - half)
        if all(x + half + face.size / 2 < start or x - half - face.size / 2 > end for start, end in taken):
            draw.text((x, top), line, colours[alpha], face, anchor="ma")
            taken.append((x - half, x + half))


def _place(alpha: float, axis: Axis) -> float | None:
    """Where α stands on the axis, in pixels; None outside of it."""
    if not min(axis.alphas) <= alpha <= max(axis.alphas):
        return None
    order = 1 if axis.alphas[-1] > axis.alphas[0] else -1
    return float(np.interp(alpha, axis.alphas[::order], axis.centres[::order]))


def _alpha_at(x: np.ndarray, axis: Axis) -> np.ndarray:
    """α at pixel x: linear between two pictures, and on beyond the outermost in their slope."""
    centres, alphas = np.asarray(axis.centres, dtype=float), np.asarray(axis.alphas, dtype=float)
    inside = np.interp(x, centres, alphas)
    before = (alphas[1] - alphas[0]) / (centres[1] - centres[0]) * np.minimum(x - centres[0], 0)
    after = (alphas[-1] - alphas[-2]) / (centres[-1] - centres[-2]) * np.maximum(x - centres[-1], 0)
    return inside + before + after


def _colours(alphas: np.ndarray, colours: tuple[str, str, str]) -> list[tuple[int, int, int]]:
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours], dtype=float)
    mixed = np.stack([np.interp(alphas, [0, 1, 2], stops[:, channel]) for channel in range(3)], axis=-1)
    return [(int(r), int(g), int(b)) for r, g, b in mixed.round()]
