"""Colours over large parts of a picture, which a loss on noise hardly sees."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def coarse_error(error: Tensor) -> Tensor:
    """Mean square of an error [B,C,h,w] in the clean latents, averaged over the picture, its quarters and sixteenths.

    One colour that is wrong all over is one frequency among a thousand: of ε, or of a velocity, it is nearly nothing,
    while at high noise it decides what colour the picture will have.
    """
    return torch.stack([F.adaptive_avg_pool2d(error, parts).square().mean() for parts in (1, 2, 4)]).mean()
