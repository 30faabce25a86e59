"""How near the parts of a turned head are: z in drawing units towards the viewer, 0 at the head's axis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..faces.brush import Brush
from ..faces.shapes import LIFT, head_outline, nose_shape
from ..faces.surface import CENTRE_X, EYE_LINE, depth_map
from .mesh_surface import stand, turned

COARSE = 2.5  # units between the points where the head's surface is solved for; between them it is interpolated


@dataclass(frozen=True)
class HeadDepth:
    """The head that a brush draws. Points are drawing units, arrays [N]."""

    brush: Brush

    @cached_property
    def _edge(self) -> tuple[float, float, np.ndarray, np.ndarray]:
        """The middle of the head's outline as seen; around it, angles and z of the outline's vertices."""
        frontal = np.pad(np.array(head_outline(self.brush)), ((0, 0), (0, 1)))
        x, y, z = turned(self.brush.surface, stand(self.brush.surface, frontal)).T
        middle_x, middle_y = float(x.mean()), float(y.mean())
        angles = np.arctan2(y - middle_y, x - middle_x)
        order = np.argsort(angles)
        return middle_x, middle_y, angles[order], z[order]

    def edge(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """z of the head's outline in the direction of each point, seen from its middle."""
        middle_x, middle_y, angles, z = self._edge
        return np.interp(np.arctan2(ys - middle_y, xs - middle_x), angles, z, period=2 * np.pi)

    def skin(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """z of the head's surface without nose; beside it, of its outline."""
        nodes_x = np.arange(xs.min() - COARSE, xs.max() + 2 * COARSE, COARSE)
        nodes_y = np.arange(ys.min() - COARSE, ys.max() + 2 * COARSE, COARSE)
        grid_x, grid_y = np.meshgrid(nodes_x, nodes_y)
        z = depth_map(grid_x, grid_y, self.brush.surface)
        beside = np.isnan(z)
        z[beside] = self.edge(grid_x[beside], grid_y[beside])
        across, down = (xs - nodes_x[0]) / COARSE, (ys - nodes_y[0]) / COARSE
        i, j = across.astype(int), down.astype(int)
        a, b = across - i, down - j
        upper = z[j, i] * (1 - a) + z[j, i + 1] * a
        lower = z[j + 1, i] * (1 - a) + z[j + 1, i + 1] * a
        return upper * (1 - b) + lower * b

    def nose(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """How far the nose stands before the head's surface: a ridge that rises from its root to its tip."""
        shape, surface = nose_shape(self.brush), self.brush.surface
        low, high = LIFT["nose_root"], LIFT["nose_tip"]
        (x, y), (tip_x, tip_y) = surface.at(CENTRE_X, EYE_LINE - 3.0, low), surface.at(CENTRE_X, shape.tip - 2.6, high)
        reach = 3.0 * shape.half
        near = (xs > min(x, tip_x) - reach) & (xs < max(x, tip_x) + reach)
        near &= (ys > min(y, tip_y) - reach) & (ys < max(y, tip_y) + reach)
        right, down, dx, dy = xs[near] - x, ys[near] - y, tip_x - x, tip_y - y
        share = np.clip((right * dx + down * dy) / max(1e-6, dx * dx + dy * dy), 0.0, 1.0)
        aside = (right - share * dx) ** 2 + (down - share * dy) ** 2
        width = shape.half * (0.5 + 0.5 * share)
        stands = np.zeros(len(xs))
        stands[near] = (low + (high - low) * share**1.4) * np.exp(-aside / width**2)
        return stands

    def ears(self, xs: np.ndarray) -> np.ndarray:
        """z of the ears: one number on each side of the head's middle."""
        surface = self.brush.surface
        left, right = (
            surface.turned((CENTRE_X + side * (self.brush.half_width + 2.5), EYE_LINE + 6.0, -4.0)) for side in (-1, 1)
        )
        return np.where(xs < (left[0] + right[0]) / 2, left[2], right[2])
