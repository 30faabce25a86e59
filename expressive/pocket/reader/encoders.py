"""The face reader as the encoders that losses, metrics and nodes ask for (`expressive.encoders.interfaces`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor, nn

from ...emotion import vocabulary
from ...encoders import ExpressionReading, FacePoints, IdentityReading, Landmarks, check_pictures
from .net import Reading
from .reader import NAME, FaceReader


class PocketEncoder:
    """ExpressionEncoder, IdentityEncoder, ImageTextEncoder, PatchEncoder and LandmarkDetector in one.

    It was trained on drawings and reads drawings: in a photograph it is likely to find nothing or to be wrong.
    """

    name = "Pocket face reader"
    licence = "Apache-2.0, as this pack."
    differentiable = True
    exclusive = False

    def __init__(self, reader: FaceReader) -> None:
        self.reader = reader
        self.network: nn.Module | None = reader.net
        self.input_size: int | None = reader.net.config.size
        self.expression_width = reader.net.config.hidden
        self.expression_classes = tuple(word.word for word in vocabulary.pixelsmile())
        self.identity_width = reader.net.config.identity
        self.image_width = reader.net.config.joint
        self.patch_width = reader.net.config.widths[2]

    @classmethod
    def load(cls, folder: Path, name: str = NAME) -> PocketEncoder:
        """Raises FileNotFoundError, or ValueError for a file that is not a face reader's."""
        return cls(FaceReader.load(folder, name))

    def encode_expression(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> ExpressionReading:
        """Embeddings [B,256] and the 12 intensities [B,12], cut at 1; the whole picture is read, `like` is ignored."""
        reading, found, device = self._read(pictures)
        return ExpressionReading(
            embeddings=_kept(reading.expression, found).to(device),
            scores=_kept(reading.intensities.clamp(max=1.0), found).to(device),
            found=found.to(device),
        )

    def encode_identity(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> IdentityReading:
        """Embeddings [B,128] of length 1; the whole picture is read, `like` is ignored."""
        reading, found, device = self._read(pictures)
        return IdentityReading(embeddings=_kept(reading.identity, found).to(device), found=found.to(device))

    def encode_image(self, pictures: Tensor) -> Tensor:
        """[B,3,H,W] → [B,128] of length 1."""
        reading, _, device = self._read(pictures)
        return reading.image.to(device)

    def encode_patches(self, pictures: Tensor) -> Tensor:
        """[B,3,H,W] → [B,64,128]: the network's map of 8 × 8 places, row by row."""
        check_pictures(pictures)
        places = self.reader.net.maps(pictures.to(self.reader.device))[2]
        return rearrange(places.contiguous(), "b c h w -> b (h w) c").to(pictures.device)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """B texts → [B,128] of length 1. ValueError for an empty list or an empty text; long ones are cut."""
        return self.reader.read_texts(texts)

    def detect_landmarks(self, pictures: Tensor) -> Landmarks:
        """The 553 landmarks; a hand of which less than half is seen is all zero."""
        reading, found, device = self._read(pictures)
        points = torch.cat((reading.landmarks, reading.visibility.sigmoid()[..., None]), dim=-1)
        hands = points[:, -42:].unflatten(1, (2, 21))
        seen = hands[..., 2].mean(2) > 0.5  # [B,2]
        hands = torch.where(seen[..., None, None], hands, torch.zeros_like(hands)).flatten(1, 2)
        return Landmarks(_kept(torch.cat((points[:, :-42], hands), dim=1), found).to(device))

    def _read(self, pictures: Tensor) -> tuple[Reading, Tensor, torch.device]:
        check_pictures(pictures)
        reading = self.reader.read(pictures)
        return reading, reading.presence > 0, pictures.device


def _kept(values: Tensor, found: Tensor) -> Tensor:
    """`values` [B,…] where something was found, else zero without a gradient."""
    return torch.where(found.reshape(-1, *[1] * (values.ndim - 1)), values, torch.zeros_like(values))
