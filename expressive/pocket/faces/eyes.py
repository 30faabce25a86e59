"""Eyes, brows and glasses."""

from __future__ import annotations

from collections.abc import Callable

from .brush import CENTRE_X, EYE_LINE, Brush
from .shapes import LIFT, EyeShape, brow_shape, eye_centre, eye_shape
from .svg import Point, arc, darker, ellipse, hexed, lens, lighter, path, through, trace

__all__ = ["draw_brow", "draw_brow_lines", "draw_eye", "draw_glasses", "eye_centre"]


def _ball(brush: Brush, shape: EyeShape, side: int, outline: str) -> str:
    """White, iris and the upper lid's shadow within the eye's opening."""
    style, lift = brush.measures, LIFT["eye"]
    (ix, iy), (rx, ry) = shape.iris, shape.iris_radius
    iris = brush.who.iris
    rim = hexed(darker(iris, 0.45))
    disc = brush.ellipse(ix, iy, rx, ry, hexed(lighter(iris, 0.12)), 1.0, f' stroke="{rim}" stroke-width="0.9"', lift)
    if style.iris_shade:
        disc += brush.ellipse(ix, iy - ry * 0.38, rx * 0.86, ry * 0.6, rim, style.iris_shade, lift=lift)
        disc += brush.ellipse(
            ix, iy + ry * 0.5, rx * 0.66, ry * 0.36, hexed(lighter(iris, 0.42)), 1.4 * style.iris_shade, lift=lift
        )
    disc += brush.ellipse(ix, iy, rx * style.pupil, ry * style.pupil, "#140e10", lift=lift)
    x, y = brush.at(ix, iy, lift)
    spots = "".join(ellipse(x + dx, y + dy, r, r, "#ffffff") for dx, dy, r in style.highlights)
    top = shape.top
    shadow = brush.arc(shape.left, (top[0], top[1] + (0.9 if style.shaded else 1.3)), shape.right, lift)
    lid = ""
    if style.shaded:
        lid = path(shadow, stroke="#4a3a40", width=1.6, opacity=0.35)
    elif style.cel:
        lid = path(shadow, stroke="#8a90b4", width=2.6, opacity=0.45)
    return path(outline, style.sclera) + f'<g clip-path="url(#eye{side})">{disc}{lid}{spots}</g>'


def draw_eye(brush: Brush, side: int) -> tuple[str, str]:
    """One eye: (definitions, picture)."""
    state, shape, style = brush.rig.eyes[0 if side < 0 else 1], eye_shape(brush, side), brush.measures
    lift, who = LIFT["eye"], brush.who
    x, y = shape.centre
    left, right, top, bottom = shape.left, shape.right, shape.top, shape.bottom
    outer = right if side > 0 else left
    lash = hexed(darker(who.brow_colour, 0.6))
    parts: list[str] = []
    definitions = ""
    if not shape.shut:
        outline = lens(*brush.spots((left, right, top, bottom), lift))
        definitions = f'<clipPath id="eye{side}"><path d="{outline}"/></clipPath>'
        parts.append(_ball(brush, shape, side, outline))
        parts.append(path(brush.arc(left, bottom, right, lift), stroke=brush.crease, width=0.8, opacity=0.75))
    woman = who.gender == "woman"
    line = brush.arc(left, bottom if shape.shut else top, right, lift)
    parts.append(path(line, stroke=lash, width=(1.9 if woman else 1.5) * style.lash))
    if woman:
        flick = (outer[0] + side * 2.0, outer[1] - (1.6 if not shape.shut else -0.8))
        parts.append(path(brush.trace("M", outer, "L", flick, lift=lift), stroke=lash, width=1.2 * style.lash))
    fold = 2.2 if not shape.shut else 4.6
    crease = brush.arc(
        (left[0] + 0.8, left[1] - fold), (top[0], min(top[1], y - 1.5) - fold), (right[0] - 0.8, right[1] - fold), lift
    )
    parts.append(path(crease, stroke=brush.crease, width=0.8, opacity=0.6 * style.lines))
    if state.crow > 0.15:
        strength = min(1.0, state.crow) * style.lines
        low = 4.2 * (style.eye_height - 1) * state.lower
        cheek = brush.arc((x - side * 5, y + 8.6 + low), (x, y + 9.6 + low), (x + side * 7, y + 7.4 + low))
        parts.append(path(cheek, stroke=brush.crease, width=0.9, opacity=0.55 * strength))
        for rise in (-1.8, 1.2):
            a = (outer[0] + side * 2.2, outer[1] + 0.6 + rise * 0.4)
            b = (outer[0] + side * 5.2, outer[1] + 0.8 + rise * 1.5)
            parts.append(path(brush.trace("M", a, "L", b), stroke=brush.crease, width=0.7, opacity=0.5 * strength))
    if who.age > 55:
        bag = brush.arc((x - side * 5.5, y + 6.2), (x, y + 8.2), (x + side * 5.5, y + 6.4))
        parts.append(path(bag, stroke=brush.crease, width=0.7, opacity=0.4))
    return definitions, "".join(parts)


def draw_brow(brush: Brush, side: int) -> str:
    """One eyebrow: a tapering stroke from the nose's root outwards."""
    shape = brow_shape(brush, side)
    inner, middle, outer, thick = shape.inner, shape.middle, shape.outer, shape.thickness
    below = (inner[0], inner[1] + thick * 1.1)
    a, b, c, d, e, f = brush.spots(
        (inner, middle, outer, (outer[0], outer[1] + 0.4), (middle[0], middle[1] + thick), below), LIFT["brow"]
    )
    d, colour = arc(a, b, c) + trace("L", d, "Q", through(d, e, f), f, "Z"), hexed(brush.brow)
    ridge = ""
    if sum(brush.who.skin) <= 330:  # light on the bone below sets the brow off from dark skin
        ridge = path(d, "none", stroke=hexed(lighter(brush.who.skin, 0.3)), width=2.6, opacity=0.5)
    return ridge + path(d, colour, stroke=colour, width=0.9)


def draw_brow_lines(brush: Brush) -> str:
    """Wrinkles that brows make: upright between them, level on the forehead."""
    parts: list[str] = []
    strength = brush.measures.lines
    frown = min(1.0, brush.rig.frown)
    if frown > 0.2:
        for side in (-1, 1):
            a, b = (CENTRE_X + side * 1.9, EYE_LINE - 12.6), (CENTRE_X + side * 1.4, EYE_LINE - 7.0)
            line = brush.trace("M", a, "L", b, lift=2.0)
            parts.append(path(line, stroke=brush.crease, width=1.0, opacity=0.75 * frown * strength))
    lines = min(1.0, brush.rig.forehead + max(0, brush.who.age - 58) / 60)
    if lines > 0.3:
        for row, width in ((-21.5, 9.0), (-18.4, 11.0)):
            y = EYE_LINE + row
            line = brush.arc((CENTRE_X - width, y + 1), (CENTRE_X, y - 0.6), (CENTRE_X + width, y + 1))
            parts.append(path(line, stroke=brush.crease, width=0.8, opacity=0.5 * lines * strength))
    return "".join(parts)


def _round_lens(place: Callable[[float, float], Point], x: float, y: float, radius: float) -> str:
    k = 0.5523 * radius
    steps: list[str | Point] = ["M", place(x + radius, y)]
    for (ax, ay), (bx, by), (ex, ey) in (
        ((radius, k), (k, radius), (0, radius)),
        ((-k, radius), (-radius, k), (-radius, 0)),
        ((-radius, -k), (-k, -radius), (0, -radius)),
        ((k, -radius), (radius, -k), (radius, 0)),
    ):
        steps += ["C", place(x + ax, y + ay), place(x + bx, y + by), place(x + ex, y + ey)]
    return trace(*steps, "Z")


def _square_lens(place: Callable[[float, float], Point], x: float, y: float, wide: float, high: float) -> str:
    r = 3.2  # of the corners
    right, low = x + wide, y + high
    steps: list[str | Point] = ["M", place(x + r, y)]
    for corner, before, after in (
        ((right, y), (right - r, y), (right, y + r)),
        ((right, low), (right, low - r), (right - r, low)),
        ((x, low), (x + r, low), (x, low - r)),
        ((x, y), (x, y + r), (x + r, y)),
    ):
        steps += ["L", place(*before), "Q", place(*corner), place(*after)]
    return trace(*steps, "Z")


def draw_glasses(brush: Brush) -> str:
    """Thin frames, so that the eyes stay readable. They are flat and stand before the eyes."""
    kind = brush.who.glasses
    if kind == "none":
        return ""
    frame = "#26262c" if sum(brush.who.skin) > 260 else "#c9b27a"
    parts: list[str] = []
    nearness = brush.surface.point(*eye_centre(brush, 1), LIFT["glasses"], slide=False)[2]

    def lens_point(x: float, y: float) -> tuple[float, float]:
        return brush.project((x, y, nearness - 0.10 * max(0.0, abs(x - CENTRE_X) - 8.0)))

    for side in (-1, 1):
        x, y = eye_centre(brush, side)
        if kind == "round":
            d = _round_lens(lens_point, x, y + 0.6, 10.6)
        else:
            d = _square_lens(lens_point, x - 11.2, y - 7.6, 22.4, 16.6)
        parts.append(f'<path d="{d}" fill="#ffffff" fill-opacity="0.10" stroke="{frame}" stroke-width="1.4"/>')
        hinge = lens_point(x + side * 11.0, y - 1.5)
        root = (CENTRE_X + side * brush.half_width, y - 2.5)
        edge = brush.at(*root)
        ear = brush.project((root[0], root[1], 0.0))
        facing = brush.rig.pose.yaw * side < 0  # this side of the head comes into view
        if brush.surface.rests or facing:
            parts.append(path(trace("M", hinge, "L", ear), stroke=frame, width=1.3))
        elif side * (edge[0] - hinge[0]) > 0.4:  # on the other side the temple goes behind the face
            parts.append(path(trace("M", hinge, "L", edge), stroke=frame, width=1.3))
    a, b = eye_centre(brush, -1)[0] + 10.8, eye_centre(brush, 1)[0] - 10.8
    bridge = arc(lens_point(a, EYE_LINE - 0.5), lens_point(CENTRE_X, EYE_LINE - 2.4), lens_point(b, EYE_LINE - 0.5))
    parts.append(path(bridge, stroke=frame, width=1.4))
    return "".join(parts)
