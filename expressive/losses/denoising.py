"""ε-prediction as Stable Diffusion and SDXL have it: x_t = √ᾱ x0 + √(1 − ᾱ) ε, and the network predicts ε."""

from __future__ import annotations

import torch
from torch import Tensor

from .flow_matching import per_sample


def diffused(clean: Tensor, noise: Tensor, kept: Tensor) -> Tensor:
    """x_t = √ᾱ x0 + √(1 − ᾱ) ε; clean, noise [B,…], kept: ᾱ [B] in 0…1."""
    share = per_sample(kept, clean)
    return share.sqrt() * clean + (1 - share).sqrt() * noise


def one_step_estimate(noisy: Tensor, epsilon: Tensor, kept: Tensor) -> Tensor:
    """x̂0 = (x_t − √(1 − ᾱ) ε) / √ᾱ, exact where ε is; noisy, epsilon [B,…], kept: ᾱ [B], above 0."""
    share = per_sample(kept, noisy)
    return (noisy - (1 - share).sqrt() * epsilon) / share.sqrt()


def min_snr_weight(kept: Tensor, gamma: float) -> Tensor:
    """min(SNR, γ) / SNR with SNR = ᾱ / (1 − ᾱ), for the ε loss at ᾱ [B]; ones for γ = 0 (Hang et al., 2023)."""
    snr = kept / (1 - kept)
    return snr.clamp(max=gamma) / snr if gamma > 0 else torch.ones_like(snr)
