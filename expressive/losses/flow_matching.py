"""Rectified flow as Qwen-Image has it: x_t = (1 − σ) x0 + σ noise, and the network predicts v = noise − x0.

PixelSmile's Eq. 6 writes the velocity between source and target latents; its released trainer, and this, take plain
flow matching of the target, with the source as further tokens of the network (facts of the released code).
"""

from __future__ import annotations

import torch
from torch import Tensor


def noised(clean: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """x_t = (1 − σ) x0 + σ noise; clean, noise [B,…], sigma [B] in 0…1."""
    level = per_sample(sigma, clean)
    return (1 - level) * clean + level * noise


def mixed_noise_levels(batch: int, generator: torch.Generator) -> Tensor:
    """σ [B]: a third uniform, two thirds logit-normal, its middle above one half where content is decided."""
    uniform = torch.rand(batch, generator=generator)
    normal = torch.sigmoid(0.5 + 1.2 * torch.randn(batch, generator=generator))
    return torch.where(torch.rand(batch, generator=generator) < 1 / 3, uniform, normal).clamp(1e-3, 1.0)


def clean_estimate(noisy: Tensor, velocity: Tensor, sigma: Tensor) -> Tensor:
    """x̂0 = x_t − σ v, exact where the velocity is; noisy, velocity [B,…], sigma [B]."""
    return noisy - per_sample(sigma, noisy) * velocity


def flow_matching_loss(velocity: Tensor, clean: Tensor, noise: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error of each sample's velocity against noise − x0 (PixelSmile Eq. 6): [B].

    velocity, clean, noise: [B,…]. weight: broadcastable to them, of mean 1; None: all places weigh the same.
    """
    error = (velocity.float() - (noise.float() - clean.float())).square()
    return (error if weight is None else error * weight).flatten(1).mean(1)


def per_sample(values: Tensor, like: Tensor) -> Tensor:
    """[B] → [B,1,…,1] with as many axes as `like`. Raises ValueError where the batch sizes differ."""
    if values.shape != like.shape[:1]:
        raise ValueError(f"One value per sample is needed: {like.shape[0]} samples, values {list(values.shape)}.")
    return values.view(-1, *[1] * (like.ndim - 1))
