"""Adaptive instance normalisation."""

from __future__ import annotations

from torch import Tensor


def adapt_statistics(content: Tensor, style: Tensor, amount: float = 1.0) -> Tensor:
    """`content` [B,C,…] with mean and standard deviation of each channel moved to those of `style` [1 or B,C,…].

    AdaIN (Huang & Belongie, 2017, Eq. 8): σ(y) (x − μ(x)) / σ(x) + μ(y). amount: 0 leaves the content, 1 is Eq. 8.
    """
    over = tuple(range(2, content.ndim))
    mean, deviation = content.mean(over, keepdim=True), content.std(over, keepdim=True)
    wanted = style.mean(over, keepdim=True), style.std(over, keepdim=True)
    adapted = (content - mean) / (deviation + 1e-5) * wanted[1] + wanted[0]
    return content + amount * (adapted - content)
