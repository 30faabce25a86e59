"""GenEAva's objective for one batch: captions to pictures, and the expression that the one-step estimate shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from ..encoders import FacePoints
from ..losses import diffused, expression_loss, expression_weight, min_snr_weight, one_step_estimate
from .config import Painting

if TYPE_CHECKING:
    from .encoded import Judge


class PaintBase(Protocol):
    """A model that paints pictures from captions by predicting ε.

    Pictures are float [B,3,H,W] in 0…1; latents scaled to unit deviation, [B,C,h,w].
    """

    architecture: str  # of the metadata
    device: torch.device
    key: str  # of what its frozen parts make of pictures and words
    network_key: str  # of the weights of `network`
    naming: str  # of lora.NAMINGS
    targets: tuple[str, ...]  # the layers that LoRA adapts where nobody says
    kept: Tensor  # ᾱ of each of its training steps, falling

    @property
    def network(self) -> nn.Module:
        """What is adapted."""
        ...

    @property
    def hears(self) -> str:
        """What `encode_caption` gives: “states” or “tokens”."""
        ...

    def use(self, network: nn.Module) -> None:
        """Call this in the place of `network`."""
        ...

    def encode_caption(self, caption: str) -> tuple[Tensor, Tensor]:
        """What the network hears of a caption: states [L,D], and pooled [P] (P = 0 where it hears none).

        Where text encoders are trained, they are parts of the network, and it hears token ids [2,L].
        """
        ...

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents, without gradient."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures, not clamped, with gradient."""
        ...

    def sizes(self, original: tuple[int, int], corner: tuple[int, int], target: tuple[int, int]) -> tuple[float, ...]:
        """Size conditioning, as SDXL has it: (width, height) of the file, (left, top) of the crop, size of the crop."""
        ...

    def epsilon(self, noisy: Tensor, time: Tensor, context: Tensor, pooled: Tensor, sizes: Tensor) -> Tensor:
        """ε at training steps `time` [B]. context [B,L,D], pooled [B,P], sizes [B,6]."""
        ...

    def sample(self, context: Tensor, pooled: Tensor, sizes: Tensor, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """Latents [B,C,h,w] by its own schedule; the last prompt of the batch is the one that guidance leads away from.

        context [B + 1,L,D], pooled [B + 1,P], sizes [6], noise [B,C,h,w] of unit deviation.
        """
        ...

    def forget_encoder(self) -> None:
        """Free the text encoders."""
        ...

    def save_network(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write the network with all its weights, as the host loads it; the file."""
        ...


@dataclass(frozen=True)
class CaptionBatch:
    """latents [B,C,h,w], context [B,L,D] or token ids [B,2,L], pooled [B,P], sizes [B,6].

    expression: features [B,E] of the true pictures as far as they count, zero rows without a face; faces: where.
    """

    latents: Tensor
    context: Tensor
    pooled: Tensor
    sizes: Tensor
    expression: Tensor | None = None
    faces: FacePoints | None = None

    def to(self, device: torch.device) -> CaptionBatch:
        """The same on another device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        faces = self.faces and replace(self.faces, **{k: v.to(device) for k, v in vars(self.faces).items()})
        return replace(self, **moved, faces=faces)


def caption_losses(
    base: PaintBase, batch: CaptionBatch, objective: Painting, judge: Judge | None, generator: torch.Generator
) -> dict[str, Tensor]:
    """Scalars: `loss` = L_dm + weight · L_exp, and its parts `noise` and, as far as it counts, `expression`.

    generator: on the CPU, all that is random comes from it. Where x̂0 is not finite, `loss` is nan and the judge is not
    asked.
    """
    clean, count = batch.latents, len(batch.latents)
    noise = torch.randn(clean.shape, generator=generator)
    noise = noise + objective.noise_offset * torch.randn(*clean.shape[:2], 1, 1, generator=generator)
    time = torch.randint(len(base.kept), (count,), generator=generator)
    noise, kept, time = noise.to(clean), base.kept[time].to(clean), time.to(clean.device)
    noisy = diffused(clean, noise, kept)
    found = base.epsilon(noisy, time, batch.context, batch.pooled, batch.sizes).float()
    errors = (found - noise).square().flatten(1).mean(1)
    told = {"noise": errors.mean()}
    loss = (min_snr_weight(kept, objective.min_snr) * errors).mean()
    how = objective.expression
    if how.weight > 0:
        if judge is None or batch.expression is None:
            raise ValueError("The expression loss counts, but nothing gives its features.")
        weight = expression_weight(kept, how.least_signal)
        near = weight > 0
        if bool(near.any()):  # the decoder and the judge see those alone that count
            guessed = base.decode(one_step_estimate(noisy[near], found[near], kept[near])).float()
            if not bool(guessed.detach().isfinite().all()):
                return {"loss": loss * float("nan"), **told}
            faces = batch.faces and replace(batch.faces, **{k: v[near] for k, v in vars(batch.faces).items()})
            own, true = judge.features(guessed, faces), batch.expression[near]
            seen = (own.detach().abs().sum(1) > 0) & (true.abs().sum(1) > 0)
            told["expression"] = (weight[near] * expression_loss(own, true, seen)).sum() / count
        else:
            told["expression"] = loss.new_zeros(())
        loss = loss + how.weight * told["expression"]
    return {"loss": loss, **told}
