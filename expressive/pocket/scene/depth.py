"""Depth and person mask: renders of the drawing's silhouettes say what a pixel shows, formulas how near it is.

Distances are z in drawing units towards the viewer, 0 at the head's axis. The background is a wall at WALL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..body import ArmJoints, Body, Joints
from ..body import silhouettes as body_silhouettes
from ..body.clothes import LOW, neck_outline, torso_outline
from ..body.skeleton import MIDDLE
from ..faces.brush import Brush
from ..faces.drawing import silhouettes as head_silhouettes
from .depth_head import HeadDepth
from .drawing import render
from .landmarks_covered import heights_of

WALL = -70.0
HAIR, HAIR_BEHIND = 2.0, -9.0  # hair before the head's surface; hair behind the head, before the head's edge
NECK = (-12.0, 13.0, 14.0)  # z of the neck's edge, how much nearer its middle is, half its width
TORSO = (-16.0, 20.0, 62.0)  # the same of the torso

_ON_HEAD = ("head", "hair_side", "hair_front")

View = tuple[float, float, float]
"""Left, top and side of the square that the picture shows, in drawing units."""


def regions(brush: Brush, body: Body, skeleton: Joints, bottom: float = LOW) -> list[tuple[str, str]]:
    """(region, path data) of head and body from back to front, as they are drawn.

    bottom: the frame's lower edge; arms may be left out where both hang below it.
    """
    raised = [side for side, arm in (("left", skeleton.left), ("right", skeleton.right)) if arm.raised]
    head = head_silhouettes(brush)
    if min(_top(skeleton.left), _top(skeleton.right)) < bottom:
        trunk = body_silhouettes(brush, body)
    else:
        trunk = [("neck", neck_outline(brush)), ("torso", torso_outline(brush, body))]
    before = [item for item in trunk if item[0].split("_")[0] in raised]
    return [
        *(item for item in head if item[0] == "hair_back"),
        *(item for item in trunk if item not in before),
        *(item for item in head if item[0] != "hair_back"),
        *before,
    ]


def _top(arm: ArmJoints) -> float:
    """A y that nothing of the arm lies above."""
    return min(arm.shoulder[1], arm.elbow[1], *(point[1] for point in arm.hand)) - 20.0


def region_map(shapes: Sequence[tuple[str, str]], view: View, size: int, outline: float = 0.0) -> np.ndarray:
    """Which region each pixel shows: uint8 [size, size], 0 the background, i + 1 for shapes[i].

    outline: the width of the lines around parts, which belong to them.
    """
    left, top, side = view
    box = f'width="128" height="128" viewBox="{left:.2f} {top:.2f} {side:.2f} {side:.2f}" stroke-width="{outline:.2f}"'
    found = np.zeros((size, size), np.uint8)
    for first in range(0, len(shapes).bit_length(), 3):  # three bits a render: one in each of red, green and blue
        parts: list[str] = []
        for k, (_, d) in enumerate(shapes, start=1):
            colour = "#" + "".join("ff" if k >> first + bit & 1 else "00" for bit in range(3))
            line = f' stroke="{colour}"' if outline else ""
            parts.append(f'<path d="{d}" fill="{colour}"{line}/>')
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}</svg>'
        # where two regions share a pixel, all bits in which they differ go to the one that has more of it
        found |= np.packbits(render(svg, size)[..., ::-1] >= 128, axis=-1)[..., 0] >> 5 << first
    for shift, axis in ((1, 1), (-1, 1), (1, 0), (-1, 0)):  # where three meet, their bits may add up to none of them:
        found = np.where(found > len(shapes), np.roll(found, shift, axis), found)  # such a pixel is as one beside it
    return np.where(found > len(shapes), 0, found).astype(np.uint8)


def depth_and_mask(brush: Brush, body: Body, skeleton: Joints, view: View, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth float32 [size, size], 0 the nearest pixel of the person … 1 the background; mask bool [size, size]."""
    left, top, side = view
    shapes = regions(brush, body, skeleton, top + side)
    shown = region_map(shapes, view, size, brush.outline_width if brush.outline else 0.0)
    mask = shown > 0
    at = np.flatnonzero(shown)
    which = shown.ravel()[at] - 1
    xs, ys = left + (at % size + 0.5) * (side / size), top + (at // size + 0.5) * (side / size)
    heights = np.full(size * size, WALL)
    heights[at] = _heights([name for name, _ in shapes], which, xs, ys, HeadDepth(brush), skeleton)
    nearest = max(float(heights.max()), WALL + 1.0)
    return ((nearest - heights) / (nearest - WALL)).astype(np.float32).reshape(size, size), mask


def _heights(
    names: list[str], which: np.ndarray, xs: np.ndarray, ys: np.ndarray, head: HeadDepth, skeleton: Joints
) -> np.ndarray:
    """z [N] of the points (xs, ys), of which each shows the region names[which]."""
    heights = np.zeros(len(which))
    on_head = np.isin(which, [k for k, name in enumerate(names) if name in _ON_HEAD])
    if on_head.any():
        heights[on_head] = head.skin(xs[on_head], ys[on_head])
    for k, name in enumerate(names):
        here = np.flatnonzero(which == k)
        if not len(here):
            continue
        x, y = xs[here], ys[here]
        side, _, part = name.partition("_")
        if part in ("arm", "hand"):
            arm = skeleton.left if side == "left" else skeleton.right
            heights[here] = heights_of(np.stack([x, y], axis=1), arm, part)
        elif name in ("neck", "torso"):
            edge, bulge, half = NECK if name == "neck" else TORSO
            heights[here] = edge + bulge * np.sqrt(np.maximum(0.0, 1 - ((x - MIDDLE) / half) ** 2))
        elif name == "ear":
            heights[here] = head.ears(x)
        elif name == "hair_back":
            heights[here] = head.edge(x, y) + HAIR_BEHIND
        else:
            heights[here] += head.nose(x, y) if name == "head" else HAIR
    return heights
