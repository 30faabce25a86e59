"""A hand held before the body as a set of capsules around its bones: what it covers, and how near it is."""

from __future__ import annotations

import numpy as np

from ..body.hand import KNUCKLES
from ..body.skeleton import ArmJoints, Joints

_ELBOW, _SHOULDER = 21, 22  # after the hand's 21 joints
_CAPSULES: tuple[tuple[int, int, float], ...] = (  # between two joints, as thick as (shares of the hand's length)
    (0, 1, 0.08), (1, 2, 0.075), (2, 3, 0.062), (3, 4, 0.05),
    (5, 6, 0.055), (6, 7, 0.05), (7, 8, 0.043),
    (9, 10, 0.057), (10, 11, 0.052), (11, 12, 0.044),
    (13, 14, 0.055), (14, 15, 0.05), (15, 16, 0.042),
    (17, 18, 0.048), (18, 19, 0.043), (19, 20, 0.037),
    (0, 5, 0.085), (0, 9, 0.085), (0, 13, 0.08), (0, 17, 0.075), (1, 5, 0.075), (5, 17, 0.06),
    (0, _ELBOW, 0.15), (_ELBOW, _SHOULDER, 0.22),
)  # fmt: skip
_STARTS, _ENDS = (np.array([capsule[k] for capsule in _CAPSULES]) for k in (0, 1))
_HAND, _ARM, _COVERING = slice(0, -2), slice(-2, None), slice(0, -1)
_RADII = np.array([capsule[2] for capsule in _CAPSULES])
_PALM = float(np.linalg.norm(KNUCKLES[1]))  # from the wrist to the middle finger's knuckle, shares of the hand's length


def covered(points: np.ndarray, skeleton: Joints) -> np.ndarray:
    """bool [N]: which of the points [N, 2], in drawing units, a raised hand or forearm hides."""
    hidden = np.zeros(len(points), bool)
    for arm in (skeleton.left, skeleton.right):
        if arm.raised:
            flat, size = np.array([*arm.hand, arm.elbow])[:, :2], _length(arm)
            near = np.all((points > flat.min(axis=0) - 0.2 * size) & (points < flat.max(axis=0) + 0.2 * size), axis=1)
            if near.any():
                squared, _ = _distances(points[near], arm, _COVERING)
                hidden[near] |= (squared < (_RADII[_COVERING] * size) ** 2).any(axis=1)
    return hidden


def heights_of(points: np.ndarray, arm: ArmJoints, part: str) -> np.ndarray:
    """z [N] of the surface of an arm's part, 'hand' or 'arm', at points [N, 2] that show it."""
    bones = _HAND if part == "hand" else _ARM
    squared, axis = _distances(points, arm, bones)
    within = (_RADII[bones] * _length(arm)) ** 2 - squared
    front = np.where(within > 0, axis + np.sqrt(np.maximum(within, 0.0)), -np.inf).max(axis=1)
    nearest = axis[np.arange(len(points)), np.argmax(within, axis=1)]
    return np.where(np.isfinite(front), front, nearest)


def _joints(arm: ArmJoints) -> np.ndarray:
    return np.array([*arm.hand, arm.elbow, arm.shoulder])


def _length(arm: ArmJoints) -> float:
    """Of the hand."""
    return float(np.linalg.norm(np.array(arm.hand[9]) - np.array(arm.hand[0]))) / _PALM


def _distances(points: np.ndarray, arm: ArmJoints, bones: slice) -> tuple[np.ndarray, np.ndarray]:
    """[N, bones]: the squared distance of each point from each capsule's axis in the picture, and the axis' z there."""
    joints = _joints(arm)
    start, along = joints[_STARTS[bones]], joints[_ENDS[bones]] - joints[_STARTS[bones]]
    (x, y, z), (dx, dy, dz) = start.T, along.T
    right, down = points[:, :1] - x, points[:, 1:] - y
    share = np.clip((right * dx + down * dy) / np.maximum(dx * dx + dy * dy, 1e-9), 0.0, 1.0)
    return (right - share * dx) ** 2 + (down - share * dy) ** 2, z + share * dz
