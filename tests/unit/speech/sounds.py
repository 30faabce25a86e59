"""Sounds to listen to."""

import math
from typing import Any

import torch
from torch import Tensor

RATE = 16000


def murmur(seconds: float, seed: int = 0) -> Tensor:
    """Noise that swells and fades, with a tone in it: [S] at 16 kHz."""
    time = torch.arange(round(seconds * RATE)) / RATE
    noise = torch.randn(len(time), generator=torch.Generator().manual_seed(seed))
    return (0.1 * noise + 0.3 * (2 * math.pi * 440 * time).sin()) * (0.5 + 0.5 * (2 * math.pi * 1.5 * time).cos())


def audio(samples: Tensor, rate: int = RATE) -> dict[str, Any]:
    return {"waveform": samples.reshape(1, -1, samples.shape[-1]), "sample_rate": rate}
