"""Hair (a layer behind the head and one before it) and beards."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .svg import Point, darker, hexed, lighter, loop, path, trace


def _mirror(right: list[Point]) -> list[Point]:
    """A symmetric outline from its right half, given from top to bottom; points on the axis stand once."""
    return [*right, *[(2 * CENTRE_X - x, y) for x, y in reversed(right) if x > CENTRE_X]]


def _over(low: float, peak: float) -> float:
    """The height of both control points for a cubic arch that stands at `low` and rises to `peak`."""
    return (peak - 0.25 * low) / 0.75


def _paint(brush: Brush, d: str, shade: float = 0.0) -> str:
    fill = hexed(darker(brush.who.hair_colour, shade)) if brush.cartoon or shade else "url(#hair)"
    return path(d, fill, stroke=brush.outline, width=1.4)


def hair_back(brush: Brush) -> str:
    """What hangs or stands behind head and neck."""
    style, w, top = brush.who.hair_style, brush.half_width, brush.crown
    x = CENTRE_X
    if style == "bob":
        return _paint(
            brush,
            loop(
                _mirror(
                    [(x, top - 7), (x + w * 0.85, top + 4), (x + w + 6, EYE_LINE), (x + w + 6, 92), (x + w - 6, 96)]
                )
            ),
            0.18,
        )
    if style == "long":
        return _paint(
            brush,
            loop(
                _mirror(
                    [
                        (x, top - 7),
                        (x + w * 0.85, top + 4),
                        (x + w + 6, EYE_LINE),
                        (x + w + 8, 104),
                        (x + w + 4, 126),
                        (x + 10, 126),
                    ]
                )
            ),
            0.18,
        )
    if style == "wavy":
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
        return _paint(brush, loop(_mirror(right)), 0.18)
    if style == "ponytail":
        tail = [
            (x + w - 8, top + 6),
            (x + w + 8, top + 10),
            (x + w + 14, 66),
            (x + w + 9, 98),
            (x + w + 2, 92),
            (x + w - 2, 60),
        ]
        return _paint(brush, loop(tail), 0.18)
    if style == "bun":
        r = 11.5
        return (
            f'<circle cx="{x:.1f}" cy="{top - 8:.1f}" r="{r}" fill="{hexed(darker(brush.who.hair_colour, 0.14))}"'
            + (f' stroke="{brush.outline}" stroke-width="1.4"/>' if brush.outline else "/>")
        )
    if style == "curls":
        return "".join(_curls(brush, shade=0.2, ring=6.0))
    return ""


def _curls(brush: Brush, shade: float, ring: float) -> list[str]:
    w, top, x = brush.half_width, brush.crown, CENTRE_X
    fill = hexed(darker(brush.who.hair_colour, shade))
    edge = f' stroke="{brush.outline}" stroke-width="1.4"' if brush.outline else ""
    spots = [
        (-1.02, 18),
        (-1.0, 8),
        (-0.82, -1),
        (-0.5, -6),
        (-0.17, -8.5),
        (0.17, -8.5),
        (0.5, -6),
        (0.82, -1),
        (1.0, 8),
        (1.02, 18),
    ]
    return [
        f'<circle cx="{x + kx * w:.1f}" cy="{top + 6 + ky:.1f}" r="{ring + 2.5}" fill="{fill}"{edge}/>'
        for kx, ky in spots
    ]


def hair_front(brush: Brush) -> str:
    """What lies on the forehead and temples."""
    style, w, top = brush.who.hair_style, brush.half_width, brush.crown
    x = CENTRE_X
    if style == "bald":
        return ""
    if style == "buzz":
        arch = _over(EYE_LINE - 9, top - 2)
        cap = trace(
            "M", (x - w + 0.6, EYE_LINE - 9), "C", (x - w - 2, arch), (x + w + 2, arch), (x + w - 0.6, EYE_LINE - 9)
        )
        return _paint(
            brush, cap + trace("Q", (x + w * 0.78, top + 13), (x, top + 11.5), "T", (x - w + 0.6, EYE_LINE - 9), "Z")
        )
    if style == "spiky":
        teeth = "".join(
            trace("L", (x - w + 2 * w * (k + 0.5) / 7, top - 9 + (k % 2) * 2), (x - w + 2 * w * (k + 1) / 7, top + 3))
            for k in range(7)
        )
        brow = trace(
            "L", (x + w, EYE_LINE - 8), "L", (x + w * 0.8, top + 15), "Q", (x, top + 9), (x - w * 0.8, top + 15)
        )
        return _paint(brush, trace("M", (x - w, EYE_LINE - 8), "L", (x - w - 1, top + 6), teeth, brow, "Z"))
    if style == "quiff":
        d = trace(
            "M", (x - w, EYE_LINE - 7), "C", (x - w - 4, top + 2), (x - w * 0.9, top - 12), (x + w * 0.2, top - 12)
        )
        d += trace(
            "C", (x + w * 0.9, top - 12), (x + w + 4, top + 2), (x + w, EYE_LINE - 7), "L", (x + w * 0.82, top + 13)
        )
        return _paint(
            brush, d + trace("C", (x + w * 0.3, top + 5), (x - w * 0.3, top + 13), (x - w * 0.82, top + 12), "Z")
        )
    if style == "curls":
        fill = hexed(brush.who.hair_colour)
        rows = [(-0.84, 9.5), (-0.56, 4.5), (-0.2, 2.5), (0.2, 2.5), (0.56, 4.5), (0.84, 9.5)]
        return "".join(f'<circle cx="{x + kx * w:.1f}" cy="{top + ky:.1f}" r="7.2" fill="{fill}"/>' for kx, ky in rows)
    if style in ("ponytail", "bun"):
        arch = _over(EYE_LINE - 4, top - 4)
        d = trace(
            "M", (x - w - 0.4, EYE_LINE - 4), "C", (x - w - 3, arch), (x + w + 3, arch), (x + w + 0.4, EYE_LINE - 4)
        )
        return _paint(
            brush,
            d
            + trace(
                "C",
                (x + w * 0.7, top + 13),
                (x + w * 0.4, top + 8),
                (x, top + 8),
                "S",
                (x - w * 0.7, top + 13),
                (x - w - 0.4, EYE_LINE - 4),
                "Z",
            ),
        )
    if style == "bob":  # a straight fringe
        arch = _over(EYE_LINE + 8, top - 7)
        d = trace("M", (x - w - 4, EYE_LINE + 8), "C", (x - w - 7, arch), (x + w + 7, arch), (x + w + 4, EYE_LINE + 8))
        d += trace("L", (x + w - 2.4, EYE_LINE - 10), "Q", (x + w * 0.8, top + 16), (x + w * 0.6, top + 15))
        return _paint(
            brush,
            d
            + trace(
                "Q",
                (x, top + 17),
                (x - w * 0.6, top + 15),
                "Q",
                (x - w * 0.8, top + 16),
                (x - w + 2.4, EYE_LINE - 10),
                "Z",
            ),
        )
    # parted, long, wavy: from a parting to both sides
    low = EYE_LINE - 6 if style == "parted" else EYE_LINE + 8
    part = x - w * 0.35
    arch = _over(low, top - 6)
    d = trace("M", (x - w - 1.5, low), "C", (x - w - 5, arch), (x + w + 5, arch - 2), (x + w + 1.5, low))
    d += trace("C", (x + w - 2, top + 20), (x + w * 0.5, top + 12), (part, top + 4))
    return _paint(brush, d + trace("C", (x - w * 0.7, top + 8), (x - w + 3, top + 16), (x - w - 1.5, low), "Z"))


def draw_beard(brush: Brush) -> str:
    """A beard's lower part, drawn before the mouth."""
    kind, who = brush.who.beard, brush.who
    if kind in ("none", "moustache"):
        return ""
    w, x, chin = brush.half_width, CENTRE_X, brush.chin
    colour = hexed(darker(who.hair_colour, 0.1))
    if kind == "goatee":
        return path(
            loop(_mirror([(x, EYE_LINE + 33), (x + 7.5, EYE_LINE + 35), (x + 6.5, chin - 2), (x, chin + 1.5)])), colour
        )
    d = trace("M", (x - w + 1, EYE_LINE + 6), "C", (x - w + 1, chin - 10), (x - w * 0.45, chin + 3), (x, chin + 2.5))
    d += trace("C", (x + w * 0.45, chin + 3), (x + w - 1, chin - 10), (x + w - 1, EYE_LINE + 6))
    d += trace("C", (x + w - 5, EYE_LINE + 20), (x + w * 0.5, EYE_LINE + 19), (x, EYE_LINE + 19.5))
    d += trace("C", (x - w * 0.5, EYE_LINE + 19), (x - w + 5, EYE_LINE + 20), (x - w + 1, EYE_LINE + 6), "Z")
    return path(d, colour, opacity=0.3 if kind == "stubble" else 1.0)


def draw_moustache(brush: Brush) -> str:
    """Between nose and upper lip; it rides on the lip."""
    if brush.who.beard not in ("moustache", "goatee"):
        return ""
    lift = 0.5 * brush.rig.mouth.upper_raise + 0.25 * brush.rig.mouth.gap
    x, y = CENTRE_X, EYE_LINE + 20.6 - lift
    half = 9.0 * brush.rig.mouth.width
    sag = 0.5 * (brush.rig.mouth.left + brush.rig.mouth.right) * 0.45
    d = trace(
        "M",
        (x - half, y + 3.0 + sag),
        "Q",
        (x - half * 0.4, y - 1.6),
        (x, y),
        "Q",
        (x + half * 0.4, y - 1.6),
        (x + half, y + 3.0 + sag),
    )
    return path(d + trace("Q", (x, y + 3.4), (x - half, y + 3.0 + sag), "Z"), hexed(darker(brush.who.hair_colour, 0.1)))


def hair_gradient(brush: Brush) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Portrait hair from the light above to the dark below."""
    return lighter(brush.who.hair_colour, 0.16), darker(brush.who.hair_colour, 0.22)
