"""What a judge reads off pictures: the twelve intensities, and how like the source they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..emotion import Emotion
from ..encoders import ExpressionEncoder, IdentityEncoder
from .ffe_bench import EXPRESSIONS, NEUTRAL_BELOW, dominant


@dataclass(frozen=True)
class FaceReading:
    """One picture. scores: 12 intensities of 0 … 1 in the order of EXPRESSIONS, all zero without a face.

    identity: cosine similarity to the source; None without a source, or where no face was found in one of both.
    """

    scores: tuple[float, ...]
    found: bool
    identity: float | None = None

    @property
    def dominant(self) -> str:
        """What it is read as: an expression, "neutral", or "no face"."""
        return (dominant(self.scores) or "neutral") if self.found else "no face"

    @property
    def emotion(self) -> Emotion:
        """The intensities that are more than none as an emotion."""
        return Emotion.from_pixelsmile([score if score >= NEUTRAL_BELOW else 0.0 for score in self.scores])

    def label(self) -> str:
        """For people: "happy 0.82", and the similarity where there is one: "happy 0.82 · identity 0.91"."""
        parts = [self.dominant]
        if self.found and self.dominant != "neutral":
            parts[0] += f" {max(self.scores):.2f}"
        if self.identity is not None:
            parts.append(f"identity {self.identity:.2f}")
        return " · ".join(parts)


@torch.no_grad()
def read_faces(
    expressions: ExpressionEncoder, pictures: Tensor, identities: IdentityEncoder | None = None,
    source: Tensor | None = None,
) -> list[FaceReading]:  # fmt: skip
    """Readings of pictures [B,3,H,W] in 0…1.

    expressions: an encoder whose classes are the twelve. source: [1,3,h,w] for all pictures or [B,3,h,w] for each its
    own; it needs `identities`. Raises ValueError for an encoder of other classes, or another number of sources.
    """
    if tuple(expressions.expression_classes) != EXPRESSIONS:
        raise ValueError(f"{expressions.name} does not read the twelve expressions.")
    reading = expressions.encode_expression(pictures)
    similar: list[float | None] = [None] * len(pictures)
    if source is not None:
        if identities is None:
            raise ValueError("A comparison with a source needs an encoder of identities.")
        if len(source) not in (1, len(pictures)):
            raise ValueError(
                f"There are {len(source)} sources for {len(pictures)} pictures: give one, or one for each."
            )
        own, other = identities.encode_identity(pictures), identities.encode_identity(source)
        cosine = (own.embeddings * other.embeddings).sum(1)
        both = (own.found & other.found).tolist()
        similar = [float(value) if seen else None for value, seen in zip(cosine, both, strict=True)]
    return [
        FaceReading(tuple(round(float(x), 4) for x in row), bool(found), identity)
        for row, found, identity in zip(reading.scores.cpu(), reading.found, similar, strict=True)
    ]


def report(readings: Sequence[FaceReading]) -> str:
    """JSON: a list with `dominant`, `scores` by word, `identity` for each picture."""
    rows = [
        {
            "dominant": reading.dominant,
            "scores": dict(zip(EXPRESSIONS, reading.scores, strict=True)),
            "identity": None if reading.identity is None else round(reading.identity, 4),
        }
        for reading in readings
    ]
    return json.dumps(rows, indent=1)
