"""Depth maps, and how they are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...encoders.loading import package

FLAT = 1e-6  # a range below this has no depth in it


@dataclass(frozen=True)
class DepthMaps:
    """Affine-invariant depth: no metres, and where it begins and how far it goes is the model's choice.

    depth: float32 [F,H,W], 0 near … 1 far; of each picture on its own, or in a clip one measure for all frames. near,
    far: float32 [F], the smallest and the largest depth of each picture, or of the whole clip.
    """

    depth: Tensor
    near: Tensor
    far: Tensor

    @classmethod
    def of(cls, depth: Tensor, clip: bool) -> DepthMaps:
        """With the range of each picture [H,W] of `depth` [F,H,W], or of them all."""
        near, far = depth.amin((1, 2)), depth.amax((1, 2))
        if clip:
            near, far = near.min().expand(len(depth)), far.max().expand(len(depth))
        return cls(depth, near, far)

    def stretched(self) -> Tensor:
        """float32 [F,H,W]: 0 at `near` … 1 at `far`."""
        reach = (self.far - self.near).clamp(min=FLAT)
        return (self.depth - self.near[:, None, None]) / reach[:, None, None]


def coloured(depth: Tensor) -> Tensor:
    """Depth [F,H,W] in 0…1 → colours [F,H,W,3] in 0…1 as Marigold shows it: Spectral, red near, blue far."""
    processing = package("diffusers.pipelines.marigold.marigold_image_processing", "colour depth")
    colours = processing.MarigoldImageProcessor.colormap
    return torch.stack([colours(one.float(), "Spectral") for one in depth])
