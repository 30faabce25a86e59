"""Are two pictures of the same person? The equal error rate of a similarity."""

from __future__ import annotations

import numpy as np


def equal_error_rate(same: np.ndarray, different: np.ndarray) -> tuple[float, float]:
    """(rate, threshold): where as many pairs of one person lie below the threshold as pairs of two lie at or above it.

    same, different: similarities [N], [M] of pairs of one person and of two. Between the two thresholds at which the
    rates cross, both rates are interpolated. Raises ValueError if either is empty or holds NaN.
    """
    if not len(same) or not len(different):
        raise ValueError(f"An equal error rate needs pairs of both kinds; got {len(same)} same, {len(different)} not.")
    if not (np.isfinite(same).all() and np.isfinite(different).all()):
        raise ValueError("Similarities must be finite numbers.")
    same, different = np.sort(same), np.sort(different)
    thresholds = np.unique(np.concatenate([same, different]))
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    rejected = np.searchsorted(same, thresholds, side="left") / len(same)  # rises with the threshold
    accepted = 1 - np.searchsorted(different, thresholds, side="left") / len(different)  # falls with it
    gap = rejected - accepted
    after = int(np.argmax(gap >= 0))
    if after == 0 or gap[after] == 0:
        return float((rejected[after] + accepted[after]) / 2), float(thresholds[after])
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    rate = rejected[after - 1] + share * (rejected[after] - rejected[after - 1])
    return float(rate), float(thresholds[after - 1] + share * (thresholds[after] - thresholds[after - 1]))


def verification_pairs(
    embeddings: np.ndarray, person: np.ndarray, condition: np.ndarray, *, across: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of all pairs of one person and of two: (same [N], different [M]).

    embeddings: [P,D] of length 1. condition: int [P], such as the style; pairs within one condition, or, where
    `across`, of two conditions: both kinds alike, so that a condition alone tells nothing.
    """
    first, second = np.triu_indices(len(person), k=1)
    kept = (condition[first] != condition[second]) == across
    first, second = first[kept], second[kept]
    cosines = np.einsum("pd,pd->p", embeddings[first], embeddings[second])
    same = person[first] == person[second]
    return cosines[same], cosines[~same]
