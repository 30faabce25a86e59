"""Who judges edited pictures: the bundled face reader, or a vision-language model beside encoders of identity."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from tqdm import tqdm

from ..datasets.pictures import open_picture
from ..encoders import ExpressionEncoder, IdentityEncoder
from ..vision.fitting import to_tensor
from .edit_folder import EditFile
from .ffe_bench import Edit
from .readings import FaceReading, read_faces
from .vlm import VlmScorer

AT_ONCE = 4  # pictures that an endpoint is asked about at a time


class FaceJudge(Protocol):
    """Reads an edited picture beside the one that it was made from."""

    name: str

    def read(self, edits: Sequence[EditFile]) -> list[FaceReading]:
        """One reading for each."""
        ...


class ReaderJudge:
    """An encoder whose classes are the twelve expressions, and one or several of identity, whose mean counts."""

    def __init__(self, expressions: ExpressionEncoder, identities: Sequence[IdentityEncoder]) -> None:
        self.name = expressions.name
        self._expressions, self._identities = expressions, identities

    def read(self, edits: Sequence[EditFile]) -> list[FaceReading]:
        """One reading for each."""
        found = []
        for edit in tqdm(edits, desc="reading faces"):
            (reading,) = read_faces(self._expressions, to_tensor(open_picture(edit.image)))
            found.append(with_identity(reading, edit, self._identities))
        return found


class VlmJudge:
    """A model behind an endpoint, asked about several pictures at once, and encoders of identity, whose mean counts."""

    def __init__(self, scorer: VlmScorer, identities: Sequence[IdentityEncoder]) -> None:
        self.name = scorer.model
        self._scorer, self._identities = scorer, identities

    def read(self, edits: Sequence[EditFile]) -> list[FaceReading]:
        """One reading for each; answers come in their own time, identities are compared here, one after the other."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = pool.map(lambda edit: self._scorer.scores(edit.image), edits)
            scores = list(tqdm(asked, desc=f"asking {self.name}", total=len(edits)))
        return [
            with_identity(FaceReading(row, found=True), edit, self._identities)
            for row, edit in zip(scores, edits, strict=True)
        ]


def judged(edits: Sequence[EditFile], judge: FaceJudge) -> list[Edit]:
    """What a judge reads off each edit, for `ffe_bench.figures`."""
    return [
        Edit(str(edit.source), edit.expression, edit.alpha, reading.scores, reading.identity)
        for edit, reading in zip(edits, judge.read(edits), strict=True)
    ]


def with_identity(reading: FaceReading, edit: EditFile, encoders: Sequence[IdentityEncoder]) -> FaceReading:
    """A reading with the mean cosine of the encoders that found a face in both pictures; None where none did."""
    found = [value for encoder in encoders if (value := likeness(encoder, edit)) is not None]
    return FaceReading(reading.scores, reading.found, float(np.mean(found)) if found else None)


@torch.no_grad()
def likeness(encoder: IdentityEncoder, edit: EditFile) -> float | None:
    """Cosine similarity of an edit and its source; None where a face is missing in one of them."""
    own, other = (encoder.encode_identity(to_tensor(open_picture(path))) for path in (edit.image, edit.source))
    if not (bool(own.found[0]) and bool(other.found[0])):
        return None
    return float((own.embeddings[0] * other.embeddings[0]).sum())
