"""The 1€ filter: steady where a point rests, quick where it moves.

Casiez, Roussel and Vogel: 1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive Systems, CHI
2012, Algorithm 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class OneEuro:
    """Settings. Raises ValueError for cutoffs that are not above 0, or a β below 0."""

    min_cutoff: float = 1.0  # Hz, of the low-pass while nothing moves: lower is steadier
    beta: float = 20.0  # Hz per unit of speed: higher lags less
    d_cutoff: float = 1.0  # Hz, of the low-pass on the speed

    def __post_init__(self) -> None:
        if not (self.min_cutoff > 0 and self.d_cutoff > 0 and self.beta >= 0):
            raise ValueError(
                f"The 1€ filter takes cutoffs above 0 Hz and a β of 0 or more, but min_cutoff is {self.min_cutoff}, "
                f"d_cutoff {self.d_cutoff} and beta {self.beta}."
            )

    @classmethod
    def of(cls, smoothing: float) -> OneEuro:
        """From one number, 0 (hardly any) … 1 (much): min_cutoff falls from 10 Hz to 0.3 Hz, in even ratios.

        β and d_cutoff stay: what moves is followed alike, whatever jitter is taken away at rest. β is for speeds in
        shares of the picture's longer side a second. Raises ValueError beyond 0 … 1.
        """
        if not 0 <= smoothing <= 1:
            raise ValueError(f"Smoothing is a number from 0 to 1, but here it is {smoothing}.")
        return cls(min_cutoff=10.0 ** (1 - 1.5 * smoothing))


def one_euro(
    values: Tensor, rate: float, settings: OneEuro, there: Tensor | None = None, speed_scale: Tensor | float = 1.0
) -> Tensor:
    """Each number of float [F, …], F samples at `rate` Hz, filtered for itself; same shape and type.

    there: bool, of the values' shape or one that broadcasts to it. Where it is False, there was nothing to measure: the
    value is returned as it is, and the filter starts anew with the next one that is there.
    speed_scale: what a speed is multiplied by before β sees it, to bring values of other units to a common one.
    Values that do not change are returned bit for bit. Raises ValueError for a rate that is not above 0.
    """
    if not rate > 0:
        raise ValueError(f"The number of frames a second is {rate}. Give one above 0.")
    filtered = values.double().clone()
    known = torch.ones_like(values, dtype=torch.bool) if there is None else there.expand_as(values)
    scale = torch.as_tensor(speed_scale, dtype=torch.float64, device=values.device)
    speed = torch.zeros_like(filtered[0])
    for now in range(1, len(values)):
        value, before = filtered[now], filtered[now - 1]
        going_on = known[now] & known[now - 1]
        steeper = (value - before) * rate  # against the filtered value, as in the paper
        speed = torch.where(going_on, speed + _share(rate, settings.d_cutoff) * (steeper - speed), 0.0)
        cutoff = settings.min_cutoff + settings.beta * speed.abs() * scale
        # x̂ + α (x − x̂) is α x + (1 − α) x̂ without rounding where x = x̂
        filtered[now] = torch.where(going_on, before + _share(rate, cutoff) * (value - before), value)
    return filtered.to(values.dtype)


def _share(rate: float, cutoff: Tensor | float) -> Tensor | float:
    """α = 1 / (1 + τ / Te), with τ = 1 / (2π · cutoff) and Te = 1 / rate."""
    return 1.0 / (1.0 + rate / (2 * math.pi * cutoff))
