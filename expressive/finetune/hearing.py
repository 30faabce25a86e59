"""A UNet of SDXL's kind and the two text encoders that it hears through, as one network, so that all are adapted."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .lora import UNET_TARGETS

TEXT_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj")
"""The attention layers of a CLIP text encoder."""

PARTS = ("unet", "text_encoder", "text_encoder_2")
"""As they are called in diffusers' folders, which the names of their adapters in a file follow."""


class HearingUNet(nn.Module):
    """Its parts are PARTS."""

    targets = (*UNET_TARGETS, *TEXT_TARGETS)

    def __init__(self, unet: nn.Module, text_encoder: nn.Module, text_encoder_2: nn.Module) -> None:
        super().__init__()
        self.unet, self.text_encoder, self.text_encoder_2 = unet, text_encoder, text_encoder_2

    def hear(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids [B,2,77], for each encoder its own → states [B,77,D], pooled [B,P].

        The second to last layers side by side, and the second encoder's projected end of the text: as SDXL does.
        """
        encoders: tuple[Any, Any] = self.text_encoder, self.text_encoder_2
        first, second = (
            encoder(ids, output_hidden_states=True) for encoder, ids in zip(encoders, tokens.unbind(1), strict=True)
        )
        return torch.cat((first.hidden_states[-2], second.hidden_states[-2]), dim=-1), second.text_embeds

    def forward(self, noisy: Tensor, time: Tensor, heard: Tensor, pooled: Tensor, sizes: Tensor) -> Tensor:
        """ε. heard: token ids [B,2,77] (pooled is not looked at then), or states [B,77,D] with pooled [B,P]."""
        if not heard.is_floating_point():
            heard, pooled = self.hear(heard)
        unet: Any = self.unet
        added = {"text_embeds": pooled.to(noisy.dtype), "time_ids": sizes.float()}
        return unet(noisy, time, heard.to(noisy.dtype), added_cond_kwargs=added, return_dict=False)[0]

    def enable_gradient_checkpointing(self) -> None:
        """Compute blocks a second time on the way back."""
        unet, one, two = (getattr(self, part) for part in PARTS)
        unet.enable_gradient_checkpointing()
        one.gradient_checkpointing_enable()
        two.gradient_checkpointing_enable()
