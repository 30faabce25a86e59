"""From a sound to what each video frame hears."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from . import frames
from .encoder import AcousticEncoder, AcousticStates
from .features import AcousticFeatures
from .sound import RATE, Sound

_OTHER = 0.05  # seconds by which a sound and what an encoder heard differ, if they are not the same sound
_LOST = 2  # audio frames that an encoder may be short of


def extract(
    sound: Sound,
    encoder: AcousticEncoder,
    fps: float = 25.0,
    layers: str = "all",
    between: Callable[[float], None] = lambda share: None,
) -> AcousticFeatures:
    """What each frame of a video hears of a sound. between: see AcousticEncoder.

    layers: “all” or “last”. Raises ValueError for a frame rate outside 10 … 120, other layers, or more tokens than fit.
    """
    count = frames.frame_count(sound.seconds, fps)
    frames.check_size(count, frames.depth_of(layers, encoder.layers), encoder.width)  # before minutes of listening
    return _features(encoder.encode(sound.samples, between), encoder.name, sound, count, fps, layers)


def from_host(output: Mapping[str, Any], sound: Sound, fps: float = 25.0, layers: str = "all") -> AcousticFeatures:
    """The same of the host's AUDIO_ENCODER_OUTPUT, which its wav2vec2 or Whisper heard in this sound.

    encoded_audio [1,N,D]; encoded_audio_all_layers: a sequence of such; audio_samples: at 16 kHz. Raises ValueError as
    `extract` does, and where the output is of several sounds, of another one, or of its beginning alone: the host's
    Whisper hears 30 seconds.
    """
    count = frames.frame_count(sound.seconds, fps)
    last = output.get("encoded_audio") if isinstance(output, Mapping) else None
    if not isinstance(last, Tensor) or last.ndim != 3:
        raise ValueError("This is no output of Audio Encoder Encode: it has no encoded_audio [1, frames, width].")
    if len(last) != 1:
        raise ValueError(f"One sound can be heard at a time, but {len(last)} were encoded. Encode one clip.")
    heard = int(output.get("audio_samples", len(sound.samples)))
    if abs(heard / RATE - sound.seconds) > _OTHER:
        raise ValueError(
            f"The encoder heard a sound of {heard / RATE:.2f} seconds, but the audio here has {sound.seconds:.2f}. "
            "Connect the same audio to both."
        )
    known = max(1, heard // frames.HOP)
    if last.shape[1] < known - _LOST:
        raise ValueError(
            f"The encoder heard the first {last.shape[1] * frames.HOP / RATE:.0f} of {sound.seconds:.0f} seconds. Cut "
            "the audio to that, or use Load Acoustic Encoder, which hears it in parts."
        )
    every = [layer[0, :known].float().cpu() for layer in output.get("encoded_audio_all_layers") or (last,)]  # [N,D]
    states = AcousticStates(torch.stack(every, dim=1), last[0, :known].float().cpu().mean(0))
    name = f"audio encoder of {len(every)} × {last.shape[2]}"
    return _features(states, name, sound, count, fps, layers)


def _features(heard: AcousticStates, name: str, sound: Sound, count: int, fps: float, layers: str) -> AcousticFeatures:
    if not bool(heard.states.isfinite().all() and heard.pooled.isfinite().all()):
        raise ValueError(f"{name} gave NaN or infinite numbers. Its weights are damaged, or its precision is too low.")
    tokens = frames.tokens(heard.states, count, fps, layers)
    return AcousticFeatures(tokens, heard.pooled, fps, sound.seconds, name)
