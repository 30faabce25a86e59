"""The 4-channel auto-encoder of both bases: small, without norms, and the same class in training and in the host.

Stable Diffusion's AutoencoderKL is slow here, because its group norms ask for 96 channels at full resolution; and
where norms have fewer, colours go astray. This one keeps all its work at half and at a quarter of the resolution.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from .config import LATENTS, AutoencoderConfig


class Residual(nn.Module):
    """x + two convolutions; begins as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(cast(Tensor, self.conv2.bias))

    def forward(self, x: Tensor) -> Tensor:
        """[N,C,h,w] → the same shape."""
        return x + self.conv2(nn.functional.silu(self.conv1(nn.functional.silu(x))))


class PocketAutoencoder(nn.Module):
    """Pictures [N,3,H,W] in −1…1 ↔ latents [N,4,H/r,W/r], whose channels have mean 0 and deviation 1 / scale.

    Deterministic; `statistics` sets what mean and deviation are measured by. Level 0 works at half the picture's
    resolution, each further one at half of that; pixels are folded into channels on the way (`PixelUnshuffle`).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        first, last = config.widths[0], config.widths[-1]
        down: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(12, first, 3, padding=1)]
        up: list[nn.Module] = [nn.Conv2d(LATENTS, last, 3, padding=1)]
        for level, width in enumerate(config.widths):
            if level:
                down += [nn.PixelUnshuffle(2), nn.Conv2d(4 * config.widths[level - 1], width, 1)]
            down += [Residual(width) for _ in range(config.encoder[level])]
        for level, width in reversed(list(enumerate(config.widths))):
            up += [Residual(width) for _ in range(config.decoder[level])]
            if level:
                up += [nn.Conv2d(width, 4 * config.widths[level - 1], 1), nn.PixelShuffle(2)]
        self.encoder = nn.Sequential(*down, nn.SiLU(), nn.Conv2d(last, LATENTS, 3, padding=1))
        self.decoder = nn.Sequential(*up, nn.SiLU(), nn.Conv2d(first, 12, 3, padding=1), nn.PixelShuffle(2))
        self.register_buffer("mean", torch.zeros(LATENTS))
        self.register_buffer("deviation", torch.full((LATENTS,), 1 / config.scale))

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [N,3,H,W], H and W multiples of `config.ratio` → latents [N,4,H/r,W/r]."""
        found = self.encoder(pictures)
        return (found - _each(self.mean, found)) / (self.config.scale * _each(self.deviation, found))

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [N,4,h,w] → pictures [N,3,rh,rw], nominally in −1…1, not clamped."""
        raw = latents * (self.config.scale * _each(self.deviation, latents)) + _each(self.mean, latents)
        return self.decoder(raw)

    def statistics(self, latents: Tensor) -> None:
        """From what `encode` gives now for some pictures, set mean and deviation: pictures decode as before."""
        flat = latents.transpose(0, 1).flatten(1)  # n c h w → c (n h w)
        deviation = self.config.scale * self.deviation
        with torch.no_grad():
            self.mean.add_(flat.mean(1).to(self.mean) * deviation)
            self.deviation.mul_(flat.std(1).to(self.mean) * self.config.scale)


def _each(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like).view(1, LATENTS, 1, 1)  # c → 1 c 1 1
