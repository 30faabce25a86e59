"""The two kinds of networks that an adapter is trained in, behind one face: those of a velocity, and those of ε."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from ..losses import (
    clean_estimate,
    diffused,
    expression_weight,
    identity_weight,
    min_snr_weight,
    noised,
    one_step_estimate,
)
from ..losses.flow_matching import mixed_noise_levels
from .adapter_config import Aim
from .bases import EditBase
from .encoded import Encoded, EncodedCaptions, EncodedEdits
from .painting import PaintBase

Heard = dict[str, Tensor]
"""What a network hears of B prompts: tensors with an axis of B first."""


class Denoiser(Protocol):
    """A network without what it is called by. Latents [B,C,h,w]; levels [B] are its own: σ, or training steps."""

    key: str

    @property
    def encoded(self) -> Encoded:
        """Latents by way of the cache."""
        ...

    def hear(self, prompts: Sequence[str]) -> Heard:
        """Of B prompts, by way of the cache."""
        ...

    def noised(self, clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy latents, what the network is to find, and levels."""
        ...

    def find(self, noisy: Tensor, level: Tensor, heard: Heard) -> Tensor:
        """What the network finds."""
        ...

    def estimate(self, noisy: Tensor, found: Tensor, level: Tensor) -> Tensor:
        """x̂0"""
        ...

    def weights(self, level: Tensor, aim: Aim) -> tuple[Tensor, Tensor, Tensor]:
        """What error, identity and expression count at these levels, each [B]."""
        ...

    def sample(self, heard: Heard, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """Latents [B,C,h,w] of the first B prompts; with guidance, the last one is what it leads away from."""
        ...


class Flow:
    """A network of a velocity, which is shown no picture beside the noisy one."""

    def __init__(self, base: EditBase, encoded: EncodedEdits) -> None:
        self._base, self.encoded = base, encoded
        self._edits, self.key = encoded, base.key

    def hear(self, prompts: Sequence[str]) -> Heard:
        """texts [B,L,D], and where they differ in length, mask [B,L]."""
        texts = self._edits.texts(prompts, None)
        longest = max(len(text) for text in texts)
        heard = {"texts": torch.stack([nn.functional.pad(text, (0, 0, 0, longest - len(text))) for text in texts])}
        if any(len(text) < longest for text in texts):
            heard["mask"] = torch.stack([torch.arange(longest) < len(text) for text in texts])
        return heard

    def noised(self, clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """x_t, v = noise − x0, σ"""
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        sigma = mixed_noise_levels(len(clean), generator).to(clean)
        return noised(clean, noise, sigma), noise - clean, sigma

    def find(self, noisy: Tensor, level: Tensor, heard: Heard) -> Tensor:
        """v"""
        return self._base.velocity(noisy, level, heard["texts"], heard.get("mask"), None)

    def estimate(self, noisy: Tensor, found: Tensor, level: Tensor) -> Tensor:
        """x_t − σ v"""
        return clean_estimate(noisy, found, level)

    def weights(self, level: Tensor, aim: Aim) -> tuple[Tensor, Tensor, Tensor]:
        """The error counts everywhere; the identity below a level; the expression where enough signal is left."""
        signal = 1 - level
        face = torch.where(signal >= aim.expression.least_signal, signal, torch.zeros_like(signal))
        return torch.ones_like(level), identity_weight(level, aim.identity.below), face

    def sample(self, heard: Heard, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """By the base's own schedule; it knows no guidance, so `cfg` has to be 1."""
        if cfg != 1:
            raise ValueError("This base samples without guidance: set samples.cfg to 1.")
        count = len(noise)
        mask = heard["mask"][:count] if "mask" in heard else None
        return self._base.sample(heard["texts"][:count], mask, None, noise, steps)


class Noise:
    """A network of ε."""

    def __init__(self, base: PaintBase, encoded: EncodedCaptions, side: int) -> None:
        self._base, self.encoded, self._side = base, encoded, side
        self._captions, self.key = encoded, base.key

    def hear(self, prompts: Sequence[str]) -> Heard:
        """context [B,L,D], pooled [B,P]"""
        heard = [self._captions.caption(prompt) for prompt in prompts]
        return {"context": torch.stack([c for c, _ in heard]), "pooled": torch.stack([p for _, p in heard])}

    def noised(self, clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """x_t, ε, training steps"""
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        time = torch.randint(len(self._base.kept), (len(clean),), generator=generator)
        kept = self._base.kept[time].to(clean)
        return diffused(clean, noise, kept), noise, time.to(clean.device)

    def find(self, noisy: Tensor, level: Tensor, heard: Heard) -> Tensor:
        """ε"""
        return self._base.epsilon(noisy, level, heard["context"], heard["pooled"], self._sizes(len(noisy)))

    def _sizes(self, count: int) -> Tensor:
        whole = (self._side, self._side)
        return torch.tensor(self._base.sizes(whole, (0, 0), whole), device=self._base.device).expand(count, -1)

    def _kept(self, level: Tensor) -> Tensor:
        return self._base.kept.to(level.device)[level]

    def estimate(self, noisy: Tensor, found: Tensor, level: Tensor) -> Tensor:
        """(x_t − √(1 − ᾱ) ε) / √ᾱ"""
        return one_step_estimate(noisy, found, self._kept(level).to(noisy))

    def weights(self, level: Tensor, aim: Aim) -> tuple[Tensor, Tensor, Tensor]:
        """Min-SNR for the error; the identity below the level that has σ / (1 + σ) as its share of noise."""
        kept = self._kept(level)
        sigma = ((1 - kept) / kept).sqrt()
        return (
            min_snr_weight(kept, aim.min_snr),
            identity_weight(sigma / (1 + sigma), aim.identity.below),
            expression_weight(kept, aim.expression.least_signal),
        )

    def sample(self, heard: Heard, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """By the base's own schedule, with guidance."""
        return self._base.sample(heard["context"], heard["pooled"], self._sizes(1)[0], noise, steps, cfg)
