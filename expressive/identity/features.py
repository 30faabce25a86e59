"""What encoders see in reference pictures: of a person, and of the faces that the person is to make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..encoders import (
    ExpressionEncoder,
    IdentityEncoder,
    ImageEncoder,
    PatchEncoder,
    check_pictures,
    require_found,
)
from ..weights import reading_weights, write_weights

FORMAT = "expressive-avatars.identity.1"
MOST_PICTURES = 8


@dataclass(frozen=True)
class Seers:
    """The frozen encoders that look at reference pictures. key: of what they see, the same for the same weights."""

    identity: IdentityEncoder | ImageEncoder
    appearance: PatchEncoder
    expression: ExpressionEncoder | ImageEncoder
    key: Mapping[str, str]

    @property
    def widths(self) -> tuple[int, int, int]:
        """Of identity, appearance and expression."""
        identity = self.identity
        known = identity.identity_width if isinstance(identity, IdentityEncoder) else identity.image_width
        face = self.expression
        shown = face.expression_width if isinstance(face, ExpressionEncoder) else face.image_width
        return known, self.appearance.patch_width, shown

    def who(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures [P,3,H,W] → identity [P,I] and appearance [P,M,A].

        Raises ValueError, naming the pictures, where one has no face.
        """
        check_pictures(pictures)
        if isinstance(self.identity, IdentityEncoder):
            reading = self.identity.encode_identity(pictures)
            require_found(reading.found, "identity picture")
            identity = reading.embeddings
        else:
            identity = self.identity.encode_image(pictures)
        return identity, self.appearance.encode_patches(pictures)

    def face(self, pictures: Tensor) -> Tensor:
        """Pictures [N,3,H,W] → expression [N,E], with mean 0 and deviation 1, so that encoders' scales do not matter.

        Raises ValueError, naming the pictures, where one has no face.
        """
        check_pictures(pictures)
        if isinstance(self.expression, ExpressionEncoder):
            reading = self.expression.encode_expression(pictures)
            require_found(reading.found, "expression picture")
            return F.layer_norm(reading.embeddings, reading.embeddings.shape[1:])
        seen = self.expression.encode_image(pictures)
        return F.layer_norm(seen, seen.shape[1:])


@dataclass(frozen=True)
class IdentityFeatures:
    """IDENTITY: a person, and N faces to make.

    identity: [P,I] of P reference pictures. appearance: [P,M,A]. expression: [N,E], N = 0 without any. names: of the N
    faces, for people. key: of the encoders, by “identity”, “appearance” and “expression”.
    """

    identity: Tensor
    appearance: Tensor
    expression: Tensor
    names: tuple[str, ...] = ()
    key: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shapes = [list(x.shape) for x in (self.identity, self.appearance, self.expression)]
        if [len(shape) for shape in shapes] != [2, 3, 2] or shapes[0][0] != shapes[1][0]:
            raise ValueError(f"Identity features are [P,I], [P,M,A] and [N,E], but here they are {shapes}.")
        if not 1 <= len(self.identity) <= MOST_PICTURES:
            raise ValueError(f"A person is told by 1 to {MOST_PICTURES} pictures, not {len(self.identity)}.")
        if len(self.names) not in (0, len(self.expression)):
            raise ValueError(f"There are {len(self.names)} names for {len(self.expression)} expressions.")

    def same_as(self, other: IdentityFeatures) -> bool:
        """Whether both hold the same."""
        pairs = zip(*((one.identity, one.appearance, one.expression) for one in (self, other)), strict=True)
        return self.names == other.names and self.key == other.key and all(torch.equal(a, b) for a, b in pairs)

    def save(self, file: Path) -> Path:
        """Write safetensors."""
        tensors = {"identity": self.identity, "appearance": self.appearance, "expression": self.expression}
        told = {"format.name": FORMAT, "names": list(self.names), "encoders": dict(self.key)}
        return write_weights(file, tensors, told)

    @classmethod
    def load(cls, file: Path) -> IdentityFeatures:
        """Read what `save` wrote. Raises ValueError for another file."""
        with reading_weights(file) as opened:
            told = opened.metadata() or {}
            if told.get("format.name") != FORMAT:
                raise ValueError(f"{file.name} is not an identity. Choose a file that Identity File wrote.")
            tensors = {name: opened.get_tensor(name) for name in ("identity", "appearance", "expression")}
            return cls(**tensors, names=tuple(json.loads(told["names"])), key=json.loads(told["encoders"]))
