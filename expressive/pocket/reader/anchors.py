"""The points that the reader finds as peaks of heat maps, and the linear maps from them to all 553 landmarks.

Every landmark of a part of the body is a weighted sum of that part's anchors, with weights that sum to 1 and serve x
and y alike: wherever a face is moved, however it is scaled or tilted, the same weights hold.
"""

from __future__ import annotations

import numpy as np

from ..scene.truth import FACE, HAND, LANDMARKS, POSE

# Indices into the 478 of the face; left and right are the picture's.
_FACE = (
    *(10, 297, 284, 389, 454, 361, 397, 379, 400, 152, 176, 150, 172, 132, 234, 162, 54, 67),  # oval
    *(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # lips, outer
    *(78, 80, 82, 13, 312, 310, 308, 318, 317, 14, 87, 88),  # lips, inner
    *(33, 161, 159, 157, 133, 154, 145, 163),  # left eye
    *(362, 384, 386, 388, 263, 390, 374, 381),  # right eye
    *(70, 105, 107, 46, 52, 55),  # left brow
    *(336, 334, 300, 285, 282, 276),  # right brow
    *(168, 197, 4, 98, 2, 327),  # nose
    *(468, 473),  # irises
)
_TRUNK = tuple(range(11, 25))  # of the 33 of the pose: shoulders, elbows, wrists, three fingers a side, hips
_HEAD_OF_POSE = 11  # the first eleven of the pose lie on the head
_HAND = (0, 2, 4, 5, 8, 12, 16, 17, 20)  # of the 21 of a hand: wrist, thumb, knuckles of the palm's edges, tips

ANCHORS: tuple[int, ...] = (
    *_FACE,
    *(FACE + i for i in _TRUNK),
    *(FACE + POSE + i for i in _HAND),
    *(FACE + POSE + HAND + i for i in _HAND),
)
"""Landmark index of every anchor; the first FACE_ANCHORS lie on the face."""

FACE_ANCHORS = len(_FACE)

_PARTS: tuple[tuple[slice, slice], ...] = (  # landmarks that hang on anchors (both as ranges)
    (slice(0, FACE + _HEAD_OF_POSE), slice(0, FACE_ANCHORS)),
    (slice(FACE + _HEAD_OF_POSE, FACE + POSE), slice(FACE_ANCHORS, FACE_ANCHORS + len(_TRUNK))),
    (
        slice(FACE + POSE, FACE + POSE + HAND),
        slice(FACE_ANCHORS + len(_TRUNK), FACE_ANCHORS + len(_TRUNK) + len(_HAND)),
    ),
    (
        slice(FACE + POSE + HAND, LANDMARKS),
        slice(FACE_ANCHORS + len(_TRUNK) + len(_HAND), FACE_ANCHORS + len(_TRUNK) + 2 * len(_HAND)),
    ),
)


def fit_weights(landmarks: np.ndarray, ridge: float = 1e-7) -> np.ndarray:
    """Weights float32 [553, anchors] by least squares over true landmarks [N, 553, 3]; each row sums to 1.

    A part that is not there (all zero) does not count. ridge: how far noise in the anchors is expected, as a variance
    in squared shares of the picture; it keeps the weights small.
    """
    points = landmarks[..., :2].astype(np.float64)
    weights = np.zeros((LANDMARKS, len(ANCHORS)))
    for part, columns in _PARTS:
        anchors = np.array(ANCHORS[columns])
        there = np.abs(points[:, part]).sum((1, 2)) > 0
        if not there.any():
            weights[part, columns] = 1.0 / len(anchors)
            continue
        known = points[there][:, anchors]  # [n, a, 2]
        middle = known.mean(1, keepdims=True)
        x = (known - middle).transpose(0, 2, 1).reshape(-1, len(anchors))
        y = (points[there][:, part] - middle).transpose(0, 2, 1).reshape(len(x), -1)
        gram = x.T @ x + ridge * len(x) * np.eye(len(anchors))
        solved = np.linalg.solve(gram, x.T @ y).T  # [points, a], for offsets from the middle
        weights[part, columns] = solved + (1 - solved.sum(1, keepdims=True)) / len(anchors)
    return weights.astype(np.float32)
