"""How alike generated pictures are to references and prompts: GenEAva's table (CLIP, DINO, LPIPS, expression error).

The paper does not say how it computes them. Here CLIP is the cosine of picture and prompt, DINO that of picture and
reference, and the expression error the distance of what an expression encoder sees in both. Each takes any encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..encoders import ExpressionEncoder, ImageEncoder, ImageTextEncoder


@torch.no_grad()
def text_similarity(encoder: ImageTextEncoder, pictures: Tensor, prompts: Sequence[str]) -> Tensor:
    """Cosine of each picture [B,3,H,W] and its prompt: [B], −1 … 1. ValueError for another number of prompts."""
    _same(len(pictures), len(prompts), "prompts")
    texts = encoder.encode_text(prompts)
    return (encoder.encode_image(pictures) * texts.to(pictures.device)).sum(1)


@torch.no_grad()
def image_similarity(encoder: ImageEncoder, pictures: Tensor, references: Tensor) -> Tensor:
    """Cosine of each picture [B,3,H,W] and its reference [B,3,h,w]: [B]. ValueError for another number of them."""
    _same(len(pictures), len(references), "references")
    return (encoder.encode_image(pictures) * encoder.encode_image(references)).sum(1)


@torch.no_grad()
def expression_error(encoder: ExpressionEncoder, pictures: Tensor, references: Tensor) -> Tensor:
    """Euclidean distance of the expression embeddings of picture [B,3,H,W] and reference [B,3,h,w]: [B], from 0 up.

    nan where one of both has no face. ValueError for another number of references.
    """
    _same(len(pictures), len(references), "references")
    own, other = encoder.encode_expression(pictures), encoder.encode_expression(references)
    distance = (own.embeddings - other.embeddings).norm(dim=1)
    return torch.where(own.found & other.found, distance, torch.full_like(distance, float("nan")))


def _same(pictures: int, others: int, what: str) -> None:
    if pictures != others:
        raise ValueError(f"There are {pictures} pictures and {others} {what}; give one for each.")
