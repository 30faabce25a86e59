"""Latents of the pocket auto-encoder: their statistics, and their layout as transformer tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .nets import WAN_MEAN, WAN_STD

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage


def normalise(latents: Tensor) -> Tensor:
    """Latents [B,16,…] of the auto-encoder → what the transformer sees, (z − mean) / std of the Wan 2.1 format."""
    return (latents - _column(WAN_MEAN, latents)) / _column(WAN_STD, latents)


def denormalise(latents: Tensor) -> Tensor:
    """Inverse of `normalise`."""
    return latents * _column(WAN_STD, latents) + _column(WAN_MEAN, latents)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(1, -1, *[1] * (like.ndim - 2))


def pack(latents: Tensor) -> Tensor:
    """[B,16,H,W] → tokens [B, H/2·W/2, 64], each a 2 × 2 patch, channel first, as QwenImagePipeline packs them."""
    batch, channels, height, width = latents.shape
    patches = latents.reshape(batch, channels, height // 2, 2, width // 2, 2)
    return patches.permute(0, 2, 4, 1, 3, 5).reshape(batch, height // 2 * (width // 2), channels * 4)


def unpack(tokens: Tensor, height: int, width: int) -> Tensor:
    """Inverse of `pack` for latents of `height` × `width`."""
    batch, _, channels = tokens.shape
    patches = tokens.reshape(batch, height // 2, width // 2, channels // 4, 2, 2)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(batch, channels // 4, height, width)


@torch.no_grad()
def fold_statistics(vae: AutoencoderKLQwenImage, mean: Tensor, std: Tensor) -> None:
    """Change the auto-encoder in place so that its latents have the mean and deviation of the Wan 2.1 format.

    mean, std: [16], of the latents as they are now. The affine map z' = (z − mean) · WAN_STD / std + WAN_MEAN goes into
    `quant_conv`, its inverse into `post_quant_conv`, both 1 × 1 convolutions: pictures decode exactly as before.
    """
    mean, std = mean.double(), std.double()
    gain = torch.tensor(WAN_STD, dtype=torch.float64) / std
    offset = torch.tensor(WAN_MEAN, dtype=torch.float64) - mean * gain
    channels = len(gain)
    into, out_of = vae.quant_conv, vae.post_quant_conv
    weight, bias = into.weight.double(), _bias(into)
    weight[:channels] *= gain[:, None, None, None, None]
    bias[:channels] = bias[:channels] * gain + offset
    bias[channels:] += 2 * gain.log()  # log-variances of the scaled latents
    into.weight.copy_(weight)
    into.bias.copy_(bias)  # pyright: ignore[reportOptionalMemberAccess]
    weight = out_of.weight.double() / gain[None, :, None, None, None]
    bias = _bias(out_of) - weight[:, :, 0, 0, 0] @ offset
    out_of.weight.copy_(weight)
    out_of.bias.copy_(bias)  # pyright: ignore[reportOptionalMemberAccess]


def _bias(layer: torch.nn.Module) -> Tensor:
    if layer.bias is None:
        raise ValueError("This auto-encoder's 1 × 1 convolutions have no bias, so its latents cannot be shifted.")
    return layer.bias.double().clone()  # pyright: ignore[reportCallIssue]
