"""α in proportion to what is seen: a LoRA tells how strongly each expression showed at each α, and is asked backwards.

Without it the strength rises with α, but not evenly: often little happens at first and most around 0.5.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EMOTION_KEY = "expressive_emotion"
"""Where a conditioning says which expressions it asks for: {word: weight}, of PixelSmile's words."""

LEAST = 0.05
"""Rise in measured intensity between α = 0 and 1 below which an expression was not learned, and α is left as it is."""


@dataclass(frozen=True)
class Calibration:
    """What a judge measured. alphas: α in rising order, with 0 and 1. measured: intensities at them by expression word.

    Raises ValueError where α do not rise, lack 0 or 1, or a word has another number of intensities.
    """

    alphas: tuple[float, ...]
    measured: Mapping[str, tuple[float, ...]]
    _curves: dict[str, tuple[list[float], list[float]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if list(self.alphas) != sorted(set(self.alphas)) or not {0.0, 1.0} <= set(self.alphas):
            raise ValueError(f"The α of a calibration have to rise, with 0 and 1 among them, not {self.alphas}.")
        curves = {}
        for word, intensities in self.measured.items():
            if len(intensities) != len(self.alphas) or not all(map(math.isfinite, intensities)):
                raise ValueError(f"“{word}” has {len(intensities)} intensities for {len(self.alphas)} α.")
            if (curve := self._curve(intensities)) is not None:
                curves[word] = curve
        object.__setattr__(self, "_curves", curves)

    def _curve(self, intensities: Sequence[float]) -> tuple[list[float], list[float]] | None:
        """Shares of the rise from α = 0 to 1, strictly rising from 0, and the α at which they are reached."""
        zero, one = self.alphas.index(0.0), self.alphas.index(1.0)
        rising = _monotone(intensities)
        whole = rising[one] - rising[zero]
        if whole < LEAST:
            return None
        found = [(0.0, 0.0)]
        for alpha, intensity in zip(self.alphas[zero + 1 :], rising[zero + 1 :], strict=True):
            share = (intensity - rising[zero]) / whole
            if alpha == 1 and found[-1][0] >= 1:
                found.pop()  # the full share was reached earlier already; 1 stays 1 all the same
            if alpha == 1 or share > found[-1][0] + 1e-6:
                found.append((share, alpha))
        shares, alphas = zip(*found, strict=True)
        return list(shares), list(alphas)

    @property
    def words(self) -> tuple[str, ...]:
        """The expressions that it changes."""
        return tuple(self._curves)

    def alpha(self, word: str, wanted: float) -> float:
        """The α at which an expression shows `wanted` times as much above neutral as it does at α = 1.

        0 and 1 stay what they are, and so does everything for a word that was not measured and below 0; beyond the last
        α that was measured it goes on with slope 1.
        """
        if word not in self._curves or wanted <= 0:
            return wanted
        shares, alphas = self._curves[word]
        if wanted >= shares[-1]:
            return alphas[-1] + wanted - shares[-1]
        after = bisect_right(shares, wanted)
        part = (wanted - shares[after - 1]) / (shares[after] - shares[after - 1])
        return alphas[after - 1] + part * (alphas[after] - alphas[after - 1])

    def mixed(self, weights: Mapping[str, float], wanted: float) -> float:
        """`alpha` for a target that is itself a mix: neutral + Σ weight · (expression − neutral), at `wanted` of it.

        Each expression would need its own; this is their mean by the weights, exact for a single one.
        """
        total = sum(weights.values())
        if total <= 0:
            return wanted
        return sum(self.alpha(word, weight * wanted) for word, weight in weights.items()) / total

    def to_json(self) -> str:
        """For the metadata `expressive.calibration` of a LoRA."""
        measured = {word: [round(x, 4) for x in row] for word, row in self.measured.items()}
        return json.dumps({"alphas": list(self.alphas), "measured": measured})

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Inverse of `to_json`. Raises ValueError for anything else."""
        try:
            found = json.loads(text)
            rows = {str(word): tuple(map(float, row)) for word, row in found["measured"].items()}
            return cls(tuple(map(float, found["alphas"])), rows)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"This is no calibration of α: {error}.") from error


def _monotone(values: Sequence[float]) -> list[float]:
    """The non-decreasing row nearest to `values` (least squares, by pooling neighbours that fall)."""
    pools: list[tuple[float, int]] = []  # mean and count
    for value in values:
        mean, count = float(value), 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        pools.append((mean, count))
    return [mean for mean, count in pools for _ in range(count)]
