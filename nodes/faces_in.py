"""Faces in pictures, found and told apart: drawn ones by the bundled reader, photographs by the real encoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
import torch
from comfy_api.latest import io
from torch import Tensor

from ..expressive.vision.fitting import Box
from .face_reader import load_face_reader, parts

if TYPE_CHECKING:
    from ..expressive.encoders import IdentityReading

ENCODERS = ("face reader", "insightface")


def encoder_input() -> io.Combo.Input:
    """The choice of who compares faces."""
    return io.Combo.Input(
        "encoder",
        options=list(ENCODERS),
        tooltip="Who compares faces. face reader: bundled, for drawn faces. insightface: for photographs, with "
        "antelopev2 or buffalo_l in models/insightface (non-commercial research only).",
    )


def face_boxes(image: Tensor, landmarks: dict[str, Any] | None) -> list[list[Box]]:
    """The boxes of the faces of each picture [B,H,W,C]: those of the host's landmarks, or the reader's one.

    Raises ValueError for landmarks of other pictures.
    """
    return _drawn_faces(image) if landmarks is None else _detected(landmarks, image)


def identities(encoder: str) -> Callable[[Tensor], IdentityReading]:
    """Pictures [B,H,W,3] → embeddings [B,D] of length 1, by one of ENCODERS; FileNotFoundError where it is missing."""
    from ..expressive.encoders import IdentityReading

    if encoder == ENCODERS[0]:
        reader = load_face_reader()
        device, encode = reader.device, reader.encoder.encode_identity
    else:
        from ..expressive.encoders.insightface import load_insightface

        folder = Path(folder_paths.models_dir) / "insightface"
        device, encode = torch.device("cpu"), load_insightface(folder, differentiable=False).encode_identity

    @torch.no_grad()
    def embed(pictures: Tensor) -> IdentityReading:
        found = [encode(part) for part in parts(pictures, device)]
        return IdentityReading(torch.cat([one.embeddings for one in found]), torch.cat([one.found for one in found]))

    return embed


def _detected(landmarks: dict[str, Any], image: Tensor) -> list[list[Box]]:
    frames = landmarks["frames"]
    size = tuple(int(x) for x in landmarks["image_size"])
    if len(frames) != len(image) or size != tuple(image.shape[1:3]):
        raise ValueError(
            f"The landmarks are of {len(frames)} pictures of {size[1]} × {size[0]} pixels, but the image has "
            f"{len(image)} of {image.shape[2]} × {image.shape[1]}. Give both nodes the same pictures."
        )
    return [[_box(face["bbox_xyxy"]) for face in frame] for frame in frames]


def _box(values: Sequence[Any]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def _drawn_faces(image: Tensor) -> list[list[Box]]:
    """The box of the drawn face of each picture; none where the reader sees none."""
    from ..expressive.encoders.landmark_faces import LandmarkFaces

    reader = load_face_reader()
    finder = LandmarkFaces(reader.encoder)
    boxes: list[list[Box]] = []
    for part in parts(image, reader.device):
        found = finder.find_faces(part)
        boxes += [[_box(box)] if seen else [] for box, seen in zip(found.boxes.tolist(), found.found, strict=True)]
    return boxes
