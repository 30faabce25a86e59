"""Mouth, nose and the folds around them."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .svg import Point, arc, darker, ellipse, hexed, lighter, path, through, trace

MOUTH_LINE = 27.0  # below the eyes


def _lip(upper: tuple[Point, Point, Point], lower: tuple[Point, Point, Point]) -> str:
    """The area between two arcs that share their ends' neighbourhood."""
    first = trace("M", upper[0], "Q", through(*upper), upper[2])
    return first + trace("L", lower[2], "Q", through(lower[2], lower[1], lower[0]), lower[0], "Z")


def draw_mouth(brush: Brush) -> tuple[str, str]:
    """(definitions, picture) of lips, teeth, tongue."""
    state = brush.rig.mouth
    y = EYE_LINE + MOUTH_LINE * (0.6 + 0.4 * brush.who.head_length)
    half = 12.4 * brush.who.mouth_width * state.width
    x = CENTRE_X + state.shift
    left, right = (x - half, y + state.left), (x + half, y + state.right)
    level = y + (state.left + state.right) * 0.12 + state.middle
    top = (x, level - 0.30 * state.gap - 0.55 * state.upper_raise)
    bottom = (x, level + 0.70 * state.gap + 0.5 * state.lower_drop)
    full = brush.who.lip_fullness * state.fullness
    over = (x, top[1] - (1.5 + 1.3 * full) - 0.3 * state.upper_raise)
    under = (x, bottom[1] + (1.7 + 2.1 * full))
    lips, opening = brush.lips, bottom[1] - top[1]
    upper_colour, lower_colour = hexed(darker(lips, 0.16)), hexed(lips)
    line = hexed(darker(lips, 0.62))
    parts: list[str] = []
    definitions = ""
    is_open = opening > 1.3
    if is_open and state.roundness > 0.12:  # the corners of a rounded mouth are arcs, not points
        bulge = state.roundness * opening * 0.62
        k = 0.55
        inner = (
            trace("M", left, "C", (left[0], left[1] - bulge), (x - half * k, top[1]), top)
            + trace("C", (x + half * k, top[1]), (right[0], right[1] - bulge), right)
            + trace("C", (right[0], right[1] + bulge), (x + half * k, bottom[1]), bottom)
            + trace("C", (x - half * k, bottom[1]), (left[0], left[1] + bulge), left, "Z")
        )
    elif is_open:
        inner = _lip((left, top, right), (left, bottom, right))
    else:
        inner = ""
    if is_open:
        definitions = f'<clipPath id="mouth"><path d="{inner}"/></clipPath>'
        parts.append(path(inner, upper_colour, stroke=upper_colour, width=3.0 + 0.8 * full))
        parts.append(
            path(arc(left, (x, (bottom[1] + under[1]) / 2), right), stroke=lower_colour, width=1.6 + 1.2 * full)
        )
        teeth = 0.9 + state.teeth * min(opening, 8.0) * 0.62
        inside = path(inner, "#5a1420" if brush.cartoon else "#4a1018")
        west, east = (left[0] - 1, left[1] + teeth * 0.8), (right[0] + 1, right[1] + teeth * 0.8)
        row = trace("M", (left[0] - 1, left[1] - 9), (right[0] + 1, right[1] - 9), "L", east)
        row += trace("Q", through(east, (x, top[1] + teeth), west), west, "Z")
        white = path(row, "#fbf8f2")
        tongue = ellipse(x, bottom[1] + 0.5, half * 0.55, opening * 0.36, "#d2606c") if opening > 6.5 else ""
        lower_row = ""
        if brush.rig.mouth.lower_drop > 0.45 and opening > 3:
            edge = bottom[1] - opening * 0.26
            floor = bottom[1] + 8
            gum = trace(
                "M", (left[0], floor), left, "Q", through(left, (x, edge), right), right, "L", (right[0], floor), "Z"
            )
            lower_row = path(gum + trace("L", (right[0], floor), "Z"), "#efe9df")
            gap_line = path(arc(left, (x, (top[1] + teeth + edge) / 2), right), stroke="#5a1420", width=1.0)
            lower_row += gap_line
        parts.append(f'<g clip-path="url(#mouth)">{inside}{tongue}{lower_row}{white}</g>')
        parts.append(path(inner, stroke=line, width=0.9))
    else:
        middle = (x, (top[1] + bottom[1]) / 2)
        parts.append(path(_lip((left, over, right), (left, middle, right)), upper_colour))
        parts.append(path(_lip((left, middle, right), (left, under, right)), lower_colour))
        if not brush.cartoon:
            parts.append(
                path(
                    arc((x - half * 0.4, under[1] - 1.6), (x, under[1] - 1.2), (x + half * 0.4, under[1] - 1.6)),
                    stroke=hexed(lighter(lips, 0.4)),
                    width=1.0,
                    opacity=0.6,
                )
            )
        parts.append(path(arc(left, middle, right), stroke=line, width=1.5))
        if state.bite > 0.2:
            tooth = trace("M", (x - 4.2, middle[1]), f"h8.4v{1.2 + 1.6 * state.bite:.1f}q-4.2,1.2 -8.4,0Z")
            parts.append(path(tooth, "#fbf8f2", stroke=line, width=0.7))
            parts.append(path(trace("M", (x, middle[1]), f"v{1.2 + 1.4 * state.bite:.1f}"), stroke=line, width=0.5))
    for side, depth in zip((-1, 1), brush.rig.dimples, strict=True):
        if depth > 0.2:
            cx, cy = (left if side < 0 else right)[0] + side * 2.4, (left if side < 0 else right)[1]
            parts.append(
                path(
                    arc((cx, cy - 2.6), (cx + side * 1.2, cy), (cx, cy + 2.6)),
                    stroke=brush.crease,
                    width=1.1,
                    opacity=min(1.0, 0.9 * depth),
                )
            )
    shade = arc((x - 5, under[1] + 2.4), (x, under[1] + 3.4), (x + 5, under[1] + 2.4))
    parts.append(path(shade, stroke=brush.crease, width=0.9, opacity=0.35 + 0.4 * min(1.0, brush.rig.chin)))
    if brush.rig.chin > 0.35:
        for k in (-1, 1):
            parts.append(ellipse(x + 2.4 * k, under[1] + 6.0, 0.8, 0.6, brush.crease, 0.5 * min(1.0, brush.rig.chin)))
    return definitions, "".join(parts)


def draw_nose(brush: Brush) -> str:
    """Nose, its wrinkles, and the folds from its wings to the mouth's corners."""
    who, rig = brush.who, brush.rig
    wrinkle = min(1.0, rig.nose_wrinkle)
    tip = EYE_LINE + 15.4 * who.nose_length - 1.6 * wrinkle
    half = 4.4 * who.nose_width * (1 + 0.16 * wrinkle)
    dx = brush.shift(0.5)[0]
    x = CENTRE_X + dx
    parts: list[str] = []
    if brush.cartoon:
        parts.append(
            path(
                trace("M", (x + half * 0.5, tip - 7), "Q", (x + half * 1.5, tip - 0.5), (x - half * 0.35, tip + 0.4)),
                stroke=brush.crease,
                width=1.4,
            )
        )
    else:
        parts.append(
            path(
                trace("M", (CENTRE_X + 2.2, EYE_LINE - 3), "Q", (x + 1.6, EYE_LINE + 6), (x + half, tip - 1.6))
                + trace("L", (x, tip), "Z"),
                hexed(darker(who.skin, 0.22)),
                opacity=0.45,
            )
        )
        parts.append(ellipse(x - 0.6, tip - 2.6, 1.7, 1.4, hexed(lighter(who.skin, 0.4)), 0.6))
        parts.append(
            path(
                arc((x - half, tip - 1.2), (x, tip + 1.8), (x + half, tip - 1.2)),
                stroke=brush.crease,
                width=1.0,
                opacity=0.7,
            )
        )
        for side in (-1, 1):
            parts.append(ellipse(x + side * half * 0.52, tip + 0.1, 1.1, 0.7, hexed(darker(who.skin, 0.6)), 0.8))
    for side in (-1, 1):
        wing = x + side * half
        parts.append(
            path(
                arc((wing, tip - 3.2 - 1.2 * wrinkle), (wing + side * 1.3, tip - 1.4), (wing, tip)),
                stroke=brush.crease,
                width=0.9,
                opacity=0.65,
            )
        )
        if wrinkle > 0.2:
            for row in (0.0, 2.8):
                a, b = (CENTRE_X + side * 4.6, EYE_LINE - 1.6 + row), (CENTRE_X + side * 1.0, EYE_LINE + 0.8 + row)
                parts.append(path(trace("M", a, "L", b), stroke=brush.crease, width=1.0, opacity=0.8 * wrinkle))
        depth = min(1.0, rig.folds[0 if side < 0 else 1] + max(0, who.age - 50) / 70)
        if depth > 0.15:
            start = (x + side * (half + 1.6), tip - 1.0)
            end = (CENTRE_X + side * 14.2 * max(0.85, rig.mouth.width), EYE_LINE + 24.5)
            bend = (x + side * (half + 7.2), tip + 3.6)
            parts.append(path(trace("M", start, "Q", bend, end), stroke=brush.crease, width=1.0, opacity=0.65 * depth))
    return "".join(parts)
