"""Where shoulders, elbows, wrists, hips and the joints of both hands lie in space."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..faces.brush import Brush
from ..faces.identity import Identity
from .body import SWAY, Arm, Body
from .hand import FINGERS, HandJoints, along, attitude, hand_joints
from .space import Vector, between, cross, dot, length, mixed, plus, unit

MIDDLE = 64.0  # x of the body's axis
PIVOT = 112.0  # y of the point at the neck's root that the shoulders lean about
BREATH = 1.2  # units that the shoulders rise with a full breath
MOUTH = 87.0  # y of the mouth of a head held upright
FRONT = 0.3  # an arm lifted further than this is drawn before torso and head


@dataclass(frozen=True)
class Build:
    """The body's measures, in drawing units; offsets from the axis are of the right half."""

    shoulder: Vector  # offset, y, z of the upper arm's root
    upper: float  # length of the upper arm
    fore: float  # length of the forearm
    hand: float  # from the wrist to the middle finger's tip
    thick: tuple[float, float, float]  # radii of the arm at shoulder, elbow and wrist, without sleeve
    hip: Vector


def build(who: Identity) -> Build:
    """The measures of a person."""
    if who.gender == "man":
        return Build((56.0, 147.0, -4.0), 80.0, 69.0, 59.0, (15.5, 11.0, 7.0), (29.0, 306.0, 0.0))
    return Build((47.5, 144.0, -4.0), 75.0, 65.0, 55.0, (12.2, 9.1, 6.0), (29.0, 302.0, 0.0))


@dataclass(frozen=True)
class ArmJoints:
    """One arm. Points: x, y in drawing units, z towards the viewer (0 at the head's axis).

    hand: 21 points in MediaPipe's order, the first is the wrist. backs: for each finger from the thumb on, the unit
    vectors out of the backs of its three bones. palm: the unit vector out of the palm. raised: drawn before torso and
    head.
    """

    shoulder: Vector
    elbow: Vector
    hand: tuple[Vector, ...]
    backs: tuple[tuple[Vector, Vector, Vector], ...]
    palm: Vector
    raised: bool

    @property
    def wrist(self) -> Vector:
        """The hand's first joint."""
        return self.hand[0]


@dataclass(frozen=True)
class Joints:
    """Both arms and the hips; left and right are the person's own."""

    left: ArmJoints
    right: ArmJoints
    left_hip: Vector
    right_hip: Vector


def joints(who: Identity | Brush, body: Body) -> Joints:
    """All joints of a body. A brush tells how the head is held: a hand at the face goes with it."""
    shift = (0.0, 0.0)
    if isinstance(who, Brush):
        x, y = who.at(MIDDLE, MOUTH)
        shift = (x - MIDDLE, y - MOUTH)
    measures = build(who.who if isinstance(who, Brush) else who)
    hip = measures.hip
    return Joints(
        left=_arm(measures, body.left, body, shift, 1),
        right=_arm(measures, body.right, body, shift, -1),
        left_hip=(MIDDLE + hip[0], hip[1], hip[2]),
        right_hip=(MIDDLE - hip[0], hip[1], hip[2]),
    )


def leaning(point: tuple[float, float], body: Body) -> tuple[float, float]:
    """A point of the torso after sway and breath."""
    x, y = point
    if body.sway:
        angle = math.radians(max(-SWAY, min(SWAY, body.sway)))
        dx, dy = x - MIDDLE, y - PIVOT
        x = MIDDLE + dx * math.cos(angle) - dy * math.sin(angle)
        y = PIVOT + dx * math.sin(angle) + dy * math.cos(angle)
    return (x, y - BREATH * max(0.0, min(1.0, body.breath)))


def smooth(value: float, low: float, high: float) -> float:
    """0 below `low`, 1 above `high`, with an even start and end between."""
    t = max(0.0, min(1.0, (value - low) / (high - low)))
    return t * t * (3 - 2 * t)


def _arm(measures: Build, arm: Arm, body: Body, shift: tuple[float, float], side: int) -> ArmJoints:
    """side: −1 the person's right arm, 1 the left, which is computed as a right arm seen in a mirror.

    Within: x to the picture's right from the body's axis (of a right arm), y up, z to the viewer.
    """
    s, y, z = measures.shoulder
    x, y = leaning((MIDDLE + side * s, y), body)
    shoulder: Vector = (-abs(x - MIDDLE), -y, z)
    wrist, elbow = _reach(measures, arm, shoulder, (shift[0] * -side, -shift[1]))
    direction = unit(plus(wrist, elbow, -1.0))
    shape = arm.shape
    follow = max(shape.follow, 1.0 - smooth(arm.lift, 0.06, 0.4))
    axes = mixed(attitude(shape, arm.turn), along(direction), follow)
    hand: HandJoints = hand_joints(shape, wrist, axes, measures.hand)

    def seen(point: Vector, origin: float = MIDDLE) -> Vector:
        return (origin - side * point[0], -point[1], point[2])

    def back(finger: int, bone: int) -> Vector:
        first, second = (hand.points[FINGERS[finger][bone + k]] for k in (0, 1))
        return seen(unit(cross(plus(second, first, -1.0), hand.hinges[finger])), 0.0)

    return ArmJoints(
        shoulder=seen(shoulder),
        elbow=seen(elbow),
        hand=tuple(seen(point) for point in hand.points),
        backs=tuple((back(i, 0), back(i, 1), back(i, 2)) for i in range(5)),
        palm=seen(hand.palm, 0.0),
        raised=arm.lift > FRONT,
    )


def _reach(measures: Build, arm: Arm, shoulder: Vector, shift: tuple[float, float]) -> tuple[Vector, Vector]:
    """Wrist and elbow: the wrist where the arm's fields say, the elbow by the cosine rule, below and outside."""
    lift, out = max(0.0, min(1.2, arm.lift)), max(-1.0, min(1.0, arm.out))
    rest = plus(shoulder, (-9.0 - 14.0 * max(0.0, out), -0.985 * (measures.upper + measures.fore), 4.0))
    aside = 80.0 * (1 + out) if out < 0 else 80.0 + 34.0 * out
    shown: Vector = (-aside, -276.0 + 148.0 * lift, 36.0 - 10.0 * max(0.0, out))
    near = smooth(lift, 0.75, 1.0) * smooth(-out, 0.0, 0.7)  # a hand at the face goes with the head
    shown = plus(shown, (shift[0] * near, shift[1] * near, 0.0))
    target = between(rest, shown, smooth(lift, 0.0, 0.45))
    span = plus(target, shoulder, -1.0)
    reach = max(1e-6, length(span))
    distance = max(abs(measures.upper - measures.fore) + 6.0, min(0.995 * (measures.upper + measures.fore), reach))
    straight = unit(span)
    wrist = plus(shoulder, straight, distance)
    along_span = (measures.upper**2 - measures.fore**2 + distance**2) / (2 * distance)
    height = math.sqrt(max(0.0, measures.upper**2 - along_span**2))
    side = max(0.0, min(1.0, arm.shape.elbow))
    hint: Vector = (-0.3 - 1.2 * side, -1.0 + 0.6 * side, -0.3)
    aside_span = unit(plus(hint, straight, -dot(hint, straight)))
    return wrist, plus(plus(shoulder, straight, along_span), aside_span, height)
