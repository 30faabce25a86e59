"""Landmarks without the picture's place and scale, and the vector l̃ that MAVAGEN's landmark encoder reads.

Axyonov et al.: MAVAGEN, §3.3.1: re-centred at a torso joint, divided by the distance of the shoulders,
l̃ = vec([L̃, m]). Which joint, and what happens without shoulders, the paper does not say; here it is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...encoders.interfaces import FACE, LANDMARKS
from .connections import TORSOS
from .holistic_set import HolisticSet

VECTOR = LANDMARKS * 3
"""1659: the length of l̃."""

BROAD = 2.2
"""Distance of the shoulders in widths of a face, typically: for pictures that show no shoulders."""

DOWN = 1.4
"""How far the shoulders lie below the middle of a face, in its widths, typically."""

_CHEEKS = (234, 454)  # where the mesh is as wide as the face
_SHOULDERS, _HIPS = (FACE + 11, FACE + 12), (FACE + 23, FACE + 24)
_PROFILE = 0.5  # shoulders nearer to each other than this many widths of the face are those of a profile


@dataclass(frozen=True, eq=False)
class Normalised:
    """F frames without place and scale.

    points: float32 [F, 553, 2], in distances of the shoulders from the torso joint, x to the right, y down; 0 where a
    landmark is not seen. seen: bool [F, 553]. joint: what each frame was re-centred by: “shoulders” or “hips”, “face”
    where these are guessed from the face, “nothing” where there was neither (all zero).
    """

    points: Tensor
    seen: Tensor
    joint: tuple[str, ...]

    @property
    def vector(self) -> Tensor:
        """l̃ of each frame: float32 [F, 1659], x, y and m (0 or 1) of the first landmark, then of the second, …"""
        rows = torch.cat((self.points, self.seen[..., None].float()), dim=2)  # [F, 553, 3]
        return rows.flatten(1)


def normalise(landmarks: HolisticSet, torso: str = TORSOS[0]) -> Normalised:
    """Re-centre and scale each frame by itself. torso: one of `TORSOS`.

    All is measured in pixels, so that the picture's shape does not matter; in square pictures that is the paper's
    formula. The shoulders count where both are seen and not behind each other (a profile). Where they do not, the
    distance and the middle of the shoulders are guessed from the face: with the ratios of those frames of the same set
    that show both, else with `BROAD` and `DOWN`. Hips that are not seen are replaced by the shoulders. Without
    shoulders and face a frame is all zero. Raises ValueError for another torso joint.
    """
    if torso not in TORSOS:
        raise ValueError(f"There is no torso joint “{torso}”; there are {', '.join(TORSOS)}.")
    pixels = landmarks.pixels.double()
    seen, flat = landmarks.seen, pixels[..., :2]
    face_there = (landmarks.visibility[:, list(_CHEEKS)] > 0).all(dim=1)
    face = _apart(pixels, _CHEEKS) * face_there  # [F], in space: turned heads are as wide, where z is known
    face_there = face > 0
    breadth = _apart(flat, _SHOULDERS)
    shoulders_there = seen[:, list(_SHOULDERS)].all(dim=1) & (breadth > 0) & (breadth >= _PROFILE * face)
    cheeks, shoulders = _middle(flat, _CHEEKS), _middle(flat, _SHOULDERS)
    broad, down = BROAD, DOWN
    both = shoulders_there & face_there
    if bool(both.any()):
        broad = float((breadth[both] / face[both]).median())
        down = float(((shoulders - cheeks)[both, 1] / face[both]).median())
    guessed = cheeks + torch.stack((torch.zeros_like(face), down * face), dim=1)  # [F, 2]
    centre = torch.where(shoulders_there[:, None], shoulders, guessed)
    size = torch.where(shoulders_there, breadth, broad * face)
    there = shoulders_there | face_there
    hips_there = seen[:, list(_HIPS)].all(dim=1) & there & (torso == "hips")
    centre = torch.where(hips_there[:, None], _middle(flat, _HIPS), centre)
    seen = seen & there[:, None]
    points = (flat - centre[:, None]) / torch.where(there, size, torch.ones_like(size))[:, None, None]
    joints = zip(hips_there.tolist(), shoulders_there.tolist(), there.tolist(), strict=True)
    return Normalised(
        torch.where(seen[..., None], points, torch.zeros_like(points)).float(),
        seen,
        tuple("hips" if h else "shoulders" if s else "face" if t else "nothing" for h, s, t in joints),
    )


def _apart(points: Tensor, pair: tuple[int, int]) -> Tensor:
    return (points[:, pair[0]] - points[:, pair[1]]).norm(dim=1)


def _middle(points: Tensor, pair: tuple[int, int]) -> Tensor:
    return (points[:, pair[0]] + points[:, pair[1]]) / 2
