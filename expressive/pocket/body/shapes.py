"""Outlines of the body's parts: tubes around chains of joints, and hulls of circles. All outlines run the same way
round, so that several can stand in one path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ..faces.svg import Point

Circle = tuple[float, float, float]
"""x, y and radius."""

_TURN = tuple((math.cos(2 * math.pi * k / 16), math.sin(2 * math.pi * k / 16)) for k in range(16))
_CAP = tuple((math.cos(a), math.sin(a)) for a in (math.pi * k / 6 for k in range(1, 6)))


@dataclass(frozen=True)
class Tube:
    """The two sides of a tube from its root to its end, and the round cap between them. Side points pair up."""

    left: tuple[Point, ...]
    right: tuple[Point, ...]
    cap: tuple[Point, ...]
    middle: tuple[Point, ...]
    hem: bool = False  # the end has corners

    def fill(self) -> str:
        """The closed outline: root to end on the left, over the cap, and back on the right."""
        return self._outline(self.right[::-1]) + "Z"

    def closed(self) -> str:
        """The outline with a round cap at the root too."""
        (x0, y0), (x1, y1) = self.left[0], self.right[0]
        x, y, ax, ay = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
        root = [(x + ax * c - ay * s, y + ay * c + ax * s) for c, s in _CAP]
        return self._outline((*self.right[::-1], *root, self.left[0])) + "Z"

    def _outline(self, back: tuple[Point, ...]) -> str:
        if not self.hem:
            return curve((*self.left, *self.cap, *back))
        return joined(self.left, (self.left[-1], *self.cap, back[0]), back)

    def line(self, start: int = 0, end: int = 0) -> str:
        """The outline without the root: from the left's point `start` over the cap to the right's point `end`."""
        return curve((*self.left[start:], *self.cap, *reversed(self.right[end:])))

    def strip(self, inner: float, side: int, start: int = 0) -> str:
        """The part between `inner` (0 the middle, 1 the edge) and the left (−1) or right (1) edge, narrow at its
        beginning at point `start`."""
        edge = (self.left if side < 0 else self.right)[start:]
        half = len(self.cap) // 2
        tip = self.cap[: half + 1] if side < 0 else self.cap[half:][::-1]
        core = [
            (m[0] + (e[0] - m[0]) * inner, m[1] + (e[1] - m[1]) * inner)
            for m, e in zip(self.middle[start:], edge, strict=True)
        ]
        if self.hem:
            return curve((*edge, *reversed(core[1:-1]), edge[0])) + "Z"
        return curve((*edge, *tip, *reversed(core[1:]))) + "Z"


def curve(points: Sequence[Point]) -> str:
    """An open smooth path through the points (Catmull–Rom splines as cubic Béziers)."""
    around = (points[0], *points, points[-1])
    numbers = list(points[0])
    for (ax, ay), (bx, by), (cx, cy), (dx, dy) in zip(around, around[1:], around[2:], around[3:], strict=False):
        numbers += (bx + (cx - ax) / 6, by + (cy - ay) / 6, cx - (dx - bx) / 6, cy - (dy - by) / 6, cx, cy)
    return _template(len(points) - 1) % tuple(numbers)


@cache
def _template(count: int) -> str:
    return "M%.2f,%.2fC" + "%.2f,%.2f %.2f,%.2f %.2f,%.2f " * count


def joined(*chains: Sequence[Point]) -> str:
    """Smooth paths one after the other, each beginning where the last one ended, with corners between them."""
    paths = [curve(chain) for chain in chains]
    return paths[0] + "".join(path[path.index("C") :] for path in paths[1:])


def tube(joints: Sequence[Circle], steps: int = 3, hem: bool = False) -> Tube:
    """A tube around the joints, with their radii, smooth in between; round at its end, or nearly straight (a hem)."""
    samples = _smooth(joints, steps)
    count = len(samples)
    left: list[Point] = []
    right: list[Point] = []
    dx, dy = 0.0, 1.0
    for i, (x, y, r) in enumerate(samples):
        before, after = samples[max(0, i - 1)], samples[min(count - 1, i + 1)]
        vx, vy = after[0] - before[0], after[1] - before[1]
        norm = math.hypot(vx, vy)
        if norm > 0.05:
            dx, dy = vx / norm, vy / norm
        left.append((x + dy * r, y - dx * r))
        right.append((x - dy * r, y + dx * r))
    x, y, r = samples[-1]
    bulge = 0.22 if hem else 1.0
    cap = tuple((x + (dy * c + dx * s * bulge) * r, y + (-dx * c + dy * s * bulge) * r) for c, s in _CAP)
    return Tube(tuple(left), tuple(right), cap, tuple((p[0], p[1]) for p in samples), hem)


def _smooth(joints: Sequence[Circle], steps: int) -> list[Circle]:
    samples: list[Circle] = []
    last = len(joints) - 1
    for i in range(last):
        a, b, c, d = joints[max(0, i - 1)], joints[i], joints[i + 1], joints[min(last, i + 2)]
        for k in range(steps):
            t = k / steps
            # cubic Hermite, the slopes half of the way between the neighbours
            p, q, r, s = t * (1 - t) ** 2, (1 - t) ** 2 * (1 + 2 * t), t * t * (3 - 2 * t), -t * t * (1 - t)
            mx, my = (c[0] - a[0]) / 2, (c[1] - a[1]) / 2
            nx, ny = (d[0] - b[0]) / 2, (d[1] - b[1]) / 2
            samples.append(
                (
                    q * b[0] + r * c[0] + p * mx + s * nx,
                    q * b[1] + r * c[1] + p * my + s * ny,
                    b[2] + (c[2] - b[2]) * t,
                )
            )
    samples.append(joints[-1])
    return samples


def disc(circle: Circle) -> str:
    """A circle as a path."""
    x, y, r = circle
    return f"M{x - r:.2f},{y:.2f}a{r:.2f},{r:.2f} 0 1 1 {2 * r:.2f},0a{r:.2f},{r:.2f} 0 1 1 {-2 * r:.2f},0Z"


def hull(circles: Sequence[Circle]) -> tuple[Point, ...]:
    """The corners of the smallest convex outline around the circles (monotone chain)."""
    points = sorted({(x + r * c, y + r * s) for x, y, r in circles for c, s in _TURN})

    def chain(ordered: Sequence[Point]) -> list[Point]:
        kept: list[Point] = []
        for x, y in ordered:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2], kept[-1]
                if (bx - ax) * (y - ay) > (by - ay) * (x - ax):
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return (*chain(points), *chain(points[::-1]))


def polygon(points: Sequence[Point]) -> str:
    """A closed path with straight sides."""
    return "M" + "L".join(f"{x:.2f},{y:.2f} " for x, y in points) + "Z"
