"""The head without hair: skull, ears, cheeks, and what shows on the skin."""

from __future__ import annotations

from collections.abc import Mapping

from .brush import CENTRE_X, EYE_LINE, Brush
from .shapes import eye_centre, head_outline
from .surface import Point3
from .svg import Point, arc, darker, hexed, path, trace

_FRECKLES = ((-17, 11), (-13, 13), (-19, 15), (-9, 11), (17, 11), (13, 13), (19, 15), (9, 11))
_BEND = 0.5523  # of a quarter circle as a cubic Bézier curve


def draw_skull(brush: Brush) -> str:
    """The head's outline filled with skin."""
    fill = "url(#skin)" if brush.shaded else hexed(brush.who.skin)
    return path(skull_path(brush), fill, stroke=brush.outline, width=brush.outline_width + 0.1)


def skull_path(brush: Brush) -> str:
    """Path data of the head without hair and ears."""
    return brush.loop(head_outline(brush))


def ear_path(brush: Brush, side: int) -> str:
    """Path data of an ear; side −1 is the picture's left."""
    return _ear(brush, side, 1.0)


def _ear_point(brush: Brush, side: int, across: float, down: float) -> Point:
    """across −1 (towards the face) … 1 (the rim), down −1 … 1 → picture."""
    x = CENTRE_X + side * (brush.half_width + 0.5 + 4.6 * across)
    point: Point3 = (x, EYE_LINE + 6 + 7.6 * down, -2.5 - 5.0 * across)
    return brush.project(point)


def _ear(brush: Brush, side: int, front: float) -> str:
    """A closed ear: the outer half of an ellipse, and `front` (0..1) of its inner half."""

    def at(across: float, down: float) -> Point:
        return _ear_point(brush, side, across if across > 0 else across * front, down)

    k = _BEND
    points = [
        at(0, -1), at(k, -1), at(1, -k), at(1, 0), at(1, k), at(k, 1), at(0, 1),
        at(-k, 1), at(-1, k), at(-1, 0), at(-1, -k), at(-k, -1), at(0, -1),
    ]  # fmt: skip
    return (
        trace("M", points[0], "C", *points[1:], "Z") if side > 0 else trace("M", points[-1], "C", *points[-2::-1], "Z")
    )


def _shell(brush: Brush, side: int) -> str:
    """The line within an ear."""
    y = EYE_LINE + 6
    x = CENTRE_X + side * (brush.half_width + 0.5)
    a, m, b = (
        brush.project((x + dx, y + dy, z))
        for dx, dy, z in ((-side, -4.0, -1.5), (side * 2.0, -1.0, -4.5), (0.0, 3.0, -2.5))
    )
    return path(arc(a, m, b), stroke=brush.crease, width=0.9, opacity=0.6)


def near_ear(brush: Brush) -> int:
    """The ear that lies before the head: −1 or 1; 0 where both stand out behind its edge."""
    yaw = brush.rig.pose.yaw
    return 0 if abs(yaw) < 4.0 else (-1 if yaw > 0 else 1)


def draw_far_ears(brush: Brush) -> str:
    """The ears whose inner half the head hides."""
    fill = hexed(darker(brush.who.skin, 0.10))
    return "".join(
        path(ear_path(brush, side), fill, stroke=brush.outline, width=brush.outline_width) + _shell(brush, side)
        for side in (-1, 1)
        if side != near_ear(brush)
    )


def draw_near_ear(brush: Brush) -> str:
    """The ear on the side that a turned head shows."""
    side = near_ear(brush)
    if not side:
        return ""
    front = min(1.0, 0.1 + (abs(brush.rig.pose.yaw) - 4.0) / 18.0)
    k = _BEND
    rim = trace(
        "M", _ear_point(brush, side, 0, -1), "C",
        *(_ear_point(brush, side, *p) for p in ((k, -1), (1, -k), (1, 0), (1, k), (k, 1), (0, 1))),
    )  # fmt: skip
    fill = hexed(darker(brush.who.skin, 0.06))
    edge = path(rim, stroke=brush.outline or brush.crease, width=brush.outline_width if brush.outline else 0.9)
    return path(_ear(brush, side, front), fill) + edge + _shell(brush, side)


def draw_jaw_shade(brush: Brush) -> str:
    """The jaw's underside, which shows as the head looks up."""
    pitch = brush.rig.pose.pitch
    if pitch < 3.0:
        return ""
    outline = head_outline(brush)
    low = [outline[5], outline[6], (CENTRE_X, brush.chin), outline[7], outline[8]]
    edge = brush.spots(low)
    front = [brush.project(brush.surface.point(x, y - 0.5, 0.0, slide=False)) for x, y in reversed(low[1:-1])]
    shape = trace("M", edge[0], "Q", edge[1], edge[2], "Q", edge[3], edge[4])
    shape += trace("Q", front[0], front[1], "Q", front[2], edge[0], "Z")
    return path(shape, hexed(darker(brush.who.skin, 0.3)), opacity=min(0.6, 0.04 * pitch))


def draw_cheeks(brush: Brush) -> str:
    """Warm cheeks and freckles."""
    who, parts = brush.who, []
    if brush.shaded:
        parts = [
            brush.ellipse(CENTRE_X + s * 17, EYE_LINE + 15, rx, ry, "#de6058", 0.075 if brush.measures.volume else 0.05)
            for s in (-1, 1)
            for rx, ry in ((9, 6), (7, 4.6), (5, 3.2))
        ]
    if who.freckles:
        colour = hexed(darker(who.skin, 0.35))
        parts += [brush.ellipse(CENTRE_X + x, EYE_LINE + y, 0.9, 0.8, colour, 0.7) for x, y in _FRECKLES]
    return "".join(parts)


def draw_signs(brush: Brush, signs: Mapping[str, float]) -> str:
    """Blush and tears, each 0..1."""
    parts: list[str] = []
    blush = min(1.5, signs.get("blush", 0.0))
    if blush > 0.03:
        warm = "#e8434f" if sum(brush.who.skin) > 330 else "#c83c50"
        for side in (-1, 1):
            x, y = CENTRE_X + side * 18.0 * brush.who.head_width, EYE_LINE + 14
            parts.append(brush.ellipse(x, y, 7.4, 4.6, warm, min(0.62, 0.26 * blush)))
            parts.append(brush.ellipse(x, y, 5.2, 3.0, warm, min(0.7, 0.34 * blush)))
    tears = min(1.0, signs.get("tears", 0.0))
    if tears > 0.05:
        low = 4.2 * (brush.measures.eye_height - 1)
        for side in (-1, 1):
            x, y = eye_centre(brush, side)
            run = brush.trace(
                "M", (x + side * 1.5, y + 5 + low), "C", (x + side * 2.6, y + 9 + low), (x + side * 3.4, y + 11 + low),
                (x + side * 3.0, y + 6 + low + 15 * tears),
            )  # fmt: skip
            parts.append(path(run, stroke="#9ad6f6", width=2.4, opacity=0.85))
    return "".join(parts)


def draw_sweat(brush: Brush, amount: float) -> str:
    """A drop on the temple, over the hair."""
    sweat = min(1.0, amount)
    if sweat <= 0.05:
        return ""
    side = -1 if brush.rig.pose.yaw > 8 else 1
    x, y = brush.at(CENTRE_X + side * brush.half_width * 0.86, EYE_LINE - 15.0)
    s = 0.55 + 0.65 * sweat
    drop = trace(
        "M", (x, y - 5 * s), "C", (x + 1.4 * s, y - 1.5 * s), (x + 4 * s, y + 0.5 * s), (x + 3.4 * s, y + 3.6 * s),
        "C", (x + 2.6 * s, y + 6.6 * s), (x - 2.6 * s, y + 6.6 * s), (x - 3.4 * s, y + 3.6 * s),
        "C", (x - 4 * s, y + 0.5 * s), (x - 1.4 * s, y - 1.5 * s), (x, y - 5 * s), "Z",
    )  # fmt: skip
    return path(drop, "#8fd0f4", stroke="#3f86b4", width=0.9)


def draw_fringe_shadow(brush: Brush, fringe: str) -> str:
    """The hard shadow that hair throws on the forehead; `fringe` is the hair's path data."""
    if not brush.cel or not fringe:
        return ""
    tone = hexed(brush.shade(brush.who.skin))
    return f'<g clip-path="url(#head)"><path d="{fringe}" transform="translate(0 3)" fill="{tone}"/></g>'
