"""From a picture back to its noise: the ordinary differential equation of sampling, run in the other direction.

Noisy latents are x = x0 + σ n, as in Karras et al. (2022); the model's answer is D(x, σ), an estimate of x0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

LONGEST_STEP = 2.0
"""Noise levels below the first of a schedule grow by this factor at most: a picture without noise is unknown there."""


@dataclass(frozen=True)
class Trajectory:
    """Where a picture's latents are at each noise level.

    clean: x0 [B,C,H,W]. sigmas: [K], rising. noise: n [K,B,C,H,W], such that x = x0 + σ n.
    """

    clean: Tensor
    sigmas: tuple[float, ...]
    noise: Tensor

    def noise_at(self, sigma: float) -> Tensor:
        """n [B,C,H,W] at any noise level: between two known ones in proportion to log σ, beyond them the nearest."""
        if sigma <= self.sigmas[0]:
            return self.noise[0]
        for k in range(1, len(self.sigmas)):
            low, high = self.sigmas[k - 1], self.sigmas[k]
            if sigma <= high:
                return torch.lerp(self.noise[k - 1], self.noise[k], math.log(sigma / low) / math.log(high / low))
        return self.noise[-1]

    def at(self, sigma: float) -> Tensor:
        """x [B,C,H,W] at any noise level."""
        return self.clean + sigma * self.noise_at(sigma)

    def missed(self, answer: Tensor) -> Tensor:
        """x0 − D [B,C,H,W]: what the model does not know of the source, where D is its answer to `at` a noise level.

        Added to its answer for a new picture at that level, sampling follows the difference of two prompts alone: the
        path of FlowEdit (Kulikov et al., 2024), written as an estimate of x0, so that any sampler can walk it.
        """
        return self.clean.to(answer) - answer

    def no_louder_than_noise(self) -> Trajectory:
        """Each n of each picture with a standard deviation of one at most.

        A model that takes fine strokes of a picture for noise finds too much of it, and guidance would make that grain
        and ringing. What is lost of the way back, `missed` restores.
        """
        over = tuple(range(2, self.noise.ndim))
        return replace(self, noise=self.noise / self.noise.std(over, keepdim=True).clamp(min=1.0))


def noise_levels_up(sigmas: Sequence[float], lowest: float) -> list[float]:
    """A sampler's falling noise levels as rising ones from `lowest` on, with further ones below the first.

    Raises ValueError where there is no level above zero.
    """
    rising = sorted({float(sigma) for sigma in sigmas if sigma > 0})
    if not rising:
        raise ValueError("A picture can only be inverted up to a noise level above zero.")
    first = rising[0]
    steps = max(0, math.ceil(math.log(first / lowest) / math.log(LONGEST_STEP))) if first > lowest else 0
    return [*(lowest * (first / lowest) ** (k / steps) for k in range(steps)), *rising]


def invert(
    denoise: Callable[[Tensor, float], Tensor],
    clean: Tensor,
    sigmas: Sequence[float],
    *,
    refinements: int = 1,
    on_step: Callable[[int], None] | None = None,
) -> Trajectory:
    """The trajectory on which Euler's sampler comes from noise to `clean` [B,C,H,W].

    DDIM inversion (Song et al., ICLR 2021) takes a step up with the model's answer at its lower end, whereas a sampler
    on its way down asks at the upper one. Each refinement asks there and takes the step anew, so that going down ends
    where going up began (fixed point iteration, as in Pan et al., ICCV 2023).

    denoise: D(x, σ). sigmas: rising, above zero; the first is taken as no noise at all. on_step: called with the
    number of steps done.
    Raises ValueError for levels that do not rise from above zero.
    """
    if not sigmas or sigmas[0] <= 0 or any(high <= low for low, high in zip(sigmas, sigmas[1:], strict=False)):
        raise ValueError(f"Noise levels of an inversion have to rise from above zero, and these are {list(sigmas)}.")
    x, noise = clean, [torch.zeros_like(clean)]
    answer = denoise(x, sigmas[0])
    for step, (low, high) in enumerate(zip(sigmas, sigmas[1:], strict=False), start=1):
        start, rise = x, high / low
        x = answer + (start - answer) * rise
        for _ in range(refinements):
            answer = denoise(x, high)
            # Euler's step down from x is answer + (x − answer) / rise, and it is to give `start`. Half-way weights make
            # this converge for any rise, as long as D moves by 0 to 1 times what x moves by.
            x = torch.lerp(x, answer + (start - answer) * rise, 2 / (1 + rise))
        if step < len(sigmas) - 1 and not refinements:
            answer = denoise(x, high)
        noise.append((x - clean) / high)
        if on_step is not None:
            on_step(step)
    return Trajectory(clean, tuple(sigmas), torch.stack(noise))
