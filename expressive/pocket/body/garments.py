"""What is seen on the clothes below the shoulders: stripes, pockets, cords, zips, and the folds and shade of the cloth.

Nothing of it lies within a portrait's frame (above clothes.SEAM).
"""

from __future__ import annotations

from ..faces.brush import Brush
from ..faces.identity import blend
from ..faces.svg import Point, darker, hexed, lighter, path
from .body import Body
from .clothes import LOW, SEAM, Clothes, clothes, trunk
from .shapes import curve, disc, polygon
from .skeleton import MIDDLE, leaning

HEM = 302.0  # y of the lower edge of shirts and jackets


def draw_garment(brush: Brush, body: Body) -> str:
    """SVG over the torso; to be clipped by its outline."""
    wear = clothes(brush.who)
    return _CUTS[wear.cut](brush, body, wear) + _trousers(brush, body, wear) + _shade(brush, body, trunk(brush.who))


def _at(body: Body, dx: float, y: float) -> Point:
    return leaning((MIDDLE + dx, y), body)


def _trousers(brush: Brush, body: Body, wear: Clothes) -> str:
    waist = curve([_at(body, dx, HEM + bow) for dx, bow in ((-70, -4), (-30, 1), (0, 2), (30, 1), (70, -4))])
    below = [_at(body, dx, LOW + 9) for dx in (70, -70)]
    edge = brush.outline or _line(brush)
    shape = waist + "L" + " ".join(f"{x:.1f},{y:.1f}" for x, y in below) + "Z"
    return path(shape, hexed(wear.trousers)) + path(waist, stroke=edge, width=1.0)


def _line(brush: Brush, share: float = 0.35) -> str:
    return hexed(darker(brush.who.clothes, share))


def _shade(brush: Brush, body: Body, widths: tuple[float, float, float]) -> str:
    """The sides turn away from the light; two folds run from the armpits."""
    chest, waist, hip = widths
    parts: list[str] = []

    def band(side: int, inner: float, tone: str, opacity: float) -> str:
        edge = ((chest + 8, 150.0), (chest + 6, 182.0), (waist + 6, 222.0), (waist + 5, 244.0), (hip + 6, LOW))
        core = ((chest - inner * 0.4, 158.0), (chest - inner, 186.0), (waist - inner, 222.0), (hip - inner * 1.3, LOW))
        points = [_at(body, side * x, y) for x, y in (*edge, *reversed(core))]
        return path(curve((*points, points[0])) + "Z", tone, opacity=opacity)

    if brush.shaded:
        tone = hexed(darker(brush.who.clothes, 0.75))
        parts += [band(1, inner, tone, 0.07) for inner in (24.0, 16.0, 9.0)]
        parts += [band(-1, inner, tone, 0.06) for inner in (10.0, 5.0)]
    elif brush.cel:
        parts.append(band(1, 11.0, hexed(darker(brush.who.clothes, 0.2)), 1.0))
    strength = 0.35 if brush.shaded else 0.5
    for side in (-1, 1):
        fold = curve(
            (
                _at(body, side * (chest - 1), 176),
                _at(body, side * (chest - 11), 187),
                _at(body, side * (chest - 18), 192),
            )
        )
        parts.append(path(fold, stroke=_line(brush, 0.45), width=0.9, opacity=strength))
        dent = curve(
            (
                _at(body, side * (waist + 1), 236),
                _at(body, side * (waist - 9), 239),
                _at(body, side * (waist - 16), 238),
            )
        )
        parts.append(path(dent, stroke=_line(brush, 0.45), width=0.9, opacity=strength))
    return "".join(parts)


def _plain(brush: Brush, body: Body, wear: Clothes) -> str:
    if brush.who.neckline != "collar":
        return ""
    edge = curve((_at(body, 0.4, SEAM), _at(body, 0.4, 138), _at(body, 0.4, 156)))
    parts = [path(edge, stroke=_line(brush), width=0.9)]
    button = hexed(lighter(brush.who.clothes, 0.5))
    for y in (131.0, 145.0):
        x, top = _at(body, 2.8, y)
        parts.append(path(disc((x, top, 1.2)), button, stroke=_line(brush), width=0.4))
    return "".join(parts)


def _striped(brush: Brush, body: Body, wear: Clothes) -> str:
    parts = [_plain(brush, body, wear)]
    for top in (166.0, 186.0, 206.0, 226.0, 246.0, 266.0, 286.0):
        corners = [_at(body, dx, top + bow) for dx, bow in ((-70, -2), (-30, 1), (0, 2), (30, 1), (70, -2))]
        below = [_at(body, dx, top + 9 + bow) for dx, bow in ((70, -2), (30, 1), (0, 2), (-30, 1), (-70, -2))]
        parts.append(path(polygon((*corners, *below)), hexed(wear.second), opacity=0.9 if brush.shaded else 1.0))
    return "".join(parts)


def _pocket(brush: Brush, body: Body, wear: Clothes) -> str:
    shape = [_at(body, dx, y) for dx, y in ((15, 164), (33, 163), (33, 179), (24, 185), (15, 181))]
    hem = curve([_at(body, dx, y) for dx, y in ((15, 168), (24, 167.6), (33, 167))])
    edge = brush.outline or _line(brush)
    return (
        _plain(brush, body, wear)
        + path(polygon(shape), hexed(blend(brush.who.clothes, wear.second, 0.25)), stroke=edge, width=0.9)
        + path(hem, stroke=edge, width=0.7)
    )


def _hoodie(brush: Brush, body: Body, wear: Clothes) -> str:
    edge = brush.outline or _line(brush)
    pouch = [_at(body, dx, y) for dx, y in ((-18, 218), (18, 218), (31, 246), (31, 276), (-31, 276), (-31, 246))]
    parts = [path(polygon(pouch), _line(brush, 0.5), opacity=0.18), path(polygon(pouch), stroke=edge, width=0.9)]
    cord = hexed(lighter(brush.who.clothes, 0.62))
    for side, end in ((-1, 152.0), (1, 147.0)):
        string = curve([_at(body, side * dx, y) for dx, y in ((7.5, SEAM), (8.6, 134), (8.0, end))])
        if brush.outline:
            parts.append(path(string, stroke=brush.outline, width=2.6))
        parts.append(path(string, stroke=cord, width=1.5))
        x, y = _at(body, side * 8.0, end)
        parts.append(
            path(polygon(((x - 1.1, y), (x + 1.1, y), (x + 1.1, y + 4.5), (x - 1.1, y + 4.5))), _line(brush, 0.5))
        )
    return "".join(parts)


def _zip(brush: Brush, body: Body, wear: Clothes) -> str:
    down = curve([_at(body, 0.0, y) for y in (SEAM, 170.0, 220.0, LOW)])
    x, y = _at(body, 0.0, 140.0)
    tag = polygon(((x - 1.6, y), (x + 1.6, y), (x + 1.2, y + 7), (x - 1.2, y + 7)))
    parts = [path(down, stroke=_line(brush, 0.5), width=2.6), path(down, stroke="#c9ccd2", width=1.0)]
    parts.append(path(tag, "#dfe2e6", stroke=_line(brush, 0.6), width=0.6))
    for side in (-1, 1):
        slit = curve([_at(body, side * dx, y) for dx, y in ((30, 226), (25, 240), (22, 254))])
        parts.append(path(slit, stroke=_line(brush, 0.5), width=1.3))
    return "".join(parts)


def _cardigan(brush: Brush, body: Body, wear: Clothes) -> str:
    """Closed at the neckline, open below; a shirt shows."""
    edge = brush.outline or _line(brush)
    top = 124.0 if brush.who.neckline == "round" else 129.0
    left = [_at(body, -dx, y) for dx, y in ((0.0, top), (5.0, 150), (10.5, 200), (14.0, LOW))]
    right = [_at(body, dx, y) for dx, y in ((14.0, LOW), (10.5, 200), (5.0, 150), (0.0, top))]
    parts = [path(curve(left) + "L" + curve(right)[1:] + "Z", hexed(wear.second))]
    parts += [path(curve(side), stroke=edge, width=1.1) for side in (left, right)]
    for side in (-1, 1):
        band = [_at(body, side * (dx + 5.5), y) for dx, y in ((0.0, top + 6), (5.0, 154), (10.5, 202), (14.0, LOW))]
        parts.append(path(curve(band), stroke=_line(brush), width=0.7, opacity=0.8))
    button = hexed(lighter(brush.who.clothes, 0.45))
    for dx, y in ((5.6, 146.0), (9.2, 172.0), (11.9, 198.0), (13.8, 224.0), (15.2, 250.0)):
        x, down = _at(body, dx, y)
        parts.append(path(disc((x, down, 1.3)), button, stroke=_line(brush, 0.5), width=0.4))
    return "".join(parts)


_CUTS = {
    "plain": _plain,
    "striped": _striped,
    "pocket": _pocket,
    "hoodie": _hoodie,
    "zip": _zip,
    "cardigan": _cardigan,
}
