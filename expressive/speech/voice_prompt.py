"""A voice to go on with: a few seconds of somebody speaking, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..weights import reading_weights, write_weights
from .markup import without_tags

FORMAT = "expressive-avatars.voice.1"
ADVISED = (5.0, 10.0)
"""Seconds that a voice is told best by."""
LONGEST = 20.0
"""Seconds beyond which there is no room left to speak."""

_SHORTEST = 1.0  # seconds


@dataclass(frozen=True, eq=False)
class VoicePrompt:
    """VOICE. audio: float32 [samples], −1 … 1, one channel. rate: samples a second. transcript: every word of it.

    Raises ValueError with a sentence: no transcript, too short or too long, silent, NaN, or another layout.
    """

    audio: np.ndarray
    rate: int
    transcript: str
    name: str = "voice"

    def __post_init__(self) -> None:
        if self.audio.ndim != 1 or self.audio.dtype != np.float32:
            raise ValueError(
                f"A voice is float32 [samples], but here it is {self.audio.dtype} {list(self.audio.shape)}."
            )
        if not 8000 <= self.rate <= 192_000:
            raise ValueError(f"The sample rate of a voice is 8,000 to 192,000 Hz, got {self.rate}.")
        if not any(sign.isalnum() for sign in without_tags(self.transcript)):
            raise ValueError(
                "A voice comes with what it says, but the transcript is empty. Write every word that is heard in it."
            )
        if not np.isfinite(self.audio).all():
            raise ValueError("The voice holds NaN or infinite numbers, so it cannot be heard. Make or load it again.")
        if not _SHORTEST <= self.seconds <= LONGEST:
            raise ValueError(
                f"A voice is {_SHORTEST:g} to {LONGEST:g} seconds long, this one {self.seconds:.1f}. Take "
                f"{ADVISED[0]:g} to {ADVISED[1]:g} seconds in which somebody speaks clearly, with Trim Audio Duration "
                "for instance."
            )
        if np.abs(self.audio).max() < 1e-4:
            raise ValueError("The voice is silent. Take a part in which somebody speaks.")

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.rate

    @property
    def advice(self) -> str:
        """What would make it a better voice; "" where nothing would."""
        low, high = ADVISED
        if low <= self.seconds <= high:
            return ""
        word = "short" if self.seconds < low else "long"
        return f"{self.seconds:.1f} s is {word}: {low:g} to {high:g} s tell a voice best"

    def same_as(self, other: VoicePrompt) -> bool:
        """Whether both hold the same."""
        told = ((one.rate, one.transcript, one.name) for one in (self, other))
        return len(set(told)) == 1 and np.array_equal(self.audio, other.audio)

    def save(self, file: Path) -> Path:
        """Write safetensors."""
        told = {"format.name": FORMAT, "rate": self.rate, "transcript": self.transcript, "name": self.name}
        return write_weights(file, {"audio": torch.from_numpy(self.audio.copy())}, told)

    @classmethod
    def load(cls, file: Path) -> VoicePrompt:
        """Read what `save` wrote. Raises FileNotFoundError, or ValueError for another file."""
        if not file.is_file():
            raise FileNotFoundError(f"There is no voice at {file}. Make one with Save Voice.")
        with reading_weights(file) as opened:
            told = opened.metadata() or {}
            if told.get("format.name") != FORMAT:
                raise ValueError(f"{file.name} is not a voice. Choose a file that Save Voice wrote.")
            audio = opened.get_tensor("audio").clone().numpy()  # not a view of the file
            rate = told["rate"]
            if not rate.isdecimal():
                raise ValueError(f"{file.name} is damaged: its sample rate is {rate!r}. Save the voice anew.")
            return cls(audio, int(rate), told["transcript"], told.get("name", file.stem))

    @classmethod
    def of_audio(cls, audio: Mapping[str, Any], transcript: str, name: str = "voice") -> VoicePrompt:
        """Of the host's AUDIO {"waveform": [1,C,S], "sample_rate": …}: the mean of its channels.

        Raises ValueError for several clips, another layout, or what makes no voice.
        """
        waveform = audio["waveform"]
        if waveform.ndim != 3 or len(waveform) != 1 or 0 in waveform.shape:
            raise ValueError(
                f"A voice is made of one sound [1, channels, samples], but {list(waveform.shape)} came. Connect one "
                "clip."
            )
        mono = waveform[0].detach().float().cpu().mean(0).clamp(-1, 1)  # [C,S] → [S]
        return cls(mono.numpy().copy(), int(audio["sample_rate"]), " ".join(transcript.split()), name)
