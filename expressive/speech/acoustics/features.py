"""What is heard at each frame of a video."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ...weights import reading_weights, write_weights

FORMAT = "expressive-avatars.acoustics.1"


@dataclass(frozen=True, eq=False)
class AcousticFeatures:
    """ACOUSTIC_FEATURES: a sound as F video frames hear it.

    tokens: float32 [F,T,D], for cross-attention; of Whisper tiny T = 50 and D = 384. pooled: float32 [D'], z_A of
    MAVAGEN (§3.3.4): the whole sound in one vector. fps: video frames a second. seconds: of the sound. encoder: who
    heard it, for people. Raises ValueError for other shapes or types.
    """

    tokens: Tensor
    pooled: Tensor
    fps: float
    seconds: float
    encoder: str

    def __post_init__(self) -> None:
        shapes = [list(x.shape) for x in (self.tokens, self.pooled)]
        if [len(shape) for shape in shapes] != [3, 1] or 0 in shapes[0] + shapes[1]:
            raise ValueError(f"Acoustic features are [F,T,D] and [D'], none of them 0, but here they are {shapes}.")
        if {self.tokens.dtype, self.pooled.dtype} != {torch.float32}:
            raise ValueError(
                f"Acoustic features are float32, but here they are {self.tokens.dtype} and {self.pooled.dtype}."
            )
        if not self.fps > 0:
            raise ValueError(f"Acoustic features have more than 0 frames a second, got {self.fps}.")

    @property
    def frames(self) -> int:
        """Video frames."""
        return len(self.tokens)

    def window(self, start: int, count: int) -> AcousticFeatures:
        """`count` frames from `start` on; pooled stays that of the whole sound.

        Raises ValueError where the clip does not have them.
        """
        if not (0 <= start and 1 <= count and start + count <= self.frames):
            raise ValueError(
                f"Frames {start} to {start + count - 1} are asked for, but the sound has frames 0 to {self.frames - 1}."
            )
        return replace(self, tokens=self.tokens[start : start + count], seconds=count / self.fps)

    def save(self, file: Path) -> Path:
        """Write safetensors."""
        told = {"format.name": FORMAT, "fps": self.fps, "seconds": self.seconds, "encoder": self.encoder}
        return write_weights(file, {"tokens": self.tokens, "pooled": self.pooled}, told)

    @classmethod
    def load(cls, file: Path) -> AcousticFeatures:
        """Read what `save` wrote. Raises ValueError for another file."""
        with reading_weights(file) as opened:
            told = opened.metadata() or {}
            if told.get("format.name") != FORMAT:
                raise ValueError(f"{file.name} does not hold acoustic features. Choose a file that was saved as such.")
            fps, seconds = (float(json.loads(told[name])) for name in ("fps", "seconds"))
            tokens, pooled = (opened.get_tensor(name) for name in ("tokens", "pooled"))
            return cls(tokens, pooled, fps, seconds, told["encoder"])
