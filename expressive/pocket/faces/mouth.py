"""Lips, teeth and tongue."""

from __future__ import annotations

from .brush import Brush
from .shapes import MouthShape, inner_lip_curves, lips_lift, mouth_shape
from .svg import Point, darker, hexed, lighter, path, through, trace

_CORNER, _MIDDLE = lips_lift(1.0), lips_lift(0.0)


def _off(point: Point, lift: float) -> tuple[float, float, float]:
    return (point[0], point[1], lift)


def _lip(upper: tuple[Point, Point, Point], lower: tuple[Point, Point, Point]) -> str:
    """The area between two arcs, of points in the picture."""
    first = trace("M", upper[0], "Q", through(*upper), upper[2])
    return first + trace("L", lower[2], "Q", through(lower[2], lower[1], lower[0]), lower[0], "Z")


def _curve(brush: Brush, points: list[Point], shape: MouthShape) -> list[Point]:
    x, half = shape.top[0], shape.half
    return brush.spots([_off(point, lips_lift((point[0] - x) / half)) for point in points])


def _opening(brush: Brush, shape: MouthShape, spots: tuple[Point, Point, Point, Point]) -> str:
    """The closed inner edge of the lips."""
    curves = inner_lip_curves(shape)
    left, right, top, bottom = spots
    if curves is None:
        return _lip((left, top, right), (left, bottom, right))
    (a, b), (c, d) = (tuple(_curve(brush, curve, shape) for curve in side) for side in curves)
    return trace("M", a[0], "C", *a[1:], "C", *b[1:], "C", d[2], d[1], d[0], "C", c[2], c[1], c[0], "Z")


def _inside(brush: Brush, shape: MouthShape) -> str:
    """Teeth, tongue and dark, to be clipped by the lips."""
    state, lift = brush.rig.mouth, 0.0
    left, right, (x, top), bottom, opening = shape.left, shape.right, shape.top, shape.bottom[1], shape.opening
    teeth = 0.9 + state.teeth * min(opening, 8.0) * 0.62
    west, edge, east, high_west, high_east = brush.spots(
        (
            (left[0] - 1, left[1] + teeth * 0.8),
            (x, top + teeth),
            (right[0] + 1, right[1] + teeth * 0.8),
            (left[0] - 1, left[1] - 9),
            (right[0] + 1, right[1] - 9),
        ),
        lift,
    )
    row = trace("M", high_west, high_east, "L", east, "Q", through(east, edge, west), west, "Z")
    parts = []
    if opening > 6.5:
        parts.append(brush.ellipse(x, bottom + 0.5, shape.half * 0.55, opening * 0.36, "#d2606c", lift=lift))
    if state.lower_drop > 0.45 and opening > 3:
        low = bottom - opening * 0.26
        a, m, b, floor_a, floor_b = brush.spots(
            (left, (x, low), right, (left[0], bottom + 8), (right[0], bottom + 8)), lift
        )
        parts.append(path(trace("M", floor_a, a, "Q", through(a, m, b), b, "L", floor_b, "Z"), "#efe9df"))
        middle = brush.arc(left, (x, (top + teeth + low) / 2), right, lift)
        parts.append(path(middle, stroke="#5a1420", width=1.0))
    return "".join(parts) + path(row, "#fbf8f2")


def draw_mouth(brush: Brush) -> tuple[str, str]:
    """(definitions, picture)."""
    state, shape, lift = brush.rig.mouth, mouth_shape(brush), _MIDDLE
    left, right, full, half = shape.left, shape.right, shape.fullness, shape.half
    x, under = shape.under
    lips = brush.lips
    upper_colour, lower_colour, line = hexed(darker(lips, 0.16)), hexed(lips), hexed(darker(brush.lip_line, 0.62))
    corners = (_off(left, _CORNER), _off(right, _CORNER))
    west, east, top, bottom = brush.spots((*corners, shape.top, shape.bottom), lift)
    parts: list[str] = []
    definitions = ""
    if shape.is_open:
        inner = _opening(brush, shape, (west, east, top, bottom))
        definitions = f'<clipPath id="mouth"><path d="{inner}"/></clipPath>'
        parts.append(path(inner, upper_colour, stroke=upper_colour, width=3.0 + 0.8 * full))
        lower = brush.arc(corners[0], (x, (shape.bottom[1] + under) / 2), corners[1], lift)
        parts.append(path(lower, stroke=lower_colour, width=1.6 + 1.2 * full))
        inside = path(inner, brush.measures.mouth_inside)
        parts.append(f'<g clip-path="url(#mouth)">{inside}{_inside(brush, shape)}</g>')
        parts.append(path(inner, stroke=line, width=0.9))
    else:
        level = (shape.top[1] + shape.bottom[1]) / 2
        over, middle, low = brush.spots((shape.over, (x, level), shape.under), lift)
        parts.append(path(_lip((west, over, east), (west, middle, east)), upper_colour))
        parts.append(path(_lip((west, middle, east), (west, low, east)), lower_colour))
        if brush.shaded:
            shine = brush.arc((x - half * 0.4, under - 1.6), (x, under - 1.2), (x + half * 0.4, under - 1.6), lift)
            parts.append(path(shine, stroke=hexed(lighter(lips, 0.4)), width=1.0, opacity=0.6))
        parts.append(path(trace("M", west, "Q", through(west, middle, east), east), stroke=line, width=1.5))
        if state.bite > 0.2:
            depth = 1.2 + 1.6 * state.bite
            tooth = brush.trace(
                "M", (x - 4.2, level), "L", (x + 4.2, level), (x + 4.2, level + depth), "Q", (x, level + depth + 1.2),
                (x - 4.2, level + depth), "Z", lift=lift,
            )  # fmt: skip
            parts.append(path(tooth, "#fbf8f2", stroke=line, width=0.7))
            split = brush.trace("M", (x, level), "L", (x, level + 1.2 + 1.4 * state.bite), lift=lift)
            parts.append(path(split, stroke=line, width=0.5))
    for side, depth in zip((-1, 1), brush.rig.dimples, strict=True):
        if depth > 0.2:
            cx, cy = (left if side < 0 else right)[0] + side * 2.4, (left if side < 0 else right)[1]
            dimple = brush.arc((cx, cy - 2.6), (cx + side * 1.2, cy), (cx, cy + 2.6))
            parts.append(path(dimple, stroke=brush.crease, width=1.1, opacity=min(1.0, 0.9 * depth)))
    shade = brush.arc((x - 5, under + 2.4), (x, under + 3.4), (x + 5, under + 2.4))
    parts.append(path(shade, stroke=brush.crease, width=0.9, opacity=0.35 + 0.4 * min(1.0, brush.rig.chin)))
    if brush.rig.chin > 0.35:
        strength = 0.5 * min(1.0, brush.rig.chin)
        parts += [brush.ellipse(x + 2.4 * k, under + 6.0, 0.8, 0.6, brush.crease, strength, lift=2.0) for k in (-1, 1)]
    return definitions, "".join(parts)
