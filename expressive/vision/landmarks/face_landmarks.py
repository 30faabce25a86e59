"""The host's FACE_LANDMARKS: what its MediaPipe nodes and Face Crop read and write.

{"frames": one list of faces for each picture, "image_size": (height, width), "connection_sets": name → pairs of
indices}. A face: "bbox_xyxy" [4], "landmarks_xy" [478, 2] in pixels, "landmarks_3d" [478, 3] in the square crop of 192
units that the mesh is found in, "blendshapes" name → 0..1, "presence" (a logit) and "score" (0..1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...encoders.holistic import MESH
from ...encoders.interfaces import FACE, LANDMARKS
from ...pocket.scene.mesh import IRISES, mesh
from .holistic_set import BLENDSHAPES, PARTS, HolisticSet

CROP = 192  # units of the square that the mesh is found in
ROOM = 1.5  # its side in sides of the face's box

# MediaPipe's left and right are the person's, those of the mesh the picture's.
_CONTOURS: Mapping[str, tuple[str, ...]] = {
    "left_eye": ("eye_upper_right", "eye_lower_right"),
    "right_eye": ("eye_upper_left", "eye_lower_left"),
    "left_eyebrow": ("brow_upper_right", "brow_lower_right"),
    "right_eyebrow": ("brow_upper_left", "brow_lower_left"),
    "lips": ("lips_outer_upper", "lips_outer_lower", "lips_inner_upper", "lips_inner_lower"),
    "nose": ("nose_bridge", "nose_base"),
}


def from_face_landmarks(given: Mapping[str, Any]) -> HolisticSet:
    """The faces alone; the largest of each picture. A face counts as seen with all its landmarks.

    Raises ValueError for faces without their 478 (or 468) landmarks.
    """
    frames: Sequence[Sequence[Mapping[str, Any]]] = given["frames"]
    height, width = (int(pixels) for pixels in given["image_size"])
    points = np.zeros((len(frames), LANDMARKS, 3), np.float32)
    visibility = np.zeros((len(frames), LANDMARKS), np.float32)
    shapes = np.zeros((len(frames), len(BLENDSHAPES)), np.float32)
    for index, faces in enumerate(frames):
        if not faces:
            continue
        face = max(faces, key=_area)
        if "landmarks_xy" not in face:
            raise ValueError(
                f"The face in picture {index + 1} of {len(frames)} has a box, but no landmarks. Connect the "
                "FACE_LANDMARKS of Detect Face Landmarks (MediaPipe)."
            )
        flat = np.asarray(face["landmarks_xy"], np.float64)
        if flat.shape not in ((FACE, 2), (MESH, 2)):
            raise ValueError(
                f"A face of MediaPipe has {FACE} or {MESH} landmarks of two numbers each, but the one in picture "
                f"{index + 1} of {len(frames)} has {list(flat.shape)}."
            )
        count = len(flat)
        points[index, :count, :2] = flat / (width, height)
        points[index, :count, 2] = _depths(flat, face.get("landmarks_3d")) / width
        visibility[index, :count] = 1.0
        known = face.get("blendshapes") or {}
        shapes[index] = [float(known.get(name, 0.0)) for name in BLENDSHAPES]
    return HolisticSet.of(
        torch.from_numpy(points),
        torch.from_numpy(visibility),
        (height, width),
        torch.from_numpy(shapes) if any(face.get("blendshapes") for faces in frames for face in faces) else None,
    )


def to_face_landmarks(landmarks: HolisticSet) -> dict[str, Any]:
    """As the host's detector would write it, but for the matrices that turn its canonical face.

    A face of which no more than OpenPose's 68 points are known is no mesh, and is left out.
    """
    height, width = landmarks.image_size
    pixels, visibility = landmarks.pixels.cpu().numpy(), landmarks.visibility.cpu().numpy()
    frames: list[list[dict[str, Any]]] = []
    whole = landmarks.found & (landmarks.points[:, :MESH] != 0).any(dim=2).all(dim=1)
    for index, found in enumerate(whole.tolist()):
        if not found:
            frames.append([])
            continue
        irises = bool(landmarks.points[index, MESH:FACE].any())
        count = FACE if irises else MESH
        xyz = pixels[index, :count].astype(np.float32)
        low, high = xyz[:, :2].min(axis=0), xyz[:, :2].max(axis=0)
        scale = CROP / (ROOM * max(float((high - low).max()), 1e-6))
        middle = np.append((low + high) / 2, 0.0)
        score = float(visibility[index, PARTS["face"]][:count].mean())
        sure = min(max(score, 1e-4), 1 - 1e-4)
        shapes = {}
        if landmarks.blendshapes is not None:
            shapes = dict(zip(BLENDSHAPES, landmarks.blendshapes[index].tolist(), strict=True))
        frames.append(
            [
                {
                    "bbox_xyxy": np.concatenate([low, high]).astype(np.float32),
                    "blendshapes": shapes,
                    "landmarks_xy": xyz[:, :2].copy(),
                    "landmarks_3d": ((xyz - middle) * scale + (CROP / 2, CROP / 2, 0.0)).astype(np.float32),
                    "presence": math.log(sure / (1 - sure)),
                    "score": score,
                }
            ]
        )
    return {"frames": frames, "image_size": (height, width), "connection_sets": connection_sets()}


def connection_sets() -> dict[str, frozenset[tuple[int, int]]]:
    """MediaPipe's sets of the face's edges, under the host's names."""
    curves = mesh().contours
    oval = curves["oval"]
    sets = {
        name: frozenset(pair for curve in names for pair in zip(curves[curve], curves[curve][1:], strict=False))
        for name, names in _CONTOURS.items()
    }
    sets["face_oval"] = frozenset(zip(oval, (*oval[1:], oval[0]), strict=True))
    sets["irises"] = frozenset(
        (first + 1 + corner, first + 1 + (corner + 1) % 4) for first in IRISES.values() for corner in range(4)
    )
    sets["tesselation"] = frozenset((int(a), int(b)) for a, b in mesh().edges.tolist())
    outlines = [name for name in (*_CONTOURS, "face_oval") if name != "nose"]
    sets["contours"] = frozenset(pair for name in outlines for pair in sets[name])
    sets["all"] = sets["contours"] | sets["irises"] | sets["nose"]
    return sets


def _area(face: Mapping[str, Any]) -> float:
    left, top, right, bottom = (float(value) for value in face["bbox_xyxy"])
    return (right - left) * (bottom - top)


def _depths(flat: np.ndarray, crop: Any) -> np.ndarray:
    """z [N] in pixels: the crop's own, in the scale by which its x went to the picture. 0 where there is none."""
    if crop is None or len(crop) != len(flat):
        return np.zeros(len(flat))
    crop = np.asarray(crop, np.float64)
    affine, *_ = np.linalg.lstsq(np.concatenate([crop[:, :2], np.ones((len(crop), 1))], axis=1), flat, rcond=None)
    return crop[:, 2] * float(np.linalg.norm(affine[0]))
