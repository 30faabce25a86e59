"""Hair: a layer behind the head and one before it."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .identity import Colour
from .svg import Point, darker, hexed, lighter, loop, path, trace

_BACK_SHADE = 0.18  # how much darker the layer behind the head is


def _mirror(right: list[Point]) -> list[Point]:
    """A symmetric outline from its right half, given from top to bottom; points on the axis stand once."""
    return [*right, *[(2 * CENTRE_X - x, y) for x, y in reversed(right) if x > CENTRE_X]]


def _over(low: float, peak: float) -> float:
    """The height of both control points for a cubic arch that stands at `low` and rises to `peak`."""
    return (peak - 0.25 * low) / 0.75


def _disc(x: float, y: float, radius: float) -> str:
    k = 0.5523 * radius
    return trace(
        "M", (x + radius, y), "C", (x + radius, y + k), (x + k, y + radius), (x, y + radius),
        "C", (x - k, y + radius), (x - radius, y + k), (x - radius, y),
        "C", (x - radius, y - k), (x - k, y - radius), (x, y - radius),
        "C", (x + k, y - radius), (x + radius, y - k), (x + radius, y), "Z",
    )  # fmt: skip


def back_paths(brush: Brush) -> list[str]:
    """Path data of what hangs or stands behind head and neck."""
    style, w, top, x = brush.who.hair_style, brush.half_width, brush.crown, CENTRE_X
    right: list[Point]
    if style == "bob":
        right = [(x, top - 7), (x + w * 0.85, top + 4), (x + w + 6, EYE_LINE), (x + w + 6, 92), (x + w - 6, 96)]
    elif style == "long":
        right = [
            (x, top - 7),
            (x + w * 0.85, top + 4),
            (x + w + 6, EYE_LINE),
            (x + w + 8, 104),
            (x + w + 4, 126),
            (x + 10, 126),
        ]
    elif style == "wavy":
        right = [
            (x, top - 8),
            (x + w * 0.9, top + 2),
            (x + w + 9, 52),
            (x + w + 5, 66),
            (x + w + 11, 80),
            (x + w + 6, 94),
            (x + w + 10, 108),
            (x + w - 2, 116),
        ]
    elif style == "ponytail":
        tail = [
            (x + w - 8, top + 6),
            (x + w + 8, top + 10),
            (x + w + 14, 66),
            (x + w + 9, 98),
            (x + w + 2, 92),
            (x + w - 2, 60),
        ]
        return [loop([brush.project((a, b, -16.0)) for a, b in tail])]
    elif style == "bun":
        return [_disc(*brush.project((x, top - 8, -10.0)), 11.5)]
    elif style == "curls":
        spots = (
            (-1.02, 18), (-1.0, 8), (-0.82, -1), (-0.5, -6), (-0.17, -8.5),
            (0.17, -8.5), (0.5, -6), (0.82, -1), (1.0, 8), (1.02, 18),
        )  # fmt: skip
        return [_disc(*brush.behind(x + kx * w, top + 6 + ky, 3.0), 8.5) for kx, ky in spots]
    else:
        return []
    return [loop([brush.behind(*point) for point in _mirror(right)])]


def front_paths(brush: Brush) -> list[str]:
    """Path data of what lies on the forehead and temples."""
    style, w, top, x = brush.who.hair_style, brush.half_width, brush.crown, CENTRE_X
    if style == "bald":
        return []
    if style == "buzz":
        arch, low = _over(EYE_LINE - 9, top - 2), EYE_LINE - 9
        return [
            brush.trace(
                "M", (x - w + 0.6, low), "C", (x - w - 2, arch), (x + w + 2, arch), (x + w - 0.6, low),
                "Q", (x + w * 0.78, top + 13), (x, top + 11.5), "Q", (x - w * 0.78, top + 13), (x - w + 0.6, low), "Z",
            )
        ]  # fmt: skip
    if style == "spiky":
        teeth: list[str | Point] = []
        for k in range(7):
            teeth += [(x - w + 2 * w * (k + 0.5) / 7, top - 9 + (k % 2) * 2), (x - w + 2 * w * (k + 1) / 7, top - 1)]
        return [
            brush.trace(
                "M", (x - w, EYE_LINE - 8), "L", (x - w - 1, top + 6), *teeth, (x + w, EYE_LINE - 8),
                (x + w * 0.8, top + 15), "Q", (x, top + 9), (x - w * 0.8, top + 15), "Z",
            )
        ]  # fmt: skip
    if style == "quiff":
        return [
            brush.trace(
                "M", (x - w, EYE_LINE - 7), "C", (x - w - 4, top + 2), (x - w * 0.9, top - 12), (x + w * 0.2, top - 12),
                "C", (x + w * 0.9, top - 12), (x + w + 4, top + 2), (x + w, EYE_LINE - 7), "L",
                (x + w * 0.82, top + 13), "C", (x + w * 0.3, top + 5), (x - w * 0.3, top + 13),
                (x - w * 0.82, top + 12), "Z",
            )
        ]  # fmt: skip
    if style == "curls":
        rows = ((-0.84, 9.5), (-0.56, 4.5), (-0.2, 2.5), (0.2, 2.5), (0.56, 4.5), (0.84, 9.5))
        return [_disc(*brush.at(x + kx * w, top + ky), 7.2) for kx, ky in rows]
    if style in ("ponytail", "bun"):
        low = EYE_LINE - 4
        arch = _over(low, top - 4)
        start = brush.trace("M", (x - w - 0.4, low), "C", (x - w - 3, arch), (x + w + 3, arch), (x + w + 0.4, low))
        temples = brush.spots(((x + w * 0.7, top + 13), (x - w * 0.7, top + 13), (x - w - 0.4, low)))
        middle, east, west = brush.at(x, top + 8), *(brush.handle(x, top + 8, k * w * 0.4, 0.0) for k in (1, -1))
        return [start + trace("C", temples[0], east, middle, "C", west, *temples[1:], "Z")]
    if style == "bob":  # a straight fringe
        arch = _over(EYE_LINE + 8, top - 7)
        return [
            brush.trace(
                "M", (x - w - 4, EYE_LINE + 8), "C", (x - w - 7, arch), (x + w + 7, arch), (x + w + 4, EYE_LINE + 8),
                "L", (x + w - 2.4, EYE_LINE - 10), "Q", (x + w * 0.8, top + 16), (x + w * 0.6, top + 15),
                "Q", (x, top + 17), (x - w * 0.6, top + 15), "Q", (x - w * 0.8, top + 16), (x - w + 2.4, EYE_LINE - 10),
                "Z",
            )
        ]  # fmt: skip
    # parted, long, wavy: from a parting to both sides
    low = EYE_LINE - 6 if style == "parted" else EYE_LINE + 8
    part = x - w * 0.35
    arch = _over(low, top - 6)
    return [
        brush.trace(
            "M", (x - w - 1.5, low), "C", (x - w - 5, arch), (x + w + 5, arch - 2), (x + w + 1.5, low),
            "C", (x + w - 2, top + 20), (x + w * 0.5, top + 12), (part, top + 4),
            "C", (x - w * 0.7, top + 8), (x - w + 3, top + 16), (x - w - 1.5, low), "Z",
        )
    ]  # fmt: skip


def side_path(brush: Brush) -> str:
    """Path data of the hair behind the ear that a turned head shows; '' where there is none."""
    yaw, style = brush.rig.pose.yaw, brush.who.hair_style
    if abs(yaw) < 14.0 or style == "bald":
        return ""
    side = -1 if yaw > 0 else 1
    w, e = brush.half_width, EYE_LINE
    long = style in ("bob", "long", "wavy")
    nape = e + (30 if long else 15)

    def edge(y: float) -> Point:  # along the frontal outline, which slides to the silhouette
        return brush.at(CENTRE_X + side * (w * (1.0 - 0.00018 * (y - e - 6) ** 2) - 0.2), y)

    def ear(y: float, z: float, inwards: float = 0.0) -> Point:
        return brush.project((CENTRE_X + side * (w - inwards), y, z))

    outer = [edge(y) for y in (e - 11, e - 5, e + 2, e + 8, (nape + e + 8) / 2, nape)]
    inner = [ear(e + 12, -1.5), ear(e + 4, -0.5), ear(e - 4, 1.0), ear(e - 8, 2.0, 0.6)]
    return loop([*outer, *inner] if side > 0 else [*inner[::-1], *outer[::-1]])


def hair_gradient(brush: Brush) -> tuple[Colour, Colour]:
    """Hair under soft light: the light above, the dark below."""
    light = 0.24 if brush.measures.volume else 0.16
    return lighter(brush.who.hair_colour, light), darker(brush.who.hair_colour, 0.22)


def _fill(brush: Brush) -> str:
    return "url(#hair)" if brush.shaded else hexed(brush.who.hair_colour)


def draw_back(brush: Brush) -> str:
    """The layer behind head and body."""
    shade = {"bun": 0.14, "curls": 0.2}.get(brush.who.hair_style, _BACK_SHADE)
    fill = hexed(brush.shade(brush.who.hair_colour) if brush.cel else darker(brush.who.hair_colour, shade))
    return "".join(path(d, fill, stroke=brush.outline, width=brush.outline_width) for d in back_paths(brush))


def draw_side(brush: Brush) -> str:
    """The hair behind the near ear."""
    d = side_path(brush)
    return path(d, _fill(brush), stroke=brush.outline, width=0.6 * brush.outline_width) if d else ""


def draw_front(brush: Brush) -> str:
    """The layer before the forehead."""
    curls = brush.who.hair_style == "curls"
    fill = hexed(brush.who.hair_colour) if curls else _fill(brush)
    stroke = "" if curls else brush.outline
    parts = [path(d, fill, stroke=stroke, width=brush.outline_width) for d in front_paths(brush)]
    return "".join(parts) + (_strands(brush) if brush.cel else _gloss(brush) if brush.measures.volume else "")


def _strands(brush: Brush) -> str:
    """Big strands and a band of shine."""
    style, w, top, x = brush.who.hair_style, brush.half_width, brush.crown, CENTRE_X
    if style in ("bald", "buzz"):
        return ""
    colour = brush.who.hair_colour
    dark, light = hexed(brush.shade(brush.shade(colour))), hexed(lighter(colour, 0.38))
    parts: list[str] = []
    if style not in ("curls", "spiky"):
        for foot in (-0.74, -0.36, 0.06, 0.46, 0.8):
            low = top + 4.5 + 8.0 * foot * foot
            line = brush.trace(
                "M", (x + foot * w * 0.55 - 1.0, top - 3.0), "Q", (x + foot * w * 0.95, top + 0.5), (x + foot * w, low)
            )
            parts.append(path(line, stroke=dark, width=0.9, opacity=0.7))
    band: list[str | Point] = ["M", (x - w * 0.78, top + 6.0), "Q", (x, top - 6.5), (x + w * 0.70, top + 3.5), "L"]
    for k in range(6, -1, -1):  # a jagged lower edge
        a = -0.72 + 1.36 * k / 6
        arch = top - 0.5 + 8.5 * a * a
        band += [(x + w * a, arch + 1.6 + (0.9 if k % 2 else 2.4))]
        band += [(x + w * (a - 0.06), arch + (1.9 if k % 2 else 0.6))] if k else []
    parts.append(path(brush.trace(*band, "Z"), light, opacity=0.55))
    return "".join(parts)


def _gloss(brush: Brush) -> str:
    """A soft highlight on rounded hair."""
    style, w, top, x = brush.who.hair_style, brush.half_width, brush.crown, CENTRE_X
    if style in ("bald", "buzz"):
        return ""
    light = hexed(lighter(brush.who.hair_colour, 0.5))
    return "".join(
        path(
            brush.arc((x - w * 0.62, top + 4.0), (x - w * 0.18, top - 0.8), (x + w * 0.3, top + 0.2)),
            stroke=light,
            width=width,
            opacity=0.16,
        )
        for width in (5.0, 3.2, 1.6)
    )
