"""Which landmarks of MediaPipe Holistic belong together: index numbers, which are facts.

In the pose's 33 landmarks those of the person's left have the lower number of a pair, save the eyes' and the ears'.
"""

from __future__ import annotations

from collections.abc import Mapping

POSE_LINES: tuple[tuple[int, int], ...] = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24), (23, 25), (25, 27), (24, 26),
    (26, 28), (15, 17), (15, 19), (15, 21), (16, 18), (16, 20), (16, 22), (0, 2), (2, 7), (0, 5), (5, 8), (9, 10),
)  # fmt: skip
"""Which of MediaPipe's 33 pose landmarks are joined by a line."""

HAND_LINES: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12), (9, 13),
    (13, 14), (14, 15), (15, 16), (13, 17), (0, 17), (17, 18), (18, 19), (19, 20),
)  # fmt: skip
"""Which of MediaPipe's 21 hand landmarks are joined by a line."""

POSE_OF_FACE: Mapping[int, int] = {0: 1, 1: 362, 2: 473, 3: 263, 4: 133, 5: 468, 6: 33, 9: 291, 10: 61}
"""Pose landmark → the face landmark at the same place."""

POSE_OF_HAND: Mapping[int, int] = {15: 0, 17: 17, 19: 5, 21: 2}
"""Pose landmark of the left arm → landmark of the left hand: wrist, little finger, index, thumb. Those of the right
arm have the next number."""

OPENPOSE_BODY: Mapping[int, int] = {
    0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 8: 24, 9: 26, 10: 28, 11: 23, 12: 25, 13: 27, 14: 5, 15: 2, 16: 8,
    17: 7,
}  # fmt: skip
"""OpenPose's 18 points of the body → pose landmark. 1, the neck, is no landmark: it lies between the shoulders."""

OPENPOSE_FEET: Mapping[int, int] = {0: 31, 2: 29, 3: 32, 5: 30}
"""OpenPose's 6 points of the feet (big toe, small toe and heel of the left, then of the right one) → pose landmark."""

FACE_68: tuple[int, ...] = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # jaw
    *(70, 63, 105, 66, 107),  # right brow
    *(336, 296, 334, 293, 300),  # left brow
    *(168, 197, 5, 4),  # bridge of the nose
    *(98, 97, 2, 326, 327),  # its base
    *(33, 160, 158, 133, 153, 144),  # right eye
    *(362, 385, 387, 263, 373, 380),  # left eye
    *(61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91),  # lips, outer
    *(78, 81, 13, 311, 308, 402, 14, 178),  # lips, inner
)
"""The 68 points of the face of iBUG 300-W, which OpenPose and COCO-WholeBody share, → face landmark."""

TORSOS = ("shoulders", "hips")
"""The torso joint: the middle between the shoulders, which half-length pictures show, or between the hips."""
