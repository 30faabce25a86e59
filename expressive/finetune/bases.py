"""What the trainer asks of an editing model. `qwen_edit` and `pocket_edit` answer."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn


class EditBase(Protocol):
    """A model that edits pictures by flow matching: x_t = (1 − σ) x0 + σ noise, v = noise − x0.

    Pictures are float [B,3,H,W] in 0…1; latents normalised, [B,C,h,w].
    """

    architecture: str  # of the metadata
    device: torch.device  # where it computes
    key: str  # of what its frozen parts make of pictures and words: weights and precision
    network_key: str  # of the weights of `network`
    naming: str  # of lora.NAMINGS
    targets: tuple[str, ...]  # the layers that LoRA adapts where nobody says

    @property
    def network(self) -> nn.Module:
        """What is adapted."""
        ...

    def use(self, network: nn.Module) -> None:
        """Call this in the place of `network`: a wrapper of it, for several devices."""
        ...

    def reads_pictures(self) -> bool:
        """Whether the text encoder sees the source, so that texts have to be encoded for each source."""
        ...

    def encode_text(self, prompt: str, picture: Tensor | None) -> Tensor:
        """States [L,D] of a prompt, for a picture [1,3,H,W] or for none."""
        ...

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents, without gradient."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures, not clamped, with gradient."""
        ...

    def velocity(
        self, noisy: Tensor, sigma: Tensor, texts: Tensor, mask: Tensor | None, source: Tensor | None
    ) -> Tensor:
        """v at σ [B]. texts [B,L,D], mask bool [B,L] or None where all count, source latents [B,C,h,w] or none."""
        ...

    def sample(self, texts: Tensor, mask: Tensor | None, source: Tensor | None, noise: Tensor, steps: int) -> Tensor:
        """Latents by the schedule that the shipped workflow uses, without guidance."""
        ...

    def forget_encoder(self) -> None:
        """Free the text encoder, whose work is done once everything is cached."""
        ...
