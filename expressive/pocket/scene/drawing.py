"""A scene as SVG, and SVG as pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from ..body import Body, draw_body, joints
from ..body import silhouettes as body_silhouettes
from ..faces.backdrop import draw_backdrop
from ..faces.brush import Brush
from ..faces.drawing import draw_head
from ..faces.drawing import silhouettes as head_silhouettes
from ..faces.lighting import draw_veil, shade
from ..faces.rig import rig
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
        paints, shades = zip(*(shade(brush, light, part) for part in ("head", "body")), strict=True)
        definitions += "".join(paints)
        behind, trunk, before, raised = _layers(brush, body)
        back += _cut("lit-back", behind, shades[0])
        torso += _cut("lit-body", trunk, shades[1])
        front += _cut("lit-head", before, shades[0])
        hands += _cut("lit-hands", raised, shades[1])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.2f} {top:.2f} {side:.2f} {side:.2f}">'
        f"<defs>{definitions}</defs>{backdrop}{back}{torso}{front}{hands}{draw_veil(light, view)}</svg>"
    )


def _layers(brush: Brush, body: Body) -> tuple[list[str], list[str], list[str], list[str]]:
    """Outlines of what lies behind the body, of the body, of the head, and of the arms before it."""
    head = head_silhouettes(brush)
    behind = [d for region, d in head if region == "hair_back"]
    before = [d for region, d in head if region != "hair_back"]
    arms = joints(brush, body)
    lifted = tuple(side for side, arm in (("left", arms.left), ("right", arms.right)) if arm.raised)
    regions = body_silhouettes(brush, body)
    raised = [d for region, d in regions if region.startswith(lifted)] if lifted else []
    trunk = [d for region, d in regions if not (lifted and region.startswith(lifted))]
    return behind, trunk, before, raised


def _cut(name: str, outlines: Sequence[str], content: str) -> str:
    """`content` where any of the outlines is."""
    if not outlines or not content:
        return ""
    shapes = "".join(f'<path d="{d}"/>' for d in outlines)
    return f'<clipPath id="{name}">{shapes}</clipPath><g clip-path="url(#{name})">{content}</g>'


def render(svg: str, size: int = 128) -> np.ndarray:
    """Pixels of an SVG: uint8 [size, size, 3], sRGB. Raises ImportError with the remedy where resvg-py is missing."""
    from PIL import Image

    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(
            "Drawing avatars needs the package resvg-py: pip install resvg-py, then start again."
        ) from error

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB"))


def picture(scene: Scene, size: int = 128) -> np.ndarray:
    """Pixels of a scene: uint8 [size, size, 3], sRGB."""
    return render(draw(scene), size)
