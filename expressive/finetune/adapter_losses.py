"""Gen-AFFECT's objective for one batch: the network's error, and identity and expression of the one-step estimate.

The paper names the three losses and calls each of them indispensable; how they are weighed and at which noise levels is
not public, and ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ..encoders import FacePoints
from ..losses import expression_loss, identity_loss
from .adapter_config import Aim
from .denoisers import Denoiser
from .encoded import Judge
from .people import PeopleBatch


def adapter_losses(
    denoiser: Denoiser,
    decode: Callable[[Tensor], Tensor],
    batch: PeopleBatch,
    aim: Aim,
    identity: Judge | None,
    expression: Judge | None,
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Scalars: `loss`, and its parts `error`, `identity` and `expression` as far as they count.

    generator: on the CPU, all that is random comes from it. decode: latents → pictures. Where x̂0 is not finite, `loss`
    is nan and the judges are not asked. A person or face that the batch keeps from the network is not asked for either.
    """
    noisy, wanted, level = denoiser.noised(batch.latents, generator)
    found = denoiser.find(noisy, level, batch.heard).float()
    counts, for_identity, for_expression = denoiser.weights(level, aim)
    errors = (found - wanted.float()).square().flatten(1).mean(1)
    told, loss = {"error": errors.mean()}, (counts * errors).mean()
    for_identity = for_identity * batch.told * (identity is not None)
    for_expression = for_expression * batch.shown * (expression is not None)
    near = (for_identity > 0) | (for_expression > 0)
    zero = loss.new_zeros(())
    if identity is not None:
        told["identity"] = zero
    if expression is not None:
        told["expression"] = zero
    if bool(near.any()):  # the decoder and the judges see those alone that count
        guessed = decode(denoiser.estimate(noisy[near], found[near], level[near])).float()
        if not bool(guessed.detach().isfinite().all()):
            return {"loss": loss * float("nan"), **told}
        faces = batch.faces and _rows(batch.faces, near)
        if identity is not None and batch.true_identity is not None:
            own, true = identity.features(guessed, faces), batch.true_identity[near]
            losses = identity_loss(own, true, _seen(own) & _seen(true))
            told["identity"] = (for_identity[near] * losses).sum() / len(noisy)
        if expression is not None and batch.true_expression is not None:
            own, true = expression.features(guessed, faces), batch.true_expression[near]
            losses = expression_loss(own, true, _seen(own) & _seen(true))
            told["expression"] = (for_expression[near] * losses).sum() / len(noisy)
    total = loss + aim.identity.weight * told.get("identity", zero)
    return {"loss": total + aim.expression.weight * told.get("expression", zero), **told}


def _seen(features: Tensor) -> Tensor:
    """bool [B]: a face was found."""
    return features.detach().abs().sum(1) > 0


def _rows(faces: FacePoints, rows: Tensor) -> FacePoints:
    return replace(faces, **{name: value[rows] for name, value in vars(faces).items()})
