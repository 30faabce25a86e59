"""A scene as SVG, and SVG as pixels."""

from __future__ import annotations

import numpy as np

from .. import faces
from .scene import Scene


def draw(scene: Scene) -> str:
    """The SVG of a scene: 128 × 128 units."""
    return faces.draw(
        scene.identity,
        scene.action_units,
        scene.emotion.signs(),
        style=scene.style,
        pose=scene.pose,
        background=scene.background,
    )


def render(svg: str, size: int = 128) -> np.ndarray:
    """Pixels of an SVG: uint8 [size, size, 3], sRGB. Raises ImportError with the remedy where resvg-py is missing."""
    return faces.render(svg, size)


def picture(scene: Scene, size: int = 128) -> np.ndarray:
    """Pixels of a scene: uint8 [size, size, 3], sRGB."""
    return render(draw(scene), size)
