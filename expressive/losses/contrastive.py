"""PixelSmile's symmetric contrastive loss: what was generated looks like its own target, not like the confusing one.

Symbols as in the paper: G generated, P positive, N negative; d cosine distance, s cosine similarity. All features are
[B,D] of any length; they are brought to unit length here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn import functional as F

Triplet = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(generated, positive, negative), each [B,D] → loss [B]."""


def info_nce(generated: Tensor, positive: Tensor, negative: Tensor, temperature: float = 0.07) -> Tensor:
    """−log softmax over {P, N} of s / τ at P: [B], 0 … ∞ (Eq. 12)."""
    nearer = F.cosine_similarity(generated, negative) - F.cosine_similarity(generated, positive)
    return F.softplus(nearer / temperature)


def hinge(generated: Tensor, positive: Tensor, negative: Tensor, margin: float = 0.2) -> Tensor:
    """max(0, d(G,P) − d(G,N) + m): [B] (Eq. 10)."""
    return (_distance(generated, positive) - _distance(generated, negative) + margin).clamp(min=0)


def log_ratio(generated: Tensor, positive: Tensor, negative: Tensor, epsilon: float = 1e-6) -> Tensor:
    """log((d(G,P) + ε) / (d(G,N) + ε)): [B], below 0 where G is nearer to P (Eq. 11)."""
    near, far = _distance(generated, positive), _distance(generated, negative)
    return ((near.clamp(min=0) + epsilon) / (far.clamp(min=0) + epsilon)).log()


TRIPLETS: dict[str, Callable[..., Tensor]] = {"info_nce": info_nce, "hinge": hinge, "log_ratio": log_ratio}
"""The three realisations of the triplet that the paper compares, by name; the first is its choice."""


def triplet(name: str, **settings: float) -> Triplet:
    """A triplet with its constant set: temperature, margin or epsilon. Raises ValueError for another name."""
    if name not in TRIPLETS:
        raise ValueError(f"There is no triplet “{name}”; there are {', '.join(TRIPLETS)}.")
    return partial(TRIPLETS[name], **settings)


def symmetric_contrastive_loss(
    generated_a: Tensor,
    generated_b: Tensor,
    target_a: Tensor,
    target_b: Tensor,
    of: Triplet = info_nce,
    symmetric: bool = True,
) -> Tensor:
    """½ [T(G_a, P_a, P_b) + T(G_b, P_b, P_a)]: [B] (Eq. 7).

    Features [B,D] of the two generated pictures and of the two true ones, all of one person, with expressions that are
    easily confused. symmetric: False leaves the second half out and the first whole, the paper's ablation.
    """
    forth = of(generated_a, target_a, target_b)
    return (forth + of(generated_b, target_b, target_a)) / 2 if symmetric else forth


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return 1 - F.cosine_similarity(a, b)
