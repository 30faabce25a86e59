"""A sound as a picture: its spectrum over time, and where the video's frames begin."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ...contact_sheet.lettering import font
from .log_mel import log_mel
from .sound import RATE

WIDTH, HEIGHT, RULER = 1024, 240, 36
"""Pixels of the picture, of the spectrum, and of the ruler below it."""

_COLOURS = torch.tensor(
    [[13, 15, 30], [41, 56, 115], [201, 82, 79], [247, 176, 84], [255, 248, 217]], dtype=torch.float32
)
"""From quiet to loud, at equal distances."""
_PAPER, _INK, _FAINT = (255, 255, 255), (40, 44, 52), (150, 156, 166)
_FRAMES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)  # a mark every so many
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)  # a number every so many
_MARK, _NUMBER = 5, 56  # pixels that marks and numbers are apart at least


def spectrogram(samples: Tensor, fps: float) -> Tensor:
    """Samples [S] at 16 kHz → float32 [276,1024,3], 0 … 1: low tones at the bottom, 8 decades from black to white.

    Below it a short mark where a video frame begins, or every 2nd, 5th … where they are too many, and the seconds.
    """
    mel = log_mel(samples)  # [80,M]
    lowest = max(float(mel.max()) - 2, -1.5)  # 8 decades below the loudest, or the quietest there is
    shown = F.interpolate(mel.flip(0)[None, None], (HEIGHT, WIDTH), mode="bilinear", antialias=True)[0, 0]
    place = ((shown - lowest) / 2).clamp(0, 1) * (len(_COLOURS) - 1)
    below = place.floor().long().clamp(max=len(_COLOURS) - 2)
    colours = torch.lerp(_COLOURS[below], _COLOURS[below + 1], (place - below)[..., None])  # [H,W,3]
    page = Image.new("RGB", (WIDTH, HEIGHT + RULER), _PAPER)
    page.paste(Image.fromarray(colours.round().byte().numpy()), (0, 0))
    _draw_ruler(ImageDraw.Draw(page), len(samples) / RATE, fps)
    return torch.from_numpy(np.array(page)).float() / 255


def _draw_ruler(draw: ImageDraw.ImageDraw, seconds: float, fps: float) -> None:
    scale = WIDTH / max(seconds, 1 / fps)  # pixels a second
    every = next((step for step in _FRAMES if step / fps * scale >= _MARK), _FRAMES[-1])
    for frame in range(0, int(seconds * fps) + 1, every):
        x = frame / fps * scale
        draw.line((x, HEIGHT, x, HEIGHT + 6), fill=_FAINT)
    step = next((step for step in _SECONDS if step * scale >= _NUMBER), _SECONDS[-1])
    face = font(14)
    for number in range(int(seconds / step) + 1):
        x = number * step * scale
        draw.line((x, HEIGHT, x, HEIGHT + 12), fill=_INK)
        draw.text((x + 3, HEIGHT + 13), f"{number * step:g} s", font=face, fill=_INK)
