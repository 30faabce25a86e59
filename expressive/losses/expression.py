"""GenEAva's expression loss (arXiv 2504.07945): what an expression encoder sees in the one-step estimate."""

from __future__ import annotations

import torch
from torch import Tensor


def expression_loss(found: Tensor, wanted: Tensor, seen: Tensor) -> Tensor:
    """Mean squared difference of the embeddings [B,D] of x̂0 and x0: [B].

    seen: bool [B], whether a face was found in both; where not, the loss is 0 and has no gradient.
    """
    loss = (found - wanted).square().mean(1)
    return torch.where(seen, loss, torch.zeros_like(loss))


def expression_weight(kept: Tensor, least: float = 0.2) -> Tensor:
    """How much the expression of x̂0 counts at ᾱ [B]: ᾱ where it is at least `least`, else 0: [B].

    The paper weighs all steps alike, as far as is known. x̂0 of a noisy x_t is a blur whose face nothing can be read
    from, and its error grows with √((1 − ᾱ) / ᾱ); hence the gate and the weight, which are ours.
    """
    return torch.where(kept >= least, kept, torch.zeros_like(kept))
