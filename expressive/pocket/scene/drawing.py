"""A scene as SVG and as pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..body import Body, draw_body, joints
from ..body import silhouettes as body_silhouettes
from ..body.clothes import SEAM, neck_outline, torso_outline
from ..faces.backdrop import draw_backdrop
from ..faces.brush import Brush
from ..faces.drawing import draw_head
from ..faces.drawing import silhouettes as head_silhouettes
from ..faces.lighting import draw_veil, shade
from ..faces.rendering import render
from ..faces.rig import rig
from ..faces.svg import path
from .scene import FRAMES, Light, Scene


def brush_of(scene: Scene) -> Brush:
    """What draws the person of a scene."""
    return Brush(scene.identity, rig(scene.action_units, scene.pose), scene.style)


def view_box(scene: Scene) -> tuple[float, float, float]:
    """Left, top and side of the square that the picture shows, in drawing units."""
    left, top, side = FRAMES[scene.frame]
    camera = scene.camera
    shown = side / camera.zoom
    return left + (side - shown) / 2 + camera.x * side, top + (side - shown) / 2 + camera.y * side, shown


def draw(scene: Scene) -> str:
    """The SVG of a scene: a square in drawing units."""
    return compose(brush_of(scene), scene.emotion.signs(), scene.body, scene.light, scene.background, view_box(scene))


def compose(
    brush: Brush,
    signs: Mapping[str, float],
    body: Body | None = None,
    light: Light | None = None,
    background: int = 0,
    view: tuple[float, float, float] = FRAMES["face"],
) -> str:
    """The SVG of a person; view: left, top and side of the square that is shown."""
    body, light = body or Body(), light or Light()
    left, top, side = view
    head = draw_head(brush, signs)
    figure = draw_body(brush, body, bottom=top + side)
    definitions, backdrop = draw_backdrop(background, brush.shaded, view)
    definitions += head.definitions + figure.definitions
    back, torso, front = head.back, figure.torso, head.front
    hands = figure.hands
    if light.strength > 0.02:
        definitions += shade(brush, light, "head") + shade(brush, light, "body")
        regions = head_silhouettes(brush)
        back += _veiled("head", [d for region, d in regions if region == "hair_back"])
        front += _veiled("head", [d for region, d in regions if region != "hair_back"])
        trunk, raised = _body_shade(brush, body, view)
        torso += trunk
        hands += raised
    box = f"{left:.2f} {top:.2f} {side:.2f} {side:.2f}"
    return (  # with a size of whole pixels, since the renderer leaves the last row of a fractional one empty
        f'<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128" viewBox="{box}">'
        f"<defs>{definitions}</defs>{backdrop}{back}{torso}{front}{hands}{draw_veil(light, view)}</svg>"
    )


def _veiled(part: str, outlines: Sequence[str]) -> str:
    """The shade of a part over its outlines, which all run clockwise: where they overlap they shade once."""
    return path("".join(outlines), f"url(#shade-{part})") if outlines else ""


def _body_shade(brush: Brush, body: Body, view: tuple[float, float, float]) -> tuple[str, str]:
    """The shade on the body and on the arms that are raised before it."""
    arms = joints(brush, body)
    lifted = tuple(side for side, arm in (("left", arms.left), ("right", arms.right)) if arm.raised)
    hanging = view[1] + view[2] >= SEAM  # else hanging arms lie outside of the picture
    regions = body_silhouettes(brush, body) if lifted or hanging else []
    raised = _cut("raised", [d for region, d in regions if lifted and region.startswith(lifted)], view)
    if hanging:
        return _cut("trunk", [d for region, d in regions if not (lifted and region.startswith(lifted))], view), raised
    torso = torso_outline(brush, body)  # twice, so that whichever way the neck runs round it does not cut a hole
    return _veiled("body", [torso, torso, neck_outline(brush)]), raised


def _cut(name: str, outlines: Sequence[str], view: tuple[float, float, float]) -> str:
    """The body's shade where any of the outlines is."""
    if not outlines:
        return ""
    shapes = "".join(f'<path d="{d}"/>' for d in outlines)
    left, top, side = view
    place = f'x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}"'
    return (
        f'<clipPath id="lit-{name}">{shapes}</clipPath>'
        f'<rect {place} fill="url(#shade-body)" clip-path="url(#lit-{name})"/>'
    )


def picture(scene: Scene, size: int = 128) -> np.ndarray:
    """Pixels of a scene: uint8 [size, size, 3], sRGB."""
    return render(draw(scene), size)
