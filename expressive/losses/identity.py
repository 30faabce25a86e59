"""PixelSmile's identity loss, and how much it counts at each noise level."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def identity_loss(generated: Tensor, target: Tensor, seen: Tensor | None = None) -> Tensor:
    """1 − cos of the embeddings [B,D] of a generated and its true picture: [B], 0 … 2 (half of Eq. 8's sum).

    seen: bool [B], whether a face was found in both; where not, the loss is 0 and has no gradient.
    """
    loss = 1 - F.cosine_similarity(generated, target)
    return loss if seen is None else torch.where(seen, loss, torch.zeros_like(loss))


def identity_weight(sigma: Tensor, limit: float = 0.6) -> Tensor:
    """How much the identity of x̂0 counts at noise level σ [B]: 1 below `limit`, 0 above: [B].

    Above it x̂0 is a blur that has nobody's face. The released trainer weighs 1 − 1e-5 up to timestep 600 of 1000 and
    1e-5 beyond, by the first sample of a batch for all; here each sample has its own.
    """
    return (sigma <= limit).to(sigma.dtype)
