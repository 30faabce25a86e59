"""AUDIO as encoders take it: one channel at 16 kHz."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...encoders import loading

RATE = 16000
"""Samples a second of every encoder here."""


@dataclass(frozen=True, eq=False)
class Sound:
    """samples: float32 [S] at 16 kHz, on the CPU, at least one. seconds: as long as it was before it was resampled."""

    samples: Tensor
    seconds: float


def sound_of(audio: Mapping[str, Any] | None) -> Sound:
    """The mean of the channels of the host's AUDIO {"waveform": [1,C,S], "sample_rate": …}.

    Raises ValueError with one sentence: no sound, several clips, an empty one, NaN, or another layout.
    """
    if audio is None:
        raise ValueError("There is no sound. Connect an AUDIO, such as that of Load Audio.")
    if not isinstance(audio, Mapping) or not {"waveform", "sample_rate"} <= set(audio):
        raise ValueError(f"An AUDIO has a waveform and a sample rate, but here it is {type(audio).__name__}.")
    waveform, rate = audio["waveform"], int(audio["sample_rate"])
    if not isinstance(waveform, Tensor) or waveform.ndim != 3 or not waveform.is_floating_point():
        found = f"{waveform.dtype} {list(waveform.shape)}" if isinstance(waveform, Tensor) else type(waveform).__name__
        raise ValueError(f"The sound is to be floating-point [batch, channels, samples], but here it is {found}.")
    if len(waveform) != 1:
        raise ValueError(f"One sound can be heard at a time, but {len(waveform)} came. Connect one clip.")
    if rate < 1:
        raise ValueError(f"A sample rate is 1 Hz or more, got {rate}.")
    if 0 in waveform.shape:
        raise ValueError("The sound is empty. Connect one that has samples.")
    if not bool(waveform.isfinite().all()):
        raise ValueError("The sound holds NaN or infinite numbers, so it cannot be heard. Make or load it again.")
    mono = waveform[0].detach().cpu().float().mean(0)  # [C,S] → [S]
    if rate != RATE:
        functional = loading.package("torchaudio.functional", "resample the sound", "torchaudio")
        seconds, mono = len(mono) / rate, functional.resample(mono, rate, RATE)
        return Sound(mono, seconds)
    return Sound(mono, len(mono) / RATE)


def at_least(samples: Tensor, count: int) -> Tensor:
    """[S] with silence behind it, if it is shorter than that."""
    return torch.nn.functional.pad(samples, (0, max(0, count - len(samples))))
