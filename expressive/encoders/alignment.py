"""Faces brought upright into one place, by their five points, as ArcFace wants them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .interfaces import FaceFinder, FacePoints, Landmarks

ARCFACE_SIDE = 112
ARCFACE_POINTS = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where the five points lie in ArcFace's 112 × 112 crop (InsightFace, `arcface_dst`): eye on the left, eye on the
right, tip of the nose, left and right corner of the mouth; in pixels, centres at whole numbers."""


def places_of(finder: FaceFinder, pictures: Tensor, like: Tensor | FacePoints | None) -> FacePoints:
    """Where the faces of pictures [B, 3, H, W] are: found in them, or in `like`, or already known.

    Raises ValueError for another number or size of pictures.
    """
    if isinstance(like, FacePoints):
        if len(like.found) != len(pictures):
            raise ValueError(f"{len(like.found)} faces are known for {len(pictures)} pictures. Give one for each.")
        return like
    if like is not None and like.shape != pictures.shape:
        raise ValueError(
            f"The pictures that show where the faces are have shape {list(like.shape)}, but those to read have "
            f"{list(pictures.shape)}. Give the same number and size."
        )
    return finder.find_faces(pictures if like is None else like)


def arcface_template(size: int = ARCFACE_SIDE) -> Tensor:
    """[5, 2] for a crop of `size` pixels, scaled as InsightFace does."""
    return torch.tensor(ARCFACE_POINTS) * (size / ARCFACE_SIDE)


def similarity(source: Tensor, target: Tensor) -> Tensor:
    """Rotation, uniform scale and shift, without reflection, that bring `source` closest to `target`.

    source, target: [B, N, 2] (or [N, 2], for all). Returns [B, 2, 3] with target ≈ M · (x, y, 1), in least squares:
    Umeyama (1991), which in the plane has a closed form: with centred points as complex numbers, scale and rotation
    together are Σ s̄·t / Σ |s|². Differentiable. Points that all coincide give the shift alone.
    """
    source, target = torch.broadcast_tensors(*(p if p.ndim == 3 else p[None] for p in (source, target.to(source))))
    source_centre, target_centre = source.mean(dim=1), target.mean(dim=1)  # [B, 2]
    s, t = source - source_centre[:, None], target - target_centre[:, None]
    size = s.square().sum(dim=(1, 2))
    spread = size.clamp_min(torch.finfo(size.dtype).tiny)
    real = torch.where(size > 0, (s * t).sum(dim=(1, 2)) / spread, torch.ones_like(size))
    imaginary = (s[..., 0] * t[..., 1] - s[..., 1] * t[..., 0]).sum(dim=1) / spread
    turn = torch.stack((torch.stack((real, -imaginary), -1), torch.stack((imaginary, real), -1)), dim=1)  # [B, 2, 2]
    shift = target_centre - (turn @ source_centre[..., None])[..., 0]
    return torch.cat((turn, shift[..., None]), dim=2)


def invert(matrix: Tensor) -> Tensor:
    """The way back of [B, 2, 3] similarities (their scale must not be 0)."""
    turn = matrix[..., :2]
    scale2 = (turn[..., 0, 0].square() + turn[..., 1, 0].square())[..., None, None]
    back = turn.transpose(-1, -2) / scale2
    return torch.cat((back, -back @ matrix[..., 2:]), dim=-1)


def warp(pictures: Tensor, matrix: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """Crops [B, 3, size, size]: pixel p of the crop shows pixel M⁻¹·p of the picture, black where that is outside.

    Same as cv2.warpAffine with a constant border; differentiable in pictures and matrix. mode: bilinear or bicubic.
    """
    height, width = pictures.shape[-2:]
    back = invert(matrix)
    line = torch.arange(size, dtype=pictures.dtype, device=pictures.device)
    ys, xs = torch.meshgrid(line, line, indexing="ij")
    places = torch.stack((xs, ys, torch.ones_like(xs)), dim=-1)  # [size, size, 3]
    sources = torch.einsum("hwk,bck->bhwc", places, back.to(pictures))  # pixels of the picture
    sides = torch.tensor((width, height), dtype=pictures.dtype, device=pictures.device)
    grid = (2 * sources + 1) / sides - 1
    return F.grid_sample(pictures, grid, mode=mode, padding_mode="zeros", align_corners=False)


def align_faces(pictures: Tensor, points: Tensor, size: int = ARCFACE_SIDE, mode: str = "bilinear") -> Tensor:
    """Crops [B, 3, size, size] from [B, 3, H, W] and five points [B, 5, 2] in pixels (see FacePoints).

    Gradients flow to the pictures (and to the points, where they have any).
    """
    return warp(pictures, similarity(points.to(pictures), arcface_template(size)), size, mode)


def found_crops(pictures: Tensor, faces: FacePoints, size: int = ARCFACE_SIDE) -> Tensor:
    """The aligned faces [n, 3, size, size] of those n pictures in which one was found."""
    found = faces.found.to(pictures.device)
    return align_faces(pictures[found], faces.points.to(pictures.device)[found], size)


def in_all_rows(values: Tensor, found: Tensor, pictures: Tensor) -> Tensor:
    """[n, D] of the n pictures with a face → [B, D] on the pictures' device, zero in the other rows.

    The result depends on the pictures (with gradient 0 at least) even if no face was found, so that a loss made of it
    can always run backward.
    """
    device = pictures.device
    anchor = pictures.flatten(1)[:, :1].float() * 0.0  # [B, 1]
    rows = torch.zeros(len(pictures), values.shape[1], device=device).index_put(
        (found.to(device).nonzero()[:, 0],), values.to(device).float()
    )
    return rows + anchor


# MediaPipe face mesh: iris centre, then the corners of the eye, for the eye on the picture's left (the person's right)
_EYES = ((468, 33, 133), (473, 362, 263))
_NOSE, _MOUTH = 1, (61, 291)


def five_points(landmarks: Landmarks, height: int, width: int) -> FacePoints:
    """The five points out of the 553, for pictures of the given size in pixels.

    The eyes are the iris centres where those were seen, else the middle between the corners of the eye. The box is that
    of the face's landmarks; the score is their mean visibility.
    """
    face = landmarks.face
    sides = face.new_tensor((width, height))
    places = face[..., :2] * sides - 0.5
    seen = face[..., 2] > 0  # [B, 478]
    eyes = [
        torch.where(seen[:, iris, None], places[:, iris], places[:, corners].mean(dim=1)) for iris, *corners in _EYES
    ]
    points = torch.stack((*eyes, places[:, _NOSE], *(places[:, corner] for corner in _MOUTH)), dim=1)
    found = landmarks.found
    far = torch.finfo(places.dtype).max
    low = places.masked_fill(~seen[..., None], far).amin(dim=1)
    high = places.masked_fill(~seen[..., None], -far).amax(dim=1)
    there = found[:, None]
    return FacePoints(
        points=torch.where(there[..., None], points, 0.0),
        boxes=torch.where(there, torch.cat((low, high), dim=1), 0.0),
        scores=(face[..., 2].sum(dim=1) / seen.sum(dim=1).clamp_min(1)).clamp(0, 1),
        found=found,
        faces=found.long(),
    )
