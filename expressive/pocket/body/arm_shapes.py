"""The outlines of arms and sleeves from the arm's joints."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..faces.svg import Point
from .shapes import Circle, Tube, curve, disc, hull, polygon, tube
from .skeleton import MIDDLE, ArmJoints, Build
from .space import Vector, between

FOLD = 0.5  # cosine between upper arm and forearm, as the picture shows them, beyond which the arm counts as folded
INSET = 0.8  # a folded forearm keeps clear of the line round the elbow


@dataclass(frozen=True)
class Stretch:
    """A piece of an arm or sleeve: path data to fill, path data of its sides' lines, and its shaded side."""

    fill: str
    line: str
    shade: str


@dataclass(frozen=True)
class Limb:
    """An arm or a sleeve, from back to front. hem: path data of the curve that ends it."""

    stretches: tuple[Stretch, ...]
    hem: str

    @property
    def fill(self) -> str:
        """All of it as one path for the nonzero rule."""
        return "".join(stretch.fill for stretch in self.stretches)


def limb(
    measures: Build,
    arm: ArmJoints,
    start: float,
    stop: float,
    margin: float = 0.0,
    flare: float = 0.0,
    outlined: bool = True,
) -> Limb:
    """The arm between two places on it: 0 the shoulder, 1 the elbow, 2 the wrist.

    margin, flare: how far the surface stands off the arm, and how much further at its end. outlined: the shoulder's
    round gets a line, as the torso has one.
    """
    stations = [start, *(at for at in (0.3, 0.6, 1.0, 1.35) if start + 0.15 < at < stop - 0.15), stop]
    circles = [(at, _circle(measures, arm, at, margin + flare * (at - start) / (stop - start))) for at in stations]
    if start < 1.0 < stop and _folded(arm):
        lower = [circle for at, circle in circles if at >= 1.0]
        upper = tube([circle for at, circle in circles if at <= 1.0])
        first_line = _from_shoulder(arm, upper, outlined, round_end=True) if start == 0.0 else upper.line(1, 1)
        first = Stretch(upper.closed(), first_line, _shaded_side(upper))
        (x, y, radius), (x1, y1, _) = lower[0], lower[-1]
        if math.hypot(x1 - x, y1 - y) < radius:  # the forearm points at the viewer
            ball = polygon(hull(lower))
            return Limb((first, Stretch(ball, ball, "")), disc(lower[-1]))
        last = tube([(x, y, radius - INSET), *lower[1:]], hem=True)
        stretches = (first, Stretch(last.closed(), curve(last.left) + curve(last.right), _shaded_side(last)))
    else:
        last = tube([circle for _, circle in circles], hem=True)
        if start == 0.0:
            stretch = Stretch(last.closed(), _from_shoulder(arm, last, outlined, round_end=False), _shaded_side(last))
        else:
            stretch = Stretch(last.fill(), curve(last.left) + curve(last.right), _shaded_side(last))
        stretches = (stretch,)
    return Limb(stretches, curve((last.left[-1], *last.cap, last.right[-1])))


def _circle(measures: Build, arm: ArmJoints, at: float, margin: float) -> Circle:
    shoulder, elbow, wrist = measures.thick
    point: Vector
    if at <= 1.0:
        point = between(arm.shoulder, arm.elbow, at)
        radius = shoulder + (elbow - shoulder) * (1 - (1 - at) ** 1.5)
    else:
        point = between(arm.elbow, arm.wrist, at - 1.0)
        swell = max(0.0, 1.0 - abs(at - 1.35) / 0.35) * 0.04 * elbow
        radius = elbow + (wrist - elbow) * (at - 1.0) ** 1.4 + swell
    return (point[0], point[1], radius + margin)


def _folded(arm: ArmJoints) -> bool:
    ax, ay = arm.elbow[0] - arm.shoulder[0], arm.elbow[1] - arm.shoulder[1]
    bx, by = arm.wrist[0] - arm.elbow[0], arm.wrist[1] - arm.elbow[1]
    norm = math.hypot(ax, ay) * math.hypot(bx, by)
    return ax * bx + ay * by < FOLD * norm or norm < 60.0


def _shaded_side(shape: Tube) -> str:
    """The side away from the light, which comes from the picture's upper left."""
    (lx, ly), (rx, ry) = shape.left[len(shape.left) // 2], shape.right[len(shape.right) // 2]
    return shape.strip(0.2, -1 if (lx - rx) * 0.8 + (ly - ry) * 0.6 > 0 else 1, 1)


def _from_shoulder(arm: ArmJoints, shape: Tube, outlined: bool, round_end: bool) -> str:
    """The outer side from the shoulder's round on, and the inner side from the armpit on."""
    x, y, _ = arm.shoulder
    outwards = -1.0 if x < MIDDLE else 1.0
    outer_is_left = (shape.left[0][0] - shape.right[0][0]) * outwards > 0
    outer, inner = (shape.left, shape.right) if outer_is_left else (shape.right, shape.left)
    beyond = [i for i, p in enumerate(inner) if (p[0] - MIDDLE) * outwards > abs(x - MIDDLE) - 6.0]  # beside the torso
    inner = inner[min(3, max(1, beyond[0])) if beyond else 2 :]
    if outlined:
        radius, angle = math.hypot(outer[0][0] - x, outer[0][1] - y), math.atan2(outer[0][1] - y, outer[0][0] - x)
        top = math.radians(-50.0 if outwards > 0 else -130.0)  # the torso's outline follows the shoulder from here
        sweep = (angle - top + math.pi) % (2 * math.pi) - math.pi
        if sweep * outwards > 0.1:
            angles = [top + sweep * k / 5 for k in range(5)]
            bow: list[Point] = [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
            outer = (*bow, *outer)
    else:
        outer = outer[2:]
    if not round_end:
        return curve(outer) + curve(inner)
    return curve((*outer, *(shape.cap if outer_is_left else shape.cap[::-1]), *reversed(inner)))
