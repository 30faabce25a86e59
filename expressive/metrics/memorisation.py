"""Does a model paint the faces that it was trained on? GenEAva's test of identity memorisation.

Two different people look alike to some degree, and a large training set has somebody for everybody. So a generated
face's similarity to its nearest training identity is held against what is usual within the training set itself: how
similar each training face is to the nearest *other* person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUANTILE = 0.99
"""Of the usual similarities; a face above it looks more like a training identity than 99 % of strangers do."""

SIGNIFICANCE = 0.01


@dataclass(frozen=True)
class Memorisation:
    """similar: [N] cosine of each generated face to its nearest training face; nearest: [N] which one that is.
    usual: [M] the same from each training face to the nearest other person's. threshold: QUANTILE of `usual`.
    share: of generated faces above it. p: how likely at least so many are where faces are strangers (binomial test).
    """

    similar: np.ndarray
    nearest: np.ndarray
    usual: np.ndarray
    threshold: float
    share: float
    p: float

    @property
    def detected(self) -> bool:
        """Whether more faces lie above the threshold than chance explains."""
        return self.p < SIGNIFICANCE


def memorisation(generated: np.ndarray, training: np.ndarray, people: Sequence[str]) -> Memorisation:
    """Generated faces against training faces.

    generated: embeddings [N,D] of length 1. training: [M,D] of length 1, people: [M] who is on each. Raises ValueError
    for none of either, fewer than two people, or embeddings that are not of length 1 (no face was found).
    """
    from scipy.stats import binomtest

    if not len(generated) or len(training) != len(people) or len(set(people)) < 2:
        raise ValueError(
            f"Memorisation needs generated faces and training faces of at least two people, each with a name; there "
            f"are {len(generated)} generated, {len(training)} training faces and {len(people)} names."
        )
    lengths = np.linalg.norm(np.concatenate([generated, training]), axis=1)
    if not np.allclose(lengths, 1, atol=1e-3):
        raise ValueError("Some embeddings are not of length 1: leave out pictures in which no face was found.")
    to_training = generated @ training.T  # [N,M]
    who = np.array(people)
    strangers = np.where(who[:, None] == who[None], -np.inf, training @ training.T)  # [M,M]
    usual = strangers.max(1)
    threshold = float(np.quantile(usual, QUANTILE))
    similar = to_training.max(1)
    above = int((similar > threshold).sum())
    p = float(binomtest(above, len(similar), 1 - QUANTILE, alternative="greater").pvalue)
    return Memorisation(similar, to_training.argmax(1), usual, threshold, above / len(similar), p)
