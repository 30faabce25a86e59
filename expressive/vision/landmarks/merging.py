"""Landmarks of several detectors joined into one set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from .connections import POSE_OF_FACE, POSE_OF_HAND
from .face_landmarks import from_face_landmarks
from .holistic_set import PARTS, HolisticSet
from .openpose import from_pose_keypoint

_ASPECT = 0.02  # by how much the shapes of two pictures may differ, as a ratio


def of_host(
    frames: int,
    image_size: tuple[int, int],
    face_landmarks: Mapping[str, Any] | None = None,
    pose_keypoint: Sequence[Mapping[str, Any]] | None = None,
) -> HolisticSet:
    """What the host's nodes found in `frames` pictures of image_size (height, width).

    The face is that of FACE_LANDMARKS where it has one, else OpenPose's 68 points of it; body and hands are those of
    POSE_KEYPOINT. See `completed` for what the pose shares with face and hands. Raises ValueError for landmarks of
    other pictures, and what `from_face_landmarks` and `from_pose_keypoint` raise.
    """
    found = HolisticSet.nothing(frames, image_size)
    faces = None
    if face_landmarks is not None:
        faces = from_face_landmarks(face_landmarks)
        _same_pictures("FACE_LANDMARKS", faces, found)
    if pose_keypoint is not None:
        people = from_pose_keypoint(pose_keypoint, faces)
        _same_pictures("POSE_KEYPOINT", people, found)
        found = merge(found, people)
    return found if faces is None else merge(found, faces)


def merge(base: HolisticSet, over: HolisticSet) -> HolisticSet:
    """Frame by frame each part of `over` where it has that part, else that of `base`.

    Blendshapes go with the face. The pictures' size is that of `base`. Raises ValueError for another number of frames.
    """
    if len(base) != len(over):
        raise ValueError(f"Landmarks of {len(base)} pictures cannot be merged with those of {len(over)}.")
    points, visibility, held = base.points.clone(), base.visibility.clone(), base.held.clone()
    for name, rows in PARTS.items():
        taken = over.has(name)
        points[taken, rows], visibility[taken, rows] = over.points[taken, rows], over.visibility[taken, rows]
    taken = over.found
    held[taken] = over.held[taken]
    shapes = base.blendshapes
    if over.blendshapes is not None:
        shapes = torch.zeros_like(over.blendshapes) if shapes is None else shapes.clone()
        shapes[taken] = over.blendshapes[taken]
    return HolisticSet(points, visibility, base.image_size, held, shapes)


def completed(landmarks: HolisticSet) -> HolisticSet:
    """The pose's points of eyes, nose, mouth, wrists and fingers, where it has none, out of the face and the hands."""
    points, visibility = landmarks.points.clone(), landmarks.visibility.clone()
    pairs = [(pose, PARTS["face"].start + face) for pose, face in POSE_OF_FACE.items()]
    for arm, name in enumerate(("left_hand", "right_hand")):
        pairs += [(pose + arm, PARTS[name].start + hand) for pose, hand in POSE_OF_HAND.items()]
    for pose, other in pairs:
        place = PARTS["pose"].start + pose
        missing = (visibility[:, place] == 0) & (visibility[:, other] > 0)
        points[missing, place, :2], visibility[missing, place] = points[missing, other, :2], visibility[missing, other]
    return replace(landmarks, points=points, visibility=visibility)


def _same_pictures(name: str, found: HolisticSet, wanted: HolisticSet) -> None:
    (height, width), (tall, wide) = found.image_size, wanted.image_size
    if len(found) != len(wanted) or abs(width * tall / (height * wide) - 1) > _ASPECT:
        raise ValueError(
            f"The {name} are of {len(found)} pictures of {width} × {height} pixels, but the image has {len(wanted)} of "
            f"{wide} × {tall}. Give both nodes the same pictures."
        )
