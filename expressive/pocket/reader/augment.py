"""What happens to drawings while the reader trains: small moves, other colours, and the softness of generated pictures.

A picture from an auto-encoder or a diffusion model is a little blurred and blotchy; a reader that only ever saw crisp
drawings reads it badly. All random numbers come from the caller's generator, on the CPU, whatever the pictures' device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8


@dataclass(frozen=True)
class AugmentRecipe:
    shift: float = 0.04  # at most, in shares of the picture
    scale: float = 0.08  # at most, up or down
    tilt: float = 6.0  # degrees at most
    moved: float = 0.6  # share of steps that move pictures
    soft: float = 0.45  # share of pictures that are softened
    noisy: float = 0.25  # share of pictures with noise
    noise: float = 0.05  # its standard deviation at most
    colours: float = 0.12  # brightness, contrast and saturation change by this much at most


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """[count] in low … high, on the CPU."""
    return low + (high - low) * torch.rand(count, generator=generator)


def move(
    pictures: Tensor, landmarks: Tensor, depth: Tensor, recipe: AugmentRecipe, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Shift, scale and tilt pictures [B,3,H,W], landmarks [B,553,3] and depth [B,D,D] together.

    Landmarks that leave the picture become invisible; a hand that is not there stays all zero.
    """
    count, device = len(pictures), pictures.device
    angle = uniform(count, -recipe.tilt, recipe.tilt, generator) * math.pi / 180
    scale = 1 + uniform(count, -recipe.scale, recipe.scale, generator)
    shift = 2 * (2 * torch.rand(count, 2, generator=generator) - 1) * recipe.shift
    cosine, sine = angle.cos(), angle.sin()
    turn = torch.stack((torch.stack((cosine, -sine), 1), torch.stack((sine, cosine), 1)), 1)  # [B,2,2]
    # In coordinates −1 … 1: seen = scale · turn · drawn + shift; grid_sample wants drawn as a function of seen.
    back = turn.transpose(1, 2) / scale[:, None, None]
    theta = torch.cat((back, -back @ shift[:, :, None]), dim=2).to(device)
    grid = F.affine_grid(theta, [count, 3, *pictures.shape[-2:]], align_corners=False)
    pictures = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    grid = F.affine_grid(theta, [count, 1, *depth.shape[-2:]], align_corners=False)
    depth = F.grid_sample(depth[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
    drawn = 2 * landmarks[..., :2] - 1
    forward = (turn * scale[:, None, None]).to(device)
    seen = (drawn @ forward.transpose(1, 2) + shift.to(device)[:, None] + 1) / 2
    inside = ((seen > 0) & (seen < 1)).all(-1)
    there = landmarks.abs().sum(-1) > 0
    moved = torch.cat((seen, (landmarks[..., 2] * inside)[..., None]), dim=-1) * there[..., None]
    return pictures, moved, depth


def degrade(pictures: Tensor, recipe: AugmentRecipe, generator: torch.Generator) -> Tensor:
    """Pictures [B,3,H,W] in 0..1 with other colours; some of them blurred, resampled, quantised or noisy."""
    count = len(pictures)
    pictures = _recoloured(pictures, recipe.colours, generator)
    order = torch.randperm(count, generator=generator).to(pictures.device)
    third = round(count * recipe.soft / 3)
    if third:
        for chosen, soften in zip(order[: 3 * third].split(third), (blurred, _resampled, _quantised), strict=True):
            pictures = pictures.index_copy(0, chosen, soften(pictures[chosen], generator))
    spread = uniform(count, 0.0, recipe.noise, generator) * (torch.rand(count, generator=generator) < recipe.noisy)
    noise = torch.randn(pictures.shape, generator=generator) * spread[:, None, None, None]
    return (pictures + noise.to(pictures.device)).clamp(0, 1)


def faceless(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """As many pictures without a face [B,3,H,W]: smooth colours, noise, and drawings in shuffled blocks."""
    count, _, height, width = pictures.shape
    side = 4
    order = torch.randperm(side * side, generator=generator).to(pictures.device)
    blocks = pictures.unfold(2, height // side, height // side).unfold(3, width // side, width // side)
    blocks = blocks.flatten(2, 3)[:, :, order].unflatten(2, (side, side))  # [B,3,4,4,h,w]
    shuffled = blocks.permute(0, 1, 2, 4, 3, 5).reshape(count, 3, side * (height // side), side * (width // side))
    shuffled = F.interpolate(shuffled, (height, width))
    coarse = torch.rand(count, 3, 3, 3, generator=generator).to(pictures.device)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)
    noise = torch.rand(pictures.shape, generator=generator).to(pictures.device)
    kind = torch.randint(4, (count, 1, 1, 1), generator=generator).to(pictures.device)
    return torch.where(kind == 0, smooth, torch.where(kind == 1, (smooth + noise) / 2, shuffled))


def _recoloured(pictures: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    brightness, contrast, saturation = (
        (1 + uniform(len(pictures), -amount, amount, generator))[:, None, None, None].to(pictures.device)
        for _ in range(3)
    )
    grey = pictures.mean(1, keepdim=True)
    return ((grey + saturation * (pictures - grey) - 0.5) * contrast + 0.5) * brightness


def blurred(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Each picture with a Gaussian blur of its own, σ 0.3 … 1.6 pixels."""
    count = len(pictures)
    sigma = uniform(count, 0.3, 1.6, generator)
    ticks = torch.arange(-4, 5)
    kernel = (-0.5 * (ticks / sigma[:, None]).square()).exp()
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0).to(pictures.device)  # [3B,9]
    flat = F.pad(pictures.reshape(1, 3 * count, *pictures.shape[2:]), [4, 4, 4, 4], mode="replicate")
    flat = F.conv2d(flat, kernel[:, None, None, :], groups=3 * count)
    return F.conv2d(flat, kernel[:, None, :, None], groups=3 * count).view_as(pictures)


def _resampled(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Through a smaller size, the same for all of them, and back."""
    height, width = pictures.shape[-2:]
    share = float(uniform(1, 0.45, 0.85, generator))
    small = F.interpolate(pictures, (round(share * height), round(share * width)), mode="bilinear", antialias=True)
    return F.interpolate(small, (height, width), mode="bicubic")


def _cosines(device: torch.device) -> Tensor:
    """The orthonormal cosine transform of BLOCK samples, [frequency, sample]."""
    k = torch.arange(BLOCK, device=device, dtype=torch.float32)
    basis = torch.cos(math.pi / BLOCK * (k + 0.5) * k[:, None]) * (2 / BLOCK) ** 0.5
    return basis * torch.where(k[:, None] == 0, 0.5**0.5, 1.0)


def _quantised(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Blocks of 8 × 8 with coarse cosine coefficients, coarser for high frequencies, as JPEG does."""
    count, _, height, width = pictures.shape
    basis = _cosines(pictures.device)
    step = uniform(count, 0.01, 0.06, generator).to(pictures.device)[:, None, None, None, None, None]
    k = torch.arange(BLOCK, device=pictures.device)
    coarseness = step * (1 + k[:, None] + k)
    blocks = pictures.reshape(count, 3, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(3, 4)
    found = basis @ blocks @ basis.T  # [B,3,h,w,8,8]
    kept = (found / coarseness).round() * coarseness
    return (basis.T @ kept @ basis).transpose(3, 4).reshape(pictures.shape)
