"""The torso and what it wears."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..faces.brush import Brush
from ..faces.identity import Colour, Identity, blend
from ..faces.svg import Point, trace
from .body import Body
from .skeleton import MIDDLE, build, leaning

LOW = 330.0  # y where the drawing of the body ends, below every frame
CUTS = ("plain", "striped", "pocket", "hoodie", "zip", "cardigan")
LONG = ("hoodie", "zip", "cardigan")  # cuts that have long sleeves
HEMS = {"long": 1.86, "short": 0.56}
"""Where sleeves end: 1 at the elbow, 2 at the wrist."""

SLEEVE = 1.8  # how far cloth stands off the arm
SEAM = 122.0  # nothing that a portrait's frame shows, down to here, depends on cut or sleeves


@dataclass(frozen=True)
class Clothes:
    """What a person wears below the neckline."""

    cut: str  # one of CUTS
    sleeves: str  # 'long', 'short'
    second: Colour  # of stripes, pockets, what is under an open cardigan
    trousers: Colour


def clothes(who: Identity) -> Clothes:
    """The clothes of this person: the same on every machine."""
    rng = random.Random(f"clothes-{who.seed}-{who.gender}")
    cut = rng.choice(("plain", "striped", "pocket") if who.neckline == "collar" else CUTS)
    long = cut in LONG or rng.random() < 0.45
    bright = sum(who.clothes) > 480
    second = blend(who.clothes, (36, 40, 58) if bright else (250, 246, 238), rng.choice((0.55, 0.75)))
    trousers = rng.choice(((52, 60, 82), (58, 52, 50), (40, 42, 48), (112, 100, 84)))
    return Clothes(cut, "long" if long else "short", second, trousers)


def trunk(who: Identity) -> tuple[float, float, float]:
    """Half widths of chest, waist and hips."""
    return (52.0, 46.0, 47.0) if who.gender == "man" else (43.0, 35.0, 43.0)


def half_widths(who: Identity) -> tuple[float, float]:
    """Half of the shoulders' drawn width in a portrait, and of the neck's."""
    return (46.0, 12.5) if who.gender == "man" else (40.0, 10.0)


def neck_outline(brush: Brush) -> str:
    """The neck, down to below the collar."""
    x, neck = MIDDLE, half_widths(brush.who)[1]
    return trace("M", (x - neck, 90), "L", (x - neck - 3, 130), (x + neck + 3, 130), (x + neck, 90), "Z")


Segment = tuple[Point, Point, Point]
"""A cubic Bézier from where the last one ended: two control points and the end."""


def torso_outline(brush: Brush, body: Body) -> str:
    """Shoulders and trunk, from the neckline to below the frame; a portrait shows only the curves beside the neck."""
    dip = {"round": 120.0, "v": 127.0, "collar": 117.0}[brush.who.neckline]
    start, segments = _half(brush.who)

    def at(side: int, point: Point) -> Point:
        return leaning((MIDDLE + side * point[0], point[1]), body)

    parts: list[str | Point] = ["M", at(-1, segments[-1][2])]
    ends = [start, *(segment[2] for segment in segments)]
    for i in range(len(segments) - 1, -1, -1):
        parts += ["C", at(-1, segments[i][1]), at(-1, segments[i][0]), at(-1, ends[i])]
    parts += ["Q", leaning((MIDDLE, 2 * dip - start[1]), body), at(1, start)]
    for segment in segments:
        parts += ["C", *(at(1, point) for point in segment)]
    return trace(*parts, "Z")


def _half(who: Identity) -> tuple[Point, list[Segment]]:
    """The outline from the neck over the shoulder and down the side, as offsets from the axis."""
    broad, neck = half_widths(who)
    measures = build(who)
    s, y, _ = measures.shoulder
    r = measures.thick[0] + SLEEVE
    chest, waist, hip = trunk(who)
    start = (neck + 3, 111.0)
    bust = _begun((start, (neck + 12, 115.0), (broad, 116.0), (broad + 6, 132.0)), 0.7)
    (x0, y0), (x1, y1) = bust[1], bust[2]
    slope = (y1 - y0) / (x1 - x0)
    top = (s + r * 0.5, y - r * 0.866)
    return start, [
        bust,
        ((x1 + 7, y1 + 7 * slope), (top[0] - 8, top[1] - 4.6), top),
        ((top[0] + r * 0.309, top[1] + r * 0.178), (s + r, y - r * 0.357), (s + r, y)),
        ((s + r, y + 14), (chest + 3, y + 12), (chest, y + 34)),
        ((chest - 2, y + 56), (waist, 212), (waist, 234)),
        ((waist, 252), (hip, 262), (hip + 2, LOW)),
    ]


def _begun(curve: tuple[Point, Point, Point, Point], share: float) -> Segment:
    """The first part of a cubic Bézier (de Casteljau)."""
    a, b, c, d = curve

    def mix(p: Point, q: Point) -> Point:
        return (p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share)

    ab, bc, cd = mix(a, b), mix(b, c), mix(c, d)
    abc, bcd = mix(ab, bc), mix(bc, cd)
    return (ab, abc, mix(abc, bcd))
