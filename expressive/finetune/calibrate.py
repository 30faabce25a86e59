"""How strongly each expression shows at each α, measured when a LoRA is finished and written into its file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor
from tqdm import tqdm

from ..conditioning.calibration import Calibration
from ..metrics.ffe_bench import EXPRESSIONS
from .sweep import Sweep

Scores = Callable[[Tensor], Sequence[Sequence[float]]]
"""Pictures [B,3,H,W] in 0…1 → 12 intensities each, in the order of EXPRESSIONS."""


def calibrate(sweep: Sweep, alphas: Sequence[float], scores: Scores) -> Calibration:
    """Mean intensities over all pictures of a sweep, for each of its words among the twelve. α: with 0 and 1."""
    asked = [word for word in sweep.words if word in EXPRESSIONS]
    rising = tuple(sorted(set(alphas)))
    found = {}
    for word in tqdm(asked, desc="calibrating α"):
        column = EXPRESSIONS.index(word)
        curves = [
            [row[column] for row in scores(sweep.edits(index, word, rising))] for index in range(len(sweep.views))
        ]
        found[word] = tuple(float(value) for value in np.mean(curves, axis=0))
    return Calibration(rising, found)
