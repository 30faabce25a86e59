"""Which audio frames belong to a video frame, as EchoMimicV2 has it.

Audio frames come 50 a second: frame n begins with sample 320 n of 16 kHz. Video frame i shows the time from i / fps to
(i + 1) / fps. Its window is the audio frame c = ⌊50 i / fps⌋ in which it begins, the four before and the five after, so
from about 80 ms before it begins to 120 ms after: at 25 fps 80 ms to both of its sides. Beyond the ends of the sound
its first and its last audio frame are held.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

HOP = 320
"""Samples of an audio frame."""
BEFORE, AFTER = 4, 5
"""Audio frames of a window beside the one in which the video frame begins."""
WINDOW = BEFORE + 1 + AFTER
FEWEST, MOST = 10.0, 120.0
"""Video frames a second: of fewer, a window would not hear the whole frame."""
MOST_BYTES = 4 * 2**30
"""Of a clip's tokens."""
LAYERS = ("all", "last")
"""Which of an encoder's layers become tokens."""

_AUDIO_FPS = 50
_ROUNDING = 0.01  # of a video frame: what a sound is longer by rounding its samples is not another frame


def frame_count(seconds: float, fps: float) -> int:
    """Video frames that show a sound: ⌈seconds · fps⌉, so that its end is seen, and at least one.

    Raises ValueError for a frame rate outside `FEWEST` … `MOST`.
    """
    if not FEWEST <= fps <= MOST:
        raise ValueError(f"A video has {FEWEST:g} to {MOST:g} frames a second here, got {fps:g}.")
    return max(1, math.ceil(seconds * fps - _ROUNDING))


def windows(frames: int, fps: float, audio_frames: int) -> Tensor:
    """int64 [frames, 10]: the audio frames of each video frame, each within 0 … audio_frames − 1."""
    begins = torch.tensor([int(frame * _AUDIO_FPS / fps) for frame in range(frames)])  # as EchoMimicV2 rounds it
    return (begins[:, None] + torch.arange(-BEFORE, AFTER + 1)).clamp(0, audio_frames - 1)


def depth_of(layers: str, known: int) -> int:
    """How many of an encoder's layers become tokens. ValueError for another word than `LAYERS`."""
    if layers not in LAYERS:
        raise ValueError(f"Layers are one of {', '.join(LAYERS)}, got “{layers}”.")
    return known if layers == "all" else 1


def check_size(frames: int, depth: int, width: int) -> None:
    """ValueError where the tokens of that many frames, layers and channels take more than `MOST_BYTES`."""
    size = frames * WINDOW * depth * width * 4  # bytes of float32
    if size > MOST_BYTES:
        raise ValueError(
            f"The tokens of {frames:,} frames, {WINDOW * depth} × {width} each, take {size / 2**30:.1f} GB, and "
            f"{MOST_BYTES / 2**30:.0f} GB is the most. Choose the last layer alone, or cut the sound into parts."
        )


def tokens(states: Tensor, frames: int, fps: float, layers: str = LAYERS[0]) -> Tensor:
    """States [N,L,D] of N audio frames in L layers → [frames, 10 · L, D]: audio frame by audio frame, layer by layer.

    layers: all, or the last alone, [frames, 10, D]. Raises ValueError for another word, and where the tokens are more
    than `MOST_BYTES`.
    """
    depth = depth_of(layers, states.shape[1])
    states = states[:, -depth:]
    count, _, width = states.shape
    check_size(frames, depth, width)
    return states[windows(frames, fps, count)].reshape(frames, WINDOW * depth, width)  # [F,10,L,D] → [F,10·L,D]
