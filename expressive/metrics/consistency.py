"""How alike the pictures of one set are (Gen-AFFECT's DINO-Con. and ID-Con.).

The supplement names both and defines neither; here each is the mean cosine over all pairs of a set. Both rise when all
faces become neutral, so they are to be read beside an expression error (supplement, section B).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def consistency(embeddings: Tensor) -> float:
    """Mean cosine −1 … 1 over all pairs of embeddings [N,D]; rows of zeros (no face) count as pairs of cosine 0.

    Raises ValueError for less than two.
    """
    count = len(embeddings)
    if count < 2:
        raise ValueError(f"A set has at least two pictures, not {count}.")
    unit = F.normalize(embeddings, dim=1)
    alike = unit @ unit.T
    return float((alike.sum() - torch.diagonal(alike).sum()) / (count * (count - 1)))
