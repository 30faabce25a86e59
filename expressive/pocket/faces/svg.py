"""The few SVG words the drawings need, with short numbers so that the renderer has little to read."""

from __future__ import annotations

from collections.abc import Sequence

from .identity import Colour, blend

Point = tuple[float, float]


def hexed(colour: Colour) -> str:
    """'#rrggbb' of a colour."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def through(start: Point, middle: Point, end: Point) -> Point:
    """The control point of the quadratic curve that passes through `middle` half-way."""
    return (2 * middle[0] - (start[0] + end[0]) / 2, 2 * middle[1] - (start[1] + end[1]) / 2)


def trace(*steps: str | Point) -> str:
    """Path data: command letters between the points that they take."""
    return "".join(step if isinstance(step, str) else f"{step[0]:.1f},{step[1]:.1f} " for step in steps)


def arc(start: Point, middle: Point, end: Point) -> str:
    """A path from `start` over `middle` to `end`."""
    return trace("M", start, "Q", through(start, middle, end), end)


def lens(left: Point, right: Point, top: Point, bottom: Point) -> str:
    """A closed almond with its corners at left and right, through `top` and `bottom`."""
    return trace("M", left, "Q", through(left, top, right), right, "Q", through(right, bottom, left), left, "Z")


def loop(vertices: Sequence[Point]) -> str:
    """A closed smooth outline through `vertices` (Catmull–Rom splines as cubic Béziers)."""
    count, parts = len(vertices), [trace("M", vertices[0])]
    for i in range(count):
        before, here, after, beyond = (vertices[(i + k) % count] for k in (-1, 0, 1, 2))
        first = (here[0] + (after[0] - before[0]) / 6, here[1] + (after[1] - before[1]) / 6)
        second = (after[0] - (beyond[0] - here[0]) / 6, after[1] - (beyond[1] - here[1]) / 6)
        parts.append(trace("C", first, second, after))
    return "".join(parts) + "Z"


def path(d: str, fill: str = "none", stroke: str = "", width: float = 1.0, opacity: float = 1.0) -> str:
    """A path element; round caps and joins."""
    line = (
        f' stroke="{stroke}" stroke-width="{width:.2f}" stroke-linecap="round" stroke-linejoin="round"'
        if stroke
        else ""
    )
    veil = f' opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<path d="{d}" fill="{fill}"{line}{veil}/>'


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, opacity: float = 1.0, extra: str = "") -> str:
    """An ellipse element."""
    veil = f' opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.2f}" ry="{ry:.2f}" fill="{fill}"{veil}{extra}/>'


def fading(name: str, centre: Point, radius: float, inner: Colour, outer: Colour) -> str:
    """A radial gradient in picture coordinates, to be used as url(#name)."""
    place = f'cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}"'
    return (
        f'<radialGradient id="{name}" gradientUnits="userSpaceOnUse" {place}>'
        f'<stop offset="0" stop-color="{hexed(inner)}"/><stop offset="1" stop-color="{hexed(outer)}"/></radialGradient>'
    )


def stepped(name: str, centre: Point, radius: float, stops: Sequence[tuple[float, Colour]]) -> str:
    """A radial gradient in picture coordinates through several colours, each at its share of the radius."""
    place = f'cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}"'
    inner = "".join(f'<stop offset="{at:.2f}" stop-color="{hexed(colour)}"/>' for at, colour in stops)
    return f'<radialGradient id="{name}" gradientUnits="userSpaceOnUse" {place}>{inner}</radialGradient>'


def falling(name: str, top: float, bottom: float, first: Colour, last: Colour) -> str:
    """A vertical linear gradient in picture coordinates, to be used as url(#name)."""
    return (
        f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{top:.1f}" y2="{bottom:.1f}">'
        f'<stop offset="0" stop-color="{hexed(first)}"/><stop offset="1" stop-color="{hexed(last)}"/></linearGradient>'
    )


def darker(colour: Colour, share: float) -> Colour:
    """Towards a warm black."""
    return blend(colour, (26, 12, 16), share)


def lighter(colour: Colour, share: float) -> Colour:
    """Towards white."""
    return blend(colour, (255, 255, 255), share)
