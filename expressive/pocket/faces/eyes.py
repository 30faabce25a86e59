"""Eyes, brows and glasses."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .rig import Brow, Eye
from .svg import Point, arc, darker, ellipse, hexed, lens, lighter, path, trace

HALF_EYE, LID = 7.9, 5.4  # half the eye's width, and the lids' distance from its axis at rest


def eye_centre(brush: Brush, side: int) -> Point:
    """side −1 is the picture's left eye, +1 the right one."""
    return (CENTRE_X + side * 13.6 * brush.who.eye_distance * brush.who.head_width, EYE_LINE)


def draw_eye(brush: Brush, side: int) -> tuple[str, str]:
    """One eye: (definitions, picture)."""
    state: Eye = brush.rig.eyes[0 if side < 0 else 1]
    x, y = eye_centre(brush, side)
    size = brush.who.eye_size
    half, lid = HALF_EYE * size, LID * size
    inner, outer = (x - side * half, y + 0.4), (x + side * half, y - brush.who.eye_tilt)
    left, right = (inner, outer) if side > 0 else (outer, inner)
    top = (x - side * state.slant * 0.9, y - lid * state.upper - state.slant * 0.25)
    bottom = (x, y + lid * state.lower * 0.78)
    opening = bottom[1] - top[1]
    lash = hexed(darker(brush.who.brow_colour, 0.6))
    parts: list[str] = []
    definitions = ""
    shut = opening < 1.1
    if not shut:
        shape = lens(left, right, top, bottom)
        definitions = f'<clipPath id="eye{side}"><path d="{shape}"/></clipPath>'
        gx, gy = brush.rig.gaze[0] * 3.0 * size, brush.rig.gaze[1] * 2.2 * size
        ix, iy, radius = x + gx, y - 0.3 + gy, 4.25 * size
        iris = brush.who.iris
        ball = path(shape, "#ffffff" if brush.cartoon else "#f6f3f0")
        rim = hexed(darker(iris, 0.45))
        parts.append(
            ball
            + f'<g clip-path="url(#eye{side})">'
            + ellipse(ix, iy, radius, radius, hexed(lighter(iris, 0.12)), extra=f' stroke="{rim}" stroke-width="0.9"')
            + ellipse(ix, iy, radius * 0.5, radius * 0.5, "#140e10")
            + ellipse(ix + 1.4, iy - 1.6, 1.2, 1.2, "#ffffff")
            + (
                ""
                if brush.cartoon
                else path(arc(left, (top[0], top[1] + 0.9), right), stroke="#4a3a40", width=1.6, opacity=0.35)
            )
            + "</g>"
        )
        parts.append(path(arc(left, bottom, right), stroke=brush.crease, width=0.8, opacity=0.75))
    parts.append(
        path(arc(left, bottom if shut else top, right), stroke=lash, width=1.9 if brush.who.gender == "woman" else 1.5)
    )
    if brush.who.gender == "woman":
        flick = (outer[0] + side * 2.0, outer[1] - (1.6 if not shut else -0.8))
        parts.append(path(trace("M", outer, "L", flick), stroke=lash, width=1.2))
    fold = 2.2 if not shut else 4.6
    crease = arc(
        (left[0] + 0.8, left[1] - fold), (top[0], min(top[1], y - 1.5) - fold), (right[0] - 0.8, right[1] - fold)
    )
    parts.append(path(crease, stroke=brush.crease, width=0.8, opacity=0.6))
    if state.crow > 0.15:
        strength = min(1.0, state.crow)
        cheek = arc((x - side * 5, y + 8.6), (x, y + 9.6), (x + side * 7, y + 7.4))
        parts.append(path(cheek, stroke=brush.crease, width=0.9, opacity=0.55 * strength))
        for rise in (-1.8, 1.2):
            a, b = (
                (outer[0] + side * 2.2, outer[1] + 0.6 + rise * 0.4),
                (outer[0] + side * 5.2, outer[1] + 0.8 + rise * 1.5),
            )
            parts.append(path(trace("M", a, "L", b), stroke=brush.crease, width=0.7, opacity=0.5 * strength))
    if brush.who.age > 55:
        bag = arc((x - side * 5.5, y + 6.2), (x, y + 8.2), (x + side * 5.5, y + 6.4))
        parts.append(path(bag, stroke=brush.crease, width=0.7, opacity=0.4))
    return definitions, "".join(parts)


def draw_brow(brush: Brush, side: int) -> str:
    """One eyebrow: a tapering stroke from the nose's root outwards."""
    state: Brow = brush.rig.brows[0 if side < 0 else 1]
    x, y = eye_centre(brush, side)
    thick = 2.5 * brush.who.brow_thickness
    rest = y - 10.6
    inner = (x - side * (8.0 + state.pinch), rest + 0.9 - state.inner)
    middle = (x + side * 0.8, rest - 1.7 - state.middle)
    outer = (x + side * 9.6, rest + 1.3 - state.outer)
    top = arc(inner, middle, outer)
    back = (
        2 * middle[0] - (inner[0] + outer[0]) / 2,
        2 * (middle[1] + thick) - (inner[1] + thick * 1.1 + outer[1] + 0.4) / 2,
    )
    shape = top + trace("L", (outer[0], outer[1] + 0.4), "Q", back, (inner[0], inner[1] + thick * 1.1), "Z")
    colour = hexed(brush.who.brow_colour)
    return path(shape, colour, stroke=colour, width=0.9)


def draw_brow_lines(brush: Brush) -> str:
    """Wrinkles that brows make: upright between them, level on the forehead."""
    parts: list[str] = []
    frown = min(1.0, brush.rig.frown)
    if frown > 0.2:
        for side in (-1, 1):
            a, b = (CENTRE_X + side * 1.9, EYE_LINE - 12.6), (CENTRE_X + side * 1.4, EYE_LINE - 7.0)
            parts.append(path(trace("M", a, "L", b), stroke=brush.crease, width=1.0, opacity=0.75 * frown))
    lines = min(1.0, brush.rig.forehead + max(0, brush.who.age - 58) / 60)
    if lines > 0.3:
        for row, width in ((-21.5, 9.0), (-18.4, 11.0)):
            y = EYE_LINE + row
            line = arc((CENTRE_X - width, y + 1), (CENTRE_X, y - 0.6), (CENTRE_X + width, y + 1))
            parts.append(path(line, stroke=brush.crease, width=0.8, opacity=0.5 * lines))
    return "".join(parts)


def draw_glasses(brush: Brush) -> str:
    """Thin frames, so that the eyes stay readable."""
    kind = brush.who.glasses
    if kind == "none":
        return ""
    frame = "#26262c" if sum(brush.who.skin) > 260 else "#c9b27a"
    parts: list[str] = []
    for side in (-1, 1):
        x, y = eye_centre(brush, side)
        if kind == "round":
            shape = f'<circle cx="{x:.1f}" cy="{y + 0.6:.1f}" r="10.6"'
        else:
            shape = f'<rect x="{x - 11.2:.1f}" y="{y - 7.6:.1f}" width="22.4" height="16.6" rx="3.2"'
        parts.append(f'{shape} fill="#ffffff" fill-opacity="0.10" stroke="{frame}" stroke-width="1.4"/>')
        edge, temple = x + side * 11.0, CENTRE_X + side * brush.half_width
        parts.append(path(trace("M", (edge, y - 1.5), "L", (temple, y - 2.5)), stroke=frame, width=1.3))
    a, b = eye_centre(brush, -1)[0] + 10.8, eye_centre(brush, 1)[0] - 10.8
    parts.append(
        path(arc((a, EYE_LINE - 0.5), (CENTRE_X, EYE_LINE - 2.4), (b, EYE_LINE - 0.5)), stroke=frame, width=1.4)
    )
    return "".join(parts)
