"""Is a painted picture an avatar, with one whole face, the expression that was asked for, and nobody known?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..finetune.judges import face_finder
from ..metrics.ffe_bench import EXPRESSIONS
from ..metrics.readings import read_faces
from ..pocket.reader.encoders import PocketEncoder
from ..vision.face_filter import boxes_of, unfit
from .config import Checks
from .known_people import KnownPeople
from .plan import PlannedAvatar

FLAT = 2 / 255
"""A picture whose pixels deviate less than this from one colour shows nothing: a failed decoding, a safety filter."""


@dataclass(frozen=True)
class Verdict:
    """fault: why the picture cannot be used; empty where it can. reached: it shows its expression, or nobody looked.

    score: how strongly it shows it. about: what was read, for the dataset's list.
    """

    fault: str = ""
    reached: bool = True
    score: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)


class Checker:
    """Judges pictures as a configuration asks; the encoders stay in memory.

    models: the folder of the pack's own weights, for “reader”. Raises FileNotFoundError where weights are missing, and
    ValueError for known people without `checks.faces`, or without a face.
    """

    def __init__(self, checks: Checks, models: Path) -> None:
        self._checks = checks
        self._finder = face_finder(checks.faces, models, torch.device("cpu"))
        self._reader = PocketEncoder.load(models) if checks.expressions else None
        self.known = None if checks.known is None else KnownPeople.load(checks.known, checks.faces, models)

    @torch.no_grad()
    def __call__(self, picture: np.ndarray, avatar: PlannedAvatar) -> Verdict:
        """Of uint8 [H,W,3]."""
        seen = torch.from_numpy(picture).movedim(-1, 0)[None].float() / 255  # [1,3,H,W]
        if float(seen.std(dim=(2, 3)).max()) < FLAT:
            return Verdict("a picture of one colour")
        fault = self._face(seen) or self._copy(seen)
        if fault or self._reader is None:
            return Verdict(fault)
        (reading,) = read_faces(self._reader, seen)
        wanted = avatar.emotion.nearest_pixelsmile()
        score = dict(zip(EXPRESSIONS, reading.scores, strict=True))[wanted]
        reached = reading.dominant == wanted and score >= self._checks.reached
        return Verdict("", reached, score, {"shows": reading.dominant, "scores": list(reading.scores)})

    def _face(self, seen: Tensor) -> str:
        if self._finder is None:
            return ""
        (boxes,) = boxes_of(self._finder.find_faces(seen))
        return unfit(boxes, (seen.shape[3], seen.shape[2]), self._checks.smallest, self._checks.border)

    def _copy(self, seen: Tensor) -> str:
        if self.known is None:
            return ""
        likeness, who = self.known.nearest(seen)
        return f"somebody like {who}" if likeness >= self._checks.alike else ""
