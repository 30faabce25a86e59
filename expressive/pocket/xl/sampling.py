"""ε-prediction on the noise schedule of Stable Diffusion: its noise levels, and Euler steps through them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .nets import BETAS, TRAIN_STEPS


def noise_levels() -> Tensor:
    """σ [1000] = √((1 − ᾱ) / ᾱ) of each training step, from about 0.03 to 14.6, as the host computes them."""
    first, last = (beta**0.5 for beta in BETAS)
    betas = torch.linspace(first, last, TRAIN_STEPS, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, dim=0)
    return ((1 - kept) / kept).sqrt().float()


def schedule(steps: int) -> tuple[Tensor, Tensor]:
    """σ [steps + 1] from the highest to 0, and the training steps [steps] of all but the last: the host's `simple`."""
    levels = noise_levels()
    times = torch.tensor([TRAIN_STEPS - 1 - int(i * TRAIN_STEPS / steps) for i in range(steps)])
    return torch.cat((levels[times], torch.zeros(1))), times


def euler(
    predict: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    steps: int,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """Latents from unit `noise` [B,4,h,w] by Euler's method along dx/dσ = ε(x / √(1 + σ²), t).

    predict: (input [B,4,h,w], t [B]) → ε. As the host does, noise starts at √(1 + σ²) times its unit size.
    """
    sigmas, times = schedule(steps)
    x = noise * (1 + sigmas[0].item() ** 2) ** 0.5
    for step, (now, following, time) in enumerate(
        zip(sigmas[:-1].tolist(), sigmas[1:].tolist(), times.tolist(), strict=True)
    ):
        found = predict(x / (1 + now**2) ** 0.5, torch.full((len(x),), time, device=x.device))
        x = x + (following - now) * found.float()
        if progress is not None:
            progress(step)
    return x
