"""POSTER (Zheng, Mendieta, Chen 2023): a pyramid cross-fusion transformer for facial expressions.

Appearance tokens ask the shape tokens, and the other way round, on three widths at once (512, 256, 128). Parameter
names and results are those of the published checkpoints. Two layouts exist: the one trained on RAF-DB mixes the tokens
by a 1 × 1 convolution at the end of each block (`mixed`), the one trained on AffectNet does not.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .poster_backbones import SIDE, Ir50, MobileFaceNet

WIDTH, PLACES, HEADS = 512, 49, 8
TOKENS = PLACES + 1  # of each stream: its mean comes first


class CrossAttention(nn.Module):
    """The other stream's tokens ask; keys and values are this stream's. The question itself has no weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """own, other: [B, 50, width], both normalised alike → [B, 50, width]."""
        keys, values = (_heads(part) for part in self.kv(own).chunk(2, dim=-1))
        found = F.scaled_dot_product_attention(_heads(other), keys, values)
        return self.proj(found.transpose(1, 2).flatten(2))


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)  # [B, N, heads · d] → [B, heads, N, d]


class FeedForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 2 * width)
        self.fc2 = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class FusionBlock(nn.Module):
    """Both streams of one width: [B, 100, width] → the same; appearance first, shape second."""

    def __init__(self, width: int, mixed: bool) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(width, eps=1e-6) for _ in range(4))
        self.attn_img, self.attn_lm = CrossAttention(width), CrossAttention(width)
        self.mlp1, self.mlp2 = FeedForward(width), FeedForward(width)
        self.conv: nn.Module = nn.Conv1d(2 * TOKENS, 2 * TOKENS, 1) if mixed else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        image, shape = x.split(TOKENS, dim=1)
        asked, answering = self.norm1(x).split(TOKENS, dim=1)
        image = image + self.attn_img(asked, answering)
        image = image + self.mlp1(self.norm2(image))
        answering, asked = self.norm3(x).split(TOKENS, dim=1)
        shape = shape + self.attn_lm(asked, answering)
        shape = shape + self.mlp2(self.norm4(shape))
        return self.conv(torch.cat((image, shape), dim=1))


class PyramidBlock(nn.Module):
    """The three widths side by side; each narrower one is widened and added to the next."""

    def __init__(self, mixed: bool) -> None:
        super().__init__()
        self.block_l, self.block_m, self.block_s = (FusionBlock(WIDTH // part, mixed) for part in (1, 2, 4))
        self.upsample_m = nn.ConvTranspose1d(2 * TOKENS, 2 * TOKENS, kernel_size=2, stride=2)
        self.upsample_s = nn.ConvTranspose1d(2 * TOKENS, 2 * TOKENS, kernel_size=2, stride=2)

    def forward(self, streams: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        large, middle, small = streams
        large, middle, small = self.block_l(large), self.block_m(middle), self.block_s(small)
        middle = middle + self.upsample_s(small)
        return large + self.upsample_m(middle), middle, small


class PyramidFusion(nn.Module):
    """image [B, 49, 512] and shape [B, 49, 512] → the appearance stream's summary [B, 512]."""

    def __init__(self, depth: int, mixed: bool) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))  # in the checkpoints, takes no part
        self.pos_embed = nn.Parameter(torch.zeros(1, TOKENS, WIDTH))
        self.downsample_m = nn.Conv1d(2 * TOKENS, 2 * TOKENS, kernel_size=2, stride=2)
        self.downsample_s = nn.Conv1d(2 * TOKENS, 2 * TOKENS, kernel_size=4, stride=4)
        self.blocks = nn.Sequential(*(PyramidBlock(mixed) for _ in range(depth)))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, image: Tensor, shape: Tensor) -> Tensor:
        image = torch.cat((image.mean(dim=1, keepdim=True), image), dim=1) + self.pos_embed
        shape = torch.cat((shape.mean(dim=1, keepdim=True), shape), dim=1)
        x = torch.cat((image, shape), dim=1)  # [B, 100, 512]
        large, _, _ = self.blocks((x, self.downsample_m(x), self.downsample_s(x)))
        return self.norm(large)[:, 0]


class Gate(nn.Module):
    """Each number times a share 0..1 that all of them decide."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(WIDTH, WIDTH)
        self.linear2 = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.linear2(self.linear1(x).relu()).sigmoid()


class Classifier(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Poster(nn.Module):
    """[B, 3, 224, 224] → logits [B, classes] and features [B, 512]. Depth 4, 6 or 8: small, base, large."""

    def __init__(self, classes: int = 7, depth: int = 8, mixed: bool = True) -> None:
        super().__init__()
        self.face_landback = MobileFaceNet()
        self.ir_back = Ir50()
        self.ir_layer = nn.Linear(1024, WIDTH)
        self.pyramid_fuse = PyramidFusion(depth, mixed)
        self.se_block = Gate()
        self.head = Classifier(classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        shape = self.face_landback(F.interpolate(x, size=SIDE)).flatten(2).transpose(1, 2)  # [B, 49, 512]
        features = self.se_block(self.pyramid_fuse(self.ir_layer(self.ir_back(x)), shape))
        return self.head(features), features
