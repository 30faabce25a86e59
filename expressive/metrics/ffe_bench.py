"""FFE-Bench's figures (PixelSmile §3.2): confusion, accuracy, linearity, and the balance of expression and identity.

A judge has read each edited picture: how much of each of the twelve expressions it shows, and how like the source it
is. Here are the figures over such readings, whoever the judge was.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..emotion import vocabulary

EXPRESSIONS: tuple[str, ...] = tuple(word.word for word in vocabulary.pixelsmile())
"""The twelve, in PixelSmile's order: the order of `Edit.scores`."""


NEUTRAL_BELOW = 0.1
"""An intensity below this is none: a judge's numbers for an unmoved face are small, not zero."""


def dominant(scores: Sequence[float]) -> str:
    """The expression with the highest of twelve scores; empty where all are below NEUTRAL_BELOW."""
    best = max(range(len(EXPRESSIONS)), key=lambda index: scores[index])
    return EXPRESSIONS[best] if scores[best] >= NEUTRAL_BELOW else ""


@functools.cache
def _described() -> dict[str, Any]:
    return json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def basic() -> tuple[str, ...]:
    """The six basic expressions: those of Acc-6 and CLS-6."""
    return tuple(_described()["basic"])


def confusing_pairs() -> tuple[tuple[str, str], ...]:
    """The pairs that mSCR is over. The paper names two of them as examples; the rest of the list is ours."""
    return tuple((a, b) for a, b in (entry["pair"] for entry in _described()["confusing"]))


@dataclass(frozen=True)
class Edit:
    """What a judge read off one edited picture.

    source: name of the picture that was edited. expression: what was asked for, one of EXPRESSIONS. alpha: how much of
    it. scores: 12 numbers of 0 … 1. identity: cosine similarity to the source, the mean over the judge's encoders; None
    where no face was found. Raises ValueError for another expression or number of scores.
    """

    source: str
    expression: str
    alpha: float
    scores: tuple[float, ...]
    identity: float | None = None

    def __post_init__(self) -> None:
        if self.expression not in EXPRESSIONS:
            raise ValueError(f"“{self.expression}” is none of the twelve expressions: {', '.join(EXPRESSIONS)}.")
        if len(self.scores) != len(EXPRESSIONS):
            raise ValueError(f"An edit has {len(EXPRESSIONS)} scores, not {len(self.scores)}.")

    @property
    def dominant(self) -> str:
        """What it is read as; empty where it shows nothing."""
        return dominant(self.scores)

    @property
    def reached(self) -> float:
        """The score of what was asked for."""
        return self.scores[EXPRESSIONS.index(self.expression)]


def confusion(edits: Iterable[Edit]) -> np.ndarray:
    """C[i, j], the share of edits towards expression i that are read as j (Eq. 1): float64 [12, 12].

    Rows of expressions that nothing was edited towards are nan; what is read as nothing counts in no column.
    """
    shape = (len(EXPRESSIONS), len(EXPRESSIONS))
    counts, totals = np.zeros(shape), np.zeros(len(EXPRESSIONS))
    for edit in edits:
        row = EXPRESSIONS.index(edit.expression)
        totals[row] += 1
        if edit.dominant:
            counts[row, EXPRESSIONS.index(edit.dominant)] += 1
    return np.divide(counts, totals[:, None], out=np.full(shape, np.nan), where=totals[:, None] > 0)


def structural_confusion(
    edits: Iterable[Edit], pairs: Sequence[tuple[str, str]] | None = None
) -> dict[tuple[str, str], float]:
    """BCR of each pair: the mean of both directions' confusion (Eq. 2). Default: `confusing_pairs`."""
    rates = confusion(edits)
    found = {}
    for a, b in pairs or confusing_pairs():
        i, j = EXPRESSIONS.index(a), EXPRESSIONS.index(b)
        found[a, b] = float((rates[i, j] + rates[j, i]) / 2)
    return found


def mean_structural_confusion(edits: Iterable[Edit], pairs: Sequence[tuple[str, str]] | None = None) -> float:
    """mSCR: the mean of `structural_confusion`, 0 … 1, lower is better; nan where a pair was not edited towards."""
    return float(np.mean(list(structural_confusion(edits, pairs).values())))


def accuracy(edits: Iterable[Edit], among: Sequence[str] = EXPRESSIONS) -> float:
    """Share of edits towards `among` that are read as what was asked for: Acc-12, or Acc-6 among `basic()`."""
    right = [edit.dominant == edit.expression for edit in edits if edit.expression in among]
    return float(np.mean(right)) if right else float("nan")


def control_linearity(edits: Iterable[Edit], among: Sequence[str] = EXPRESSIONS) -> float:
    """CLS: Pearson's r between α and the score of what was asked for, −1 … 1; CLS-6 among `basic()`.

    r is taken along each curve (one source, one expression, at least three different α) and averaged over the curves;
    a curve that never changes counts as 0. The paper does not say whether it averages or pools.
    """
    curves: dict[tuple[str, str], list[Edit]] = defaultdict(list)
    for edit in edits:
        if edit.expression in among:
            curves[edit.source, edit.expression].append(edit)
    found = []
    for curve in curves.values():
        alphas = np.array([edit.alpha for edit in curve])
        if len(np.unique(alphas)) >= 3:
            found.append(pearson(alphas, np.array([edit.reached for edit in curve])))
    return float(np.mean(found)) if found else float("nan")


def identity_similarity(edits: Iterable[Edit]) -> float:
    """S_ID: the mean similarity to the source, of edits with a face."""
    seen = [edit.identity for edit in edits if edit.identity is not None]
    return float(np.mean(seen)) if seen else float("nan")


def harmonic_editing_score(edits: Iterable[Edit]) -> float:
    """HES = 2 S_E S_ID / (S_E + S_ID) (Eq. 3), of the mean score of what was asked for and the mean similarity.

    An edit without a face has similarity 0 here, so that destroying a face does not pay.
    """
    edits = list(edits)
    if not edits:
        return float("nan")
    expression = float(np.mean([edit.reached for edit in edits]))
    identity = max(0.0, float(np.mean([edit.identity or 0.0 for edit in edits])))
    total = expression + identity
    return 2 * expression * identity / total if total > 0 else 0.0


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's r of two rows of numbers; 0 where one of them never changes."""
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / scale if scale > 1e-12 else 0.0


def figures(edits: Iterable[Edit], strongest: float | None = None) -> dict[str, float]:
    """All of FFE-Bench. Confusion, accuracy, identity and HES are over the edits of one α, CLS over all of them.

    strongest: that α; default: 1 if it is there, else the largest.
    """
    edits = list(edits)
    alphas = {edit.alpha for edit in edits}
    if not alphas:
        raise ValueError("There are no edits to judge.")
    full = strongest if strongest is not None else (1.0 if 1.0 in alphas else max(alphas))
    judged = [edit for edit in edits if edit.alpha == full]
    return {
        "mSCR": mean_structural_confusion(judged),
        "Acc-6": accuracy(judged, basic()),
        "Acc-12": accuracy(judged),
        "CLS-6": control_linearity(edits, basic()),
        "CLS-12": control_linearity(edits),
        "ID Sim": identity_similarity(judged),
        "HES": harmonic_editing_score(judged),
    }
