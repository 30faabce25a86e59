"""A head as SVG: what lies behind the body, what lies before it, and its silhouettes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import hair, head
from .beard import draw_beard, draw_moustache
from .brush import Brush
from .eyes import draw_brow, draw_brow_lines, draw_eye, draw_glasses
from .identity import blend
from .mouth import draw_mouth
from .nose import draw_nose
from .svg import darker, fading, falling, hexed, lighter, stepped


@dataclass(frozen=True)
class HeadDrawing:
    """SVG in drawing units. back is drawn before the body, front after it."""

    definitions: str
    back: str
    front: str


def draw_head(brush: Brush, signs: Mapping[str, float] | None = None) -> HeadDrawing:
    """A head in its pose. signs: 'blush', 'tears', 'sweat' → 0..1."""
    signs = signs or {}
    definitions = _paints(brush)
    eyes: list[str] = []
    for side in (-1, 1):
        clip, eye = draw_eye(brush, side)
        definitions.append(clip)
        eyes.append(eye)
    clip, lips = draw_mouth(brush)
    definitions.append(clip)
    if brush.cel:
        definitions.append(f'<clipPath id="head"><path d="{head.skull_path(brush)}"/></clipPath>')
    front = (
        head.draw_far_ears(brush),
        head.draw_skull(brush),
        head.draw_jaw_shade(brush),
        hair.draw_side(brush),
        head.draw_cheeks(brush),
        head.draw_fringe_shadow(brush, "".join(hair.front_paths(brush))) if brush.cel else "",
        draw_beard(brush),
        head.draw_near_ear(brush),
        draw_brow_lines(brush),
        *eyes,
        draw_nose(brush),
        lips,
        draw_moustache(brush),
        draw_brow(brush, -1),
        draw_brow(brush, 1),
        draw_glasses(brush),
        head.draw_signs(brush, signs),
        hair.draw_front(brush),
        f'<g opacity="0.6">{draw_brow(brush, -1)}{draw_brow(brush, 1)}</g>' if brush.cel else "",
        head.draw_sweat(brush, signs.get("sweat", 0.0)),
    )
    return HeadDrawing("".join(definitions), hair.draw_back(brush), "".join(front))


def _paints(brush: Brush) -> list[str]:
    if not brush.shaded:
        return []
    skin = brush.who.skin
    x, y = brush.project((58.0, 50.0, 24.0))
    if brush.measures.volume:
        warm = blend(skin, (214, 96, 70), 0.10)
        stops = ((0.0, lighter(warm, 0.24)), (0.45, warm), (0.84, darker(warm, 0.34)), (1.0, lighter(warm, 0.12)))
        paints = [stepped("skin", (x, y), 53, stops)]
    else:
        paints = [fading("skin", (x, y), 62, lighter(skin, 0.14), darker(skin, 0.24))]
    paints.append(falling("hair", 16, 110, *hair.hair_gradient(brush)))
    if brush.measures.nose == "ball":
        inner, outer = hexed(lighter(skin, 0.14)), hexed(darker(skin, 0.13))
        paints.append(
            f'<radialGradient id="nose" cx="0.42" cy="0.32" r="0.75"><stop offset="0" stop-color="{inner}"/>'
            f'<stop offset="1" stop-color="{outer}"/></radialGradient>'
        )
    return paints


def silhouettes(brush: Brush) -> list[tuple[str, str]]:
    """(region, path data) in the order of drawing: 'hair_back', 'ear', 'head', 'hair_side', 'hair_front'."""
    near = head.near_ear(brush)
    side = hair.side_path(brush)
    return [
        *(("hair_back", d) for d in hair.back_paths(brush)),
        *(("ear", head.ear_path(brush, k)) for k in (-1, 1) if k != near),
        ("head", head.skull_path(brush)),
        *([("hair_side", side)] if side else []),
        *([("ear", head.ear_path(brush, near))] if near else []),
        *(("hair_front", d) for d in hair.front_paths(brush)),
    ]
