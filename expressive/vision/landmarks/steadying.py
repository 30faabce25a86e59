"""Landmarks over time: lost faces held for a while, and jitter taken away."""

from __future__ import annotations

from dataclasses import replace

from .holistic_set import PARTS, HolisticSet
from .one_euro import OneEuro, one_euro


def hold_lost(landmarks: HolisticSet, frames: int) -> HolisticSet:
    """For up to `frames` frames after a face was lost it stands where it was seen last; after that it is gone.

    If nothing else of the person is there either, the whole person stands still; otherwise the face alone. Frames
    before the first face have none. Raises ValueError for a number below 0.
    """
    if frames < 0:
        raise ValueError(f"Lost faces are held for 0 frames or more, but here for {frames}.")
    points, visibility, held = landmarks.points.clone(), landmarks.visibility.clone(), landmarks.held.clone()
    shapes = None if landmarks.blendshapes is None else landmarks.blendshapes.clone()
    somebody = (landmarks.visibility.amax(dim=1) > 0).tolist()
    last: int | None = None
    for now, found in enumerate(landmarks.found.tolist()):
        if found:
            last = now
        elif last is not None and now - last <= frames:
            rows = PARTS["face"] if somebody[now] else slice(None)
            points[now, rows], visibility[now, rows] = points[last, rows], visibility[last, rows]
            held[now] = True
            if shapes is not None:
                shapes[now] = shapes[last]
    return HolisticSet(points, visibility, landmarks.image_size, held, shapes)


def smooth(landmarks: HolisticSet, fps: float, settings: OneEuro) -> HolisticSet:
    """Every coordinate through the 1€ filter, which starts anew where a landmark was not there.

    Speeds are in shares of the picture's longer side a second. Visibility and blendshapes stay as they are. Raises
    ValueError for frames a second that are not above 0.
    """
    height, width = landmarks.image_size
    sides = landmarks.points.new_tensor((width, height, width)) / max(height, width)
    there = (landmarks.visibility > 0)[..., None]  # [F, 553, 1]
    return replace(landmarks, points=one_euro(landmarks.points, fps, settings, there, sides))
