"""What is behind a person: colours, and a few simple places."""

from __future__ import annotations

from .identity import Colour
from .svg import ellipse, fading, falling, hexed

BACKGROUNDS: tuple[tuple[Colour, Colour], ...] = (  # middle and edge; flat styles take the first
    ((150, 158, 170), (84, 92, 104)),
    ((160, 212, 232), (92, 150, 182)),
    ((208, 190, 232), (138, 116, 172)),
    ((240, 226, 200), (186, 160, 122)),
    ((186, 222, 190), (112, 160, 120)),
    ((244, 244, 242), (206, 206, 204)),
    ((255, 255, 255), (255, 255, 255)),  # plain white
    ((226, 168, 128), (168, 104, 78)),  # warm wall
    ((226, 222, 214), (190, 182, 170)),  # a room with a window
    ((158, 200, 214), (104, 146, 96)),  # outdoors, out of focus
    ((38, 42, 74), (18, 18, 38)),  # a city at night
    ((214, 226, 232), (176, 196, 206)),  # a patterned wall
)

_PLAIN, _WINDOW, _OUTDOORS, _NIGHT, _PATTERN = 6, 8, 9, 10, 11


def draw_backdrop(index: int, shaded: bool, view: tuple[float, float, float]) -> tuple[str, str]:
    """(definitions, picture) filling the square `view` (left, top, side). index: into BACKGROUNDS, wrapping around."""
    index %= len(BACKGROUNDS)
    middle, edge = BACKGROUNDS[index]
    left, top, side = view
    unit = side / 128
    plain = not shaded or index == _PLAIN
    fill = hexed(middle) if plain else "url(#room)"
    definitions = ""
    if not plain:
        definitions = (
            falling("room", top, top + side * 0.9, middle, edge)
            if index == _OUTDOORS
            else fading("room", (left + 64 * unit, top + 52 * unit), 92 * unit, middle, edge)
        )
    parts = [f'<rect x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}" fill="{fill}"/>']
    place = {_WINDOW: _window, _OUTDOORS: _outdoors, _NIGHT: _night, _PATTERN: _pattern}.get(index)
    if place is not None:
        content = place(flat=not shaded)
        parts.append(f'<g transform="translate({left:.1f} {top:.1f}) scale({unit:.3f})">{content}</g>')
    return definitions, "".join(parts)


def _window(flat: bool) -> str:
    sky = "#cfe6f4" if flat else "#dcecf6"
    return (
        f'<rect x="76" y="6" width="46" height="62" fill="{sky}" stroke="#f7f5f0" stroke-width="4"/>'
        '<path d="M99,6V68M76,34H122" stroke="#f7f5f0" stroke-width="2.4"/>'
        '<rect x="0" y="0" width="14" height="128" fill="#c2a98c" opacity="0.35"/>'
    )


def _outdoors(flat: bool) -> str:
    spots = ((12, 70, 26, "#6f9f62"), (112, 66, 30, "#7cab6a"), (40, 96, 30, "#8fb878"), (92, 104, 32, "#7ba867"))
    veil = 1.0 if flat else 0.7
    ground = '<rect x="0" y="86" width="128" height="42" fill="#86ad6e"/>'
    return (
        "".join(ellipse(x, y, r, r * 0.8, c, veil) for x, y, r, c in spots[:2])
        + ground
        + "".join(ellipse(x, y, r, r * 0.4, c, 0.5 * veil) for x, y, r, c in spots[2:])
    )


def _night(flat: bool) -> str:
    lights = (
        (12, 30, 4.5, "#f6c667"), (24, 56, 3.2, "#f08a5d"), (8, 84, 5.0, "#7fb2ff"), (34, 14, 2.8, "#ffe3a6"),
        (104, 22, 4.2, "#7fb2ff"), (118, 48, 5.2, "#f6c667"), (98, 70, 3.0, "#e86fa0"), (120, 92, 4.0, "#ffe3a6"),
    )  # fmt: skip
    veil = 0.85 if flat else 0.6
    blocks = '<path d="M0,128V58H18V44H34V70H92V38H110V60H128V128Z" fill="#12122a" opacity="0.7"/>'
    return blocks + "".join(ellipse(x, y, r, r, c, veil) for x, y, r, c in lights)


def _pattern(flat: bool) -> str:
    tone = "#9fbccb" if flat else "#a9c2ce"
    rows = "".join(
        f"M{x},{y}l5,-5l5,5l-5,5z"
        for row, y in enumerate(range(6, 128, 20))
        for x in range(-5 + 10 * (row % 2), 128, 20)
    )
    return f'<path d="{rows}" fill="{tone}" opacity="0.6"/>'
