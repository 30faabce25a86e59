"""The auto-encoder on single pictures: the same function as diffusers', with 2-D convolutions.

For one frame, a causal 3-D convolution pads the past with zeros, so only the last time slice of its kernel is used.
Running that slice as a 2-D convolution is exact and several times faster, which makes training on a laptop possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage


def conv(layer: Any, x: Tensor) -> Tensor:
    """[B,C,H,W] → [B,C',H,W]: a causal 3-D convolution (its spatial padding kept in `_padding`) on a single frame."""
    left, _, top, _, _, _ = layer._padding
    return F.conv2d(x, layer.weight[:, :, -1], layer.bias, padding=(top, left))


def _norm(layer: Any, x: Tensor) -> Tensor:
    # RMS over channels, in fp32, as the host computes it in fp32 and diffusers in mixed precision
    unit = F.normalize(x.float(), dim=1).to(x.dtype)
    return unit * (layer.scale * layer.gamma.reshape(-1, 1, 1)).to(x.dtype)


def _residual(block: Any, x: Tensor) -> Tensor:
    shortcut = x if isinstance(block.conv_shortcut, nn.Identity) else conv(block.conv_shortcut, x)
    x = conv(block.conv1, F.silu(_norm(block.norm1, x)))
    x = conv(block.conv2, F.silu(_norm(block.norm2, x)))
    return x + shortcut


def _attention(block: Any, x: Tensor) -> Tensor:
    batch, channels, height, width = x.shape
    qkv = block.to_qkv(_norm(block.norm, x)).flatten(2).transpose(1, 2)
    q, k, v = qkv.chunk(3, dim=-1)  # [B, HW, C] each
    weights = torch.softmax((q @ k.transpose(1, 2)).float() * channels**-0.5, dim=-1).to(v.dtype)
    mixed = (weights @ v).transpose(1, 2).reshape(batch, channels, height, width)
    return x + block.proj(mixed)


def _resample(block: Any, x: Tensor) -> Tensor:
    first, last = block.resample
    if block.mode.startswith("upsample"):
        return last(F.interpolate(x, scale_factor=2.0, mode="nearest-exact"))
    return last(first(x))


def _middle(block: Any, x: Tensor) -> Tensor:
    x = _residual(block.resnets[0], x)
    x = _attention(block.attentions[0], x)
    return _residual(block.resnets[1], x)


def encode(vae: AutoencoderKLQwenImage, pictures: Tensor) -> Tensor:
    """[B,3,H,W] in −1…1 → moments [B,32,H/8,W/8]: 16 means, then 16 log-variances, of the latent."""
    encoder: Any = vae.encoder
    x = conv(encoder.conv_in, pictures)
    for block in encoder.down_blocks:
        x = _residual(block, x) if hasattr(block, "conv1") else _resample(block, x)
    x = _middle(encoder.mid_block, x)
    x = conv(encoder.conv_out, F.silu(_norm(encoder.norm_out, x)))
    return conv(vae.quant_conv, x)


def decode(vae: AutoencoderKLQwenImage, latents: Tensor) -> Tensor:
    """[B,16,h,w] → picture [B,3,8h,8w], nominally in −1…1, not clamped."""
    decoder: Any = vae.decoder
    x = conv(decoder.conv_in, conv(vae.post_quant_conv, latents))
    x = _middle(decoder.mid_block, x)
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            x = _residual(resnet, x)
        if block.upsamplers is not None:
            x = _resample(block.upsamplers[0], x)
    return conv(decoder.conv_out, F.silu(_norm(decoder.norm_out, x)))
