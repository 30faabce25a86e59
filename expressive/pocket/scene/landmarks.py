"""The landmarks of MediaPipe Holistic, placed on the contours that the drawing itself uses."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ...vision.landmarks.connections import POSE_OF_FACE, POSE_OF_HAND
from ..body import Joints
from ..faces import Pose
from ..faces.brush import Brush
from ..faces.head import near_ear
from ..faces.shapes import contours, eye_shape
from ..faces.surface import CENTRE_X, EYE_LINE, Point3
from .mesh import IRIS, IRISES, MESH, along, mesh, shares
from .mesh_surface import stand, turned

FACE, POSE, HAND = MESH + IRIS, 33, 21
LANDMARKS = FACE + POSE + 2 * HAND
"""MediaPipe Holistic order: 478 of the face (468 mesh, 10 iris), 33 of the pose, 21 of the left and 21 of the right
hand."""

FACE_PART = slice(0, FACE)
POSE_PART = slice(FACE, FACE + POSE)
LEFT_HAND_PART = slice(FACE + POSE, FACE + POSE + HAND)
RIGHT_HAND_PART = slice(FACE + POSE + HAND, LANDMARKS)

_LEG = {25: 120.0, 27: 235.0, 29: 243.0, 31: 247.0}  # left pose landmark → units below the hip


def face_points(brush: Brush) -> np.ndarray:
    """MediaPipe's 478 face landmarks in drawing units: [478, 3], z of the turned head towards the viewer.

    The contours' vertices lie on the drawn contours, the others between them on the head's surface; all of them are
    placed in the frontal drawing and then turned with the head, as what is drawn there is.
    """
    rest = Brush(brush.who, replace(brush.rig, pose=Pose()), brush.style)
    curves = {name: np.array(points) for name, points in contours(rest).items()}
    net = mesh()
    points = np.zeros((FACE, 3))
    for name, outline in _sides(curves["oval"]).items():
        curves["cheek_" + name], curves["jaw_" + name] = _parted(outline, brush.surface.centre)
    order = [index for indices in net.chains.values() for index in indices]
    points[order] = along([curves[name] for name in net.chains], [shares(name) for name in net.chains])
    for name, first in IRISES.items():
        points[first : first + 5] = curves[name]
    # the contours come with their z at rest: what exceeds the surface there is lift, which spreads like x and y
    points[:, 2] -= stand(rest.surface, points * (1.0, 1.0, 0.0))[:, 2]
    points[:MESH] = net.weights @ points[net.anchors]
    return turned(brush.surface, stand(brush.surface, points))


def ear_point(brush: Brush, side: int, across: float = 0.0) -> Point3:
    """A point of an ear in head coordinates: 0 its middle, 1 its rim; side −1 is the picture's left."""
    return (CENTRE_X + side * (brush.half_width + 0.5 + 4.6 * across), EYE_LINE + 6.0, -2.5 - 5.0 * across)


def _ear(brush: Brush, side: int) -> tuple[Point3, bool]:
    """An ear's middle in drawing units, and whether it is seen: its rim stands out beside the head."""
    surface = brush.surface
    rim = surface.turned(ear_point(brush, side, 1.0))
    edge = surface.at(CENTRE_X + side * brush.half_width, EYE_LINE + 6.0)
    across = (rim[0] - edge[0]) * math.cos(math.radians(surface.pose.roll))
    across += (rim[1] - edge[1]) * math.sin(math.radians(surface.pose.roll))
    seen = side == near_ear(brush) or side * across > 1.0
    return surface.turned(ear_point(brush, side)), seen


def _sides(oval: np.ndarray) -> dict[str, np.ndarray]:
    """The oval's halves from its top to the chin; it is closed, clockwise from the top."""
    half = len(oval) // 2 + 1
    return {"right": oval[:half], "left": np.concatenate([oval[:1], oval[: half - 2 : -1]])}


def _parted(outline: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """What of a curve lies above and below the height `level`."""
    split = int(np.searchsorted(outline[:, 1], level))
    above, below = outline[split - 1], outline[split]
    corner = above + (level - above[1]) / (below[1] - above[1]) * (below - above)
    return np.concatenate([outline[:split], corner[None]]), np.concatenate([corner[None], outline[split:]])


@dataclass(frozen=True)
class Placed:
    """All landmarks in drawing units. points: [553, 3], z towards the viewer, 0 at the head's axis. there: bool [553],
    whether a part exists in the drawing at all and is not turned away; hands and frame are not considered."""

    points: np.ndarray
    there: np.ndarray


def place(brush: Brush, skeleton: Joints) -> Placed:
    """MediaPipe's 553 landmarks of a head and a body."""
    face = face_points(brush)
    hands = [np.array(arm.hand) for arm in (skeleton.left, skeleton.right)]
    points = np.concatenate([face, np.zeros((POSE, 3)), *hands])
    there = np.ones(LANDMARKS, bool)
    for first, side in zip(IRISES.values(), (-1, 1), strict=True):
        there[first : first + 5] = not eye_shape(brush, side).shut
    body = points[POSE_PART]
    body[list(POSE_OF_FACE)] = face[list(POSE_OF_FACE.values())]
    seen = there[POSE_PART]
    for offset, side, arm, hip in (
        (0, 1, skeleton.left, skeleton.left_hip),
        (1, -1, skeleton.right, skeleton.right_hip),
    ):
        body[7 + offset], seen[7 + offset] = _ear(brush, side)
        body[11 + offset], body[13 + offset], body[23 + offset] = arm.shoulder, arm.elbow, hip
        for index, joint in POSE_OF_HAND.items():
            body[index + offset] = arm.hand[joint]
        for index, drop in _LEG.items():  # nothing is drawn below the hips
            body[index + offset] = np.array(hip) + (0.0, drop, 0.0)
            seen[index + offset] = False
    return Placed(points, there)
