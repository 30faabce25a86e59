"""Joint attention of QwenImageTransformer2DModel in plain arithmetic.

The same values as diffusers' processor; on CPUs the backward pass is much faster than that of PyTorch's fused attention
in bfloat16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel


def _rotate(x: Tensor, frequencies: Tensor) -> Tensor:
    """x [B,H,N,D], frequencies [N, D/2, 2] (cosine, sine): rotary embedding of neighbouring pairs."""
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    cosine, sine = frequencies.to(x.dtype).unbind(-1)
    return torch.stack((first * cosine - second * sine, first * sine + second * cosine), dim=-1).flatten(-2)


def _heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)  # [B,N,H·D] → [B,H,N,D]


class PlainJointAttention:
    """Drop-in for `QwenDoubleStreamAttnProcessor2_0` without masks (all prompts of a batch have the same length)."""

    def __call__(
        self,
        attn: Any,  # diffusers' Attention
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        encoder_hidden_states_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        if encoder_hidden_states_mask is not None or attention_mask is not None or image_rotary_emb is None:
            raise ValueError(
                "Plain attention takes rotary embeddings and no mask; use diffusers' own processor for padded prompts."
            )
        image, words, heads = hidden_states, encoder_hidden_states, attn.heads
        length = words.shape[1]
        picture, text = (torch.view_as_real(f) for f in image_rotary_emb)
        q = attn.norm_q(_heads(attn.to_q(image), heads)), attn.norm_added_q(_heads(attn.add_q_proj(words), heads))
        k = attn.norm_k(_heads(attn.to_k(image), heads)), attn.norm_added_k(_heads(attn.add_k_proj(words), heads))
        v = torch.cat((_heads(attn.add_v_proj(words), heads), _heads(attn.to_v(image), heads)), dim=2)
        frequencies = torch.cat((text, picture))  # order: text, image
        query = _rotate(torch.cat((q[1], q[0]), dim=2), frequencies).to(v.dtype)
        key = _rotate(torch.cat((k[1], k[0]), dim=2), frequencies).to(v.dtype)
        weights = torch.softmax((query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2), dim=-1)
        mixed = (weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)  # [B,N,H·D]
        out = attn.to_out[0](mixed[:, length:])
        return out, attn.to_add_out(mixed[:, :length])


def use_plain_attention(net: QwenImageTransformer2DModel) -> None:
    """Give every block of the transformer this processor."""
    blocks: Any = net.transformer_blocks
    for block in blocks:
        block.attn.set_processor(PlainJointAttention())
