"""Log-mel spectra as Whisper takes them, and as features of their own that need no weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...encoders import loading
from .encoder import AcousticStates
from .frames import HOP
from .sound import RATE, at_least

MELS = 80
COLUMNS = 2
"""Spectra in one audio frame: 100 and 50 a second."""

_WINDOW, _STEP = 400, HOP // COLUMNS  # samples: 25 ms, every 10 ms
_QUIETEST = 1e-10
_DECADES = 8.0  # below the loudest of the sound, all is equally quiet


def log_mel(samples: Tensor, mels: int = MELS) -> Tensor:
    """Samples [S] at 16 kHz → float32 [mels, ⌊S / 160⌋], at least two columns: column m around sample 160 m.

    Power in Slaney's mel bands of 0 to 8 kHz, log10, cut 8 decades below the loudest of the whole sound, + 4, ÷ 4:
    the numbers of Whisper's feature extractor, without its padding to 30 seconds.
    """
    functional = loading.package("torchaudio.functional", "hear the sound", "torchaudio")
    samples = at_least(samples, HOP)
    window = torch.hann_window(_WINDOW)
    spectrum = torch.stft(samples, _WINDOW, _STEP, window=window, return_complex=True)[:, :-1]  # [201, ⌊S/160⌋]
    bands = functional.melscale_fbanks(
        len(spectrum), 0.0, RATE / 2, mels, RATE, norm="slaney", mel_scale="slaney"
    )  # [201, mels]
    levels = (bands.T @ spectrum.abs().square()).clamp(min=_QUIETEST).log10()
    return (levels.maximum(levels.max() - _DECADES) + 4) / 4


class LogMelEncoder:
    """AcousticEncoder without weights: two spectra of 80 bands in each audio frame.

    Nothing in it has heard rhythm or loudness over time, so pooled is each band's mean and its deviation, [160].
    """

    name = "log-mel"
    network: nn.Module | None = None
    layers = 1
    width = COLUMNS * MELS

    def encode(self, samples: Tensor, between: Callable[[float], None]) -> AcousticStates:
        between(0.0)
        mel = log_mel(samples)
        count = mel.shape[1] // COLUMNS
        mel = mel[:, : count * COLUMNS]
        pooled = torch.cat([mel.mean(1), mel.std(1, correction=0)])
        states = mel.T.reshape(count, 1, COLUMNS * MELS)  # [2·N,80] → [N,1,2·80]: the earlier spectrum first
        between(1.0)
        return AcousticStates(states, pooled)
