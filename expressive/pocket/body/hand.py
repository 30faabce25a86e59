"""A hand's 21 joints, in MediaPipe's order, from its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .gestures import HandPose
from .space import Rotation, Vector, about, cross, plus, turned, unit

WRIST = 0
FINGERS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
"""Joints of thumb, index, middle, ring and little finger, from the palm to the tip."""

KNUCKLES: tuple[Vector, ...] = (
    (0.130, 0.46, 0.0),
    (0.040, 0.485, -0.012),
    (-0.052, 0.465, -0.008),
    (-0.138, 0.42, 0.012),
)
"""Where the four fingers begin; unit: from the wrist to the middle finger's tip. Axes as in `hand_joints`."""

BONES: tuple[tuple[float, float, float], ...] = (
    (0.215, 0.155, 0.125),  # the thumb's, from its root near the wrist
    (0.240, 0.140, 0.105),
    (0.260, 0.160, 0.110),
    (0.245, 0.150, 0.110),
    (0.190, 0.110, 0.095),
)
"""Bone lengths of thumb, index, middle, ring and little finger, in the same unit."""

THUMB_ROOT: Vector = (0.088, 0.095, 0.025)
LAST_JOINT = 0.66  # how far the last joint bends with the middle one
THUMB_HINGE = 34.0  # degrees that the thumb's hinge leans out of the palm: it bends across the palm and towards it


@dataclass(frozen=True)
class HandJoints:
    """points: 21 in MediaPipe's order. hinges: of the five fingers, the unit axis that they bend about; bone × hinge
    points out of the finger's back. palm: the unit vector out of the palm."""

    points: tuple[Vector, ...]
    hinges: tuple[Vector, ...]
    palm: Vector


def hand_joints(pose: HandPose, wrist: Vector, attitude: Rotation, size: float) -> HandJoints:
    """The joints of a right hand.

    attitude: images of the axes that point to the thumb's side, to the fingers, and out of the palm. size: length from
    the wrist to the middle finger's tip. Coordinates: x to the picture's right, y up, z to the viewer.
    """
    points: list[Vector] = [(0.0, 0.0, 0.0)]
    swing, lift = math.radians(pose.thumb[0]), math.radians(pose.thumb[1])
    bone = (math.sin(swing) * math.cos(lift), math.cos(swing) * math.cos(lift), math.sin(lift))
    side = unit(cross(bone, (0.0, 0.0, 1.0)))
    flat = unit(cross(side, bone))  # at right angles to the thumb, as near to the palm's normal as can be
    lean = math.radians(THUMB_HINGE)
    hinge = unit(
        plus((flat[0] * math.cos(lean), flat[1] * math.cos(lean), flat[2] * math.cos(lean)), side, math.sin(lean))
    )
    hinges = [hinge]
    points += _chain(THUMB_ROOT, bone, hinge, BONES[0], (pose.thumb[2], pose.thumb[3]))
    for i in range(4):
        angle = math.radians(pose.spread[i])
        straight, hinge = (math.sin(angle), math.cos(angle), 0.0), (math.cos(angle), -math.sin(angle), 0.0)
        if i == 0 and pose.hook:
            hinge = about(hinge, straight, pose.hook)
        bone = about(straight, hinge, pose.knuckles[i])
        points += _chain(KNUCKLES[i], bone, hinge, BONES[i + 1], (pose.bends[i], LAST_JOINT * pose.bends[i]))
        hinges.append(hinge)
    return HandJoints(
        tuple(plus(wrist, turned(attitude, point), size) for point in points),
        tuple(turned(attitude, hinge) for hinge in hinges),
        attitude[2],
    )


def attitude(pose: HandPose, turn: float) -> Rotation:
    """The axes of a right hand that faces as the pose says, turned outwards by `turn` more degrees."""
    axes: list[Vector] = []
    for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        faced = about(axis, (0.0, 1.0, 0.0), pose.facing)
        tilted = about(faced, (1.0, 0.0, 0.0), pose.tilt)
        axes.append(about(tilted, (0.0, 0.0, 1.0), pose.turn + turn))
    return (axes[0], axes[1], axes[2])


def along(direction: Vector) -> Rotation:
    """The axes of a right hand that prolongs a forearm of this direction, its palm to the body."""
    inwards = (0.85, 0.0, -0.53)
    share = inwards[0] * direction[0] + inwards[2] * direction[2]
    palm = unit(plus(inwards, direction, -share))
    return (cross(direction, palm), direction, palm)


def _chain(
    start: Vector, bone: Vector, hinge: Vector, lengths: tuple[float, float, float], bends: tuple[float, float]
) -> list[Vector]:
    points = [start]
    for i, reach in enumerate(lengths):
        points.append(plus(points[-1], bone, reach))
        if i < 2:
            bone = about(bone, hinge, bends[i])
    return points
