"""What losses, metrics and nodes ask of an encoder, whichever network answers.

Rules that hold for every encoder here:

- Pictures are float [B, 3, H, W], RGB, 0..1, of any height and width; an encoder crops, resizes and normalises them
  itself. Values a little outside 0..1 (a VAE's output) are taken as they are. `check_pictures` refuses anything else.
- Results are float32 on the pictures' device. `network` may lie elsewhere; pictures are moved to it.
- Weights are frozen and in eval mode. Where `differentiable` is True, gradients flow from the result to the pictures.
- No face: no error, and nothing guessed. `found[b]` is False, and row b of every result is zero: cosine similarity 0,
  and no gradient. Who needs a face in every picture asks with `require_found`. Several faces: the largest one is taken,
  and `faces[b]` says how many there were.

A class may implement several of these at once: their method names differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

FACE, POSE, HAND = 478, 33, 21
LANDMARKS = FACE + POSE + 2 * HAND
"""553, in MediaPipe Holistic order: 478 of the face (468 mesh, 10 iris), 33 of the pose, 21 of the left and 21 of the
right hand."""


@dataclass(frozen=True)
class Landmarks:
    """Where the points of one person lie in each picture.

    points: float32 [B, 553, 3]: x and y as shares of the picture's width and height (beyond 0..1 outside of it, y
    downwards), and visibility 0..1. A part that was not seen (a hand, the irises, everybody) is all zero.
    Raises ValueError for another shape or type.
    """

    points: Tensor

    def __post_init__(self) -> None:
        if self.points.ndim != 3 or self.points.shape[1:] != (LANDMARKS, 3) or self.points.dtype != torch.float32:
            raise ValueError(
                f"Landmarks are float32 [B, {LANDMARKS}, 3] ({FACE} of the face, {POSE} of the pose, {HAND} of each "
                f"hand), but here they are {self.points.dtype} {list(self.points.shape)}."
            )

    @property
    def face(self) -> Tensor:
        """[B, 478, 3]: 0..467 the mesh, 468..472 the right iris, 473..477 the left one (the person's right and left)"""
        return self.points[:, :FACE]

    @property
    def pose(self) -> Tensor:
        """[B, 33, 3]"""
        return self.points[:, FACE : FACE + POSE]

    @property
    def left_hand(self) -> Tensor:
        """[B, 21, 3], the person's left"""
        return self.points[:, FACE + POSE : FACE + POSE + HAND]

    @property
    def right_hand(self) -> Tensor:
        """[B, 21, 3], the person's right"""
        return self.points[:, FACE + POSE + HAND :]

    @property
    def found(self) -> Tensor:
        """bool [B]: a face was seen."""
        return self.face[..., 2].amax(dim=1) > 0


@dataclass(frozen=True)
class FacePoints:
    """The face that was chosen in each picture, in pixels of that picture (pixel centres at whole numbers, as in
    OpenCV).

    points: float32 [B, 5, 2]: the eye on the picture's left, the eye on its right, tip of the nose, left and right
    corner of the mouth. boxes: float32 [B, 4]: left, top, right, bottom. scores: float32 [B], 0..1. found: bool [B];
    rows without a face are zero. faces: int64 [B], how many there were to choose from.
    """

    points: Tensor
    boxes: Tensor
    scores: Tensor
    found: Tensor
    faces: Tensor


@dataclass(frozen=True)
class ExpressionReading:
    """embeddings: float32 [B, D], not normalised. scores: float32 [B, C], 0..1 (C = 0 without classes). found: bool
    [B]. Where found is False, both are zero."""

    embeddings: Tensor
    scores: Tensor
    found: Tensor


@dataclass(frozen=True)
class IdentityReading:
    """embeddings: float32 [B, D], of length 1 (or 0 where found is False). found: bool [B]."""

    embeddings: Tensor
    found: Tensor


class Encoder(Protocol):
    """What every encoder says about itself."""

    name: str  # for people: "POSTER (RAF-DB)"
    licence: str  # one sentence about the weights, shown to artists
    differentiable: bool
    input_size: int | None  # side in pixels that the network sees; None: it takes any
    network: nn.Module | None  # for the host's memory management; None where no torch module is at work


@runtime_checkable
class FaceFinder(Encoder, Protocol):
    """Finds the face to look at. Never differentiable: places are numbers, not functions of the pixels."""

    def find_faces(self, pictures: Tensor) -> FacePoints:
        """[B, 3, H, W] → the largest face of each picture."""
        ...


@runtime_checkable
class ExpressionEncoder(Encoder, Protocol):
    """Reads the expression of one face.

    `like`, here and in IdentityEncoder: pictures of the same shape that show where the face is, or the places found in
    them, for when `pictures` are too noisy to find it (a loss gives those of the true pictures). Encoders that look at
    the whole picture ignore it.
    """

    expression_width: int  # D
    expression_classes: tuple[str, ...]  # names of the scores, in the network's order; empty without classes
    exclusive: bool  # True: scores are probabilities with sum 1; False: intensities, each for itself in 0..1

    def encode_expression(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> ExpressionReading:
        """[B, 3, H, W] → embeddings [B, D] and scores [B, C]."""
        ...


@runtime_checkable
class IdentityEncoder(Encoder, Protocol):
    """Tells people apart: the cosine of two embeddings is high for the same person."""

    identity_width: int  # D

    def encode_identity(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> IdentityReading:
        """[B, 3, H, W] → embeddings [B, D] of length 1. `like`: see ExpressionEncoder."""
        ...


@runtime_checkable
class ImageEncoder(Encoder, Protocol):
    """Features of a whole picture; needs no face."""

    image_width: int  # D

    def encode_image(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, D] of length 1."""
        ...


@runtime_checkable
class PatchEncoder(Encoder, Protocol):
    """Features of all parts of a picture."""

    patch_width: int  # D

    def encode_patches(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] → [B, M, D] of M parts, row by row."""
        ...


@runtime_checkable
class ImageTextEncoder(ImageEncoder, Protocol):
    """Pictures and texts in one space."""

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """B texts → [B, D] of length 1, on the network's device. ValueError for an empty list or an empty text.
        A text beyond the encoder's length is cut at its end."""
        ...


@runtime_checkable
class LandmarkDetector(Encoder, Protocol):
    """Finds the 553 landmarks of one person."""

    def detect_landmarks(self, pictures: Tensor) -> Landmarks:
        """[B, 3, H, W] → Landmarks [B, 553, 3]."""
        ...


def check_pictures(pictures: Tensor, name: str = "pictures") -> None:
    """Raises ValueError if `pictures` are not float [B, 3, H, W] with at least one picture, or hold NaN or infinite
    numbers."""
    if not isinstance(pictures, Tensor) or pictures.ndim != 4 or pictures.shape[1] != 3 or 0 in pictures.shape:
        found = f"shape {list(pictures.shape)}" if isinstance(pictures, Tensor) else type(pictures).__name__
        raise ValueError(f"An encoder takes {name} of shape [batch, 3, height, width], but here they have {found}.")
    if not pictures.is_floating_point():
        raise ValueError(f"An encoder takes {name} as floating-point numbers 0..1, but here they are {pictures.dtype}.")
    if not bool(pictures.detach().isfinite().all()):
        raise ValueError(f"The {name} hold NaN or infinite numbers, so nothing can be read from them.")


def require_found(found: Tensor, name: str = "picture") -> None:
    """Raises ValueError that names the pictures (counted from 1) without a face."""
    missing = [str(index + 1) for index, there in enumerate(found.tolist()) if not there]
    if missing:
        raise ValueError(
            f"No face was found in {name} {', '.join(missing)} of {len(found)}. Choose pictures in which the face is "
            "larger, sharper and turned towards the viewer."
        )
