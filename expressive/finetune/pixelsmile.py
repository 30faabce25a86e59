"""PixelSmile's objective for one batch of pairs: two confusing expressions of one person, learned at once (§4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..encoders import FacePoints
from ..losses import (
    clean_estimate,
    flow_matching_loss,
    identity_loss,
    identity_weight,
    noised,
    symmetric_contrastive_loss,
    triplet,
)
from .bases import EditBase
from .config import Objective
from .encoded import Judge

T = TypeVar("T")
STEPS = 1000
"""Noise levels are multiples of 1 / STEPS, as in the released trainer: any of 1 … 1000, all alike, without shift."""


@dataclass(frozen=True)
class Judges:
    """The encoders of contrast and identity; None where that loss weighs nothing."""

    contrast: Judge | None = None
    identity: Judge | None = None

    @property
    def key(self) -> str:
        """Of both."""
        return " ".join(judge.key if judge else "-" for judge in (self.contrast, self.identity))


@dataclass(frozen=True)
class Side:
    """One of the two expressions, for B people: latents [B,C,h,w], texts [B,L,D] at α, mask [B,L] or None.

    contrast, identity: features [B,D] of the true pictures, as far as these losses count; rows are zero where no face
    was found. faces: where they are, for the identity.
    """

    latents: Tensor
    texts: Tensor
    mask: Tensor | None = None
    contrast: Tensor | None = None
    identity: Tensor | None = None
    faces: FacePoints | None = None


@dataclass(frozen=True)
class PairBatch:
    """source: latents [B,C,h,w] of the pictures that are edited."""

    source: Tensor
    a: Side
    b: Side

    def to(self, device: torch.device) -> PairBatch:
        """The same on another device."""
        return _moved(self, device)


def _moved(value: Any, device: torch.device) -> Any:
    """A dataclass with all tensors in it, and in dataclasses in it, on a device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, PairBatch | Side | FacePoints):
        return replace(value, **{name: _moved(inner, device) for name, inner in vars(value).items()})
    return value


def pair_losses(
    base: EditBase, batch: PairBatch, objective: Objective, judges: Judges, generator: torch.Generator
) -> dict[str, Tensor]:
    """Scalars: `loss` (Eq. 9) and its parts `flow`, `contrast`, `identity` as far as they count.

    Both sides share noise and noise level. generator: on the CPU, all that is random comes from it. Where x̂0 is not
    finite, `loss` is nan and the judges are not asked.
    """
    a, b = batch.a, batch.b
    count = len(batch.source)
    noise = torch.randn(a.latents.shape, generator=generator).to(a.latents)
    sigma = torch.randint(1, STEPS + 1, (count,), generator=generator).to(a.latents.device) / STEPS
    clean, noises, sigmas = torch.cat((a.latents, b.latents)), torch.cat((noise, noise)), torch.cat((sigma, sigma))
    noisy = noised(clean, noises, sigmas)
    texts, mask = _joined(a, b)
    velocity = base.velocity(noisy, sigmas, texts, mask, torch.cat((batch.source, batch.source))).float()
    found = {"flow": flow_matching_loss(velocity, clean, noises).mean()}
    contrast, identity = objective.contrast, objective.identity
    if contrast.weight > 0 or identity.weight > 0:
        guessed = base.decode(clean_estimate(noisy, velocity, sigmas)).float()
        if not bool(guessed.detach().isfinite().all()):
            return {"loss": found["flow"] * float("nan"), **found}
    if contrast.weight > 0:
        features = _needed(judges.contrast, "contrast").features(guessed, None)
        of = triplet(contrast.triplet, **contrast.constant())
        true_a, true_b = _needed(a.contrast, "contrast"), _needed(b.contrast, "contrast")
        made_a, made_b = features.split(count)
        pulled = symmetric_contrastive_loss(made_a, made_b, true_a, true_b, of, contrast.symmetric)
        seen = _seen(features).reshape(2, count).all(0) & _seen(true_a) & _seen(true_b)
        found["contrast"] = torch.where(seen, pulled, torch.zeros_like(pulled)).mean()
    if identity.weight > 0:
        true = torch.cat((_needed(a.identity, "identity"), _needed(b.identity, "identity")))
        own = _needed(judges.identity, "identity").features(guessed, _both(a.faces, b.faces))
        losses = identity_loss(own, true, _seen(own) & _seen(true))
        found["identity"] = (identity_weight(sigmas, identity.below) * losses).mean()
    zero = found["flow"].new_zeros(())
    total = found["flow"] + contrast.weight * found.get("contrast", zero)
    return {"loss": total + identity.weight * found.get("identity", zero), **found}


def _seen(features: Tensor) -> Tensor:
    """bool [B]: a face was found."""
    return features.detach().abs().sum(1) > 0


def _both(a: FacePoints | None, b: FacePoints | None) -> FacePoints | None:
    if a is None or b is None:
        return None
    return FacePoints(**{name: torch.cat((getattr(a, name), getattr(b, name))) for name in vars(a)})


def _joined(a: Side, b: Side) -> tuple[Tensor, Tensor | None]:
    """Texts of both sides one after the other, padded with zeros at the end to one length, and their mask."""
    longest = max(a.texts.shape[1], b.texts.shape[1])
    if a.mask is None and b.mask is None and a.texts.shape[1] == b.texts.shape[1]:
        return torch.cat((a.texts, b.texts)), None
    texts, masks = [], []
    for side in (a, b):
        missing = longest - side.texts.shape[1]
        mask = side.mask if side.mask is not None else side.texts.new_ones(side.texts.shape[:2], dtype=torch.bool)
        texts.append(torch.nn.functional.pad(side.texts, (0, 0, 0, missing)))
        masks.append(torch.nn.functional.pad(mask, (0, missing)))
    return torch.cat(texts), torch.cat(masks)


def _needed(value: T | None, loss: str) -> T:
    if value is None:
        raise ValueError(f"The {loss} loss counts, but nothing gives its features.")
    return value
