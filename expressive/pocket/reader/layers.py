"""The reader's building blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvNorm(nn.Sequential):
    """Convolution [B,C,H,W] → [B,D,H/stride,W/stride], batch norm, ReLU."""

    def __init__(self, inward: int, outward: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inward, outward, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outward), nn.ReLU()
        )


class Residual(nn.Module):
    """Two 3 × 3 convolutions beside the identity; starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class LinearNorm(nn.Sequential):
    """Linear layer [B,C] → [B,D], batch norm, ReLU."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__(nn.Linear(inward, outward, bias=False), nn.BatchNorm1d(outward), nn.ReLU())


class WordBlock(nn.Module):
    """Attention among the words of a text and a small perceptron, each after a layer norm, beside the identity."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_first, self.norm_second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """x [B,N,C]; there: bool [B,N], False where a text has ended."""
        q, k, v = self.mix(self.norm_first(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [3,B,H,N,D]
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        shares = scores.float().masked_fill(~there[:, None, None], float("-inf")).softmax(-1).to(v.dtype)
        x = x + self.out((shares @ v).transpose(1, 2).flatten(2))
        return x + self.narrow(F.gelu(self.wide(self.norm_second(x))))


class TextTower(nn.Module):
    """Texts as token ids → vectors of length 1."""

    def __init__(self, words: int, length: int, width: int, layers: int, heads: int, joint: int) -> None:
        super().__init__()
        self.words = words
        self.word_embedding = nn.Embedding(words, width)
        self.place_embedding = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(WordBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.proj_out = nn.Linear(width, joint)
        nn.init.normal_(self.word_embedding.weight, std=0.05)

    def forward(self, tokens: Tensor) -> Tensor:
        """Token ids [B,N], 0 after a text's end → [B,joint]. Ids beyond the tower's vocabulary read as unknown."""
        there = tokens != 0
        tokens = torch.where(tokens < self.words, tokens, torch.ones_like(tokens))
        x = self.word_embedding(tokens) + self.place_embedding[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, there)
        x = self.norm(x)
        mean = (x * there[..., None]).sum(1) / there.sum(1, keepdim=True).clamp(min=1)
        return F.normalize(self.proj_out(mean).float(), dim=-1)
