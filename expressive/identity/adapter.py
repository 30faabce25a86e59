"""The adapter: attention to identity and expression tokens beside the layers of a frozen network.

Two kinds of networks, two ways. A multimodal diffusion transformer gets, behind every few of its blocks, a layer of its
own that adds what the image tokens find in the tokens (PuLID's way with FLUX). A UNet's cross-attention layers get keys
and values of the tokens beside those of the text, for the same queries (IP-Adapter's decoupled cross-attention; the
paper's baseline “Conditional SDXL”). In both, identity and expression are attended to apart, so that each has a weight.
All that is added is zero before training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from ..weights import reading_weights, write_weights
from .features import IdentityFeatures
from .tokens import IdentityExpressionTokens, TokensConfig

FORMAT = "expressive-avatars.identity-adapter.1"


@dataclass(frozen=True)
class AdapterShape:
    """tokens: how they are made. layers: name of each layer that attends → its channels. own_queries: True for a
    transformer's blocks, False for a UNet's cross-attention. heads: of attention with queries of its own."""

    tokens: TokensConfig
    layers: Mapping[str, int]
    own_queries: bool = True
    heads: int = 4

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> AdapterShape:
        """What `to_json` wrote."""
        told = json.loads(text)
        return cls(**{**told, "tokens": TokensConfig(**told["tokens"])})


@dataclass(frozen=True)
class Told:
    """Tokens of B pictures as a network attends to them: identity [B,T,W], expression [B,S,W], and what each counts."""

    identity: Tensor
    expression: Tensor
    identity_weight: float = 1.0
    expression_weight: float = 1.0

    def rows(self, index: Tensor | slice) -> Told:
        """Of some of the pictures."""
        return Told(self.identity[index], self.expression[index], self.identity_weight, self.expression_weight)


class BlockAttention(nn.Module):
    """What image tokens [B,L,C] find in the tokens: added behind a block of a transformer."""

    def __init__(self, channels: int, config: AdapterShape) -> None:
        super().__init__()
        self.heads, width = config.heads, config.tokens.width
        self.norm = nn.LayerNorm(channels)
        self.to_q = nn.Linear(channels, width, bias=False)
        self.identity, self.expression = (nn.Linear(width, 2 * width, bias=False) for _ in range(2))
        self.to_out = nn.Linear(width, channels, bias=False)
        nn.init.zeros_(self.to_out.weight)

    def forward(self, x: Tensor, told: Told) -> Tensor:
        """[B,L,C] → what is to be added, [B,L,C]."""
        q = rearrange(self.to_q(self.norm(x)), "b l (h d) -> b h l d", h=self.heads)
        found = _found(q, self.identity, self.expression, told, self.heads)
        return self.to_out(rearrange(found, "b h l d -> b l (h d)"))


class CrossAttentionBeside(nn.Module):
    """Keys and values of the tokens for the queries of a UNet's cross-attention: added to what it finds in the text."""

    def __init__(self, channels: int, config: AdapterShape) -> None:
        super().__init__()
        width = config.tokens.width
        self.identity, self.expression = (nn.Linear(width, 2 * channels, bias=False) for _ in range(2))
        with torch.no_grad():  # values, not keys
            self.identity.weight[channels:] = 0
            self.expression.weight[channels:] = 0

    def forward(self, q: Tensor, told: Told) -> Tensor:
        """Queries [B,H,L,d] of the layer → what is to be added before its way out, [B,H,L,d]."""
        return _found(q, self.identity, self.expression, told, q.shape[1])


def _found(q: Tensor, identity: nn.Module, expression: nn.Module, told: Told, heads: int) -> Tensor:
    """Attention of q [B,H,L,d] to both kinds of tokens apart, each with its weight."""
    total = torch.zeros_like(q)
    for tokens, to_kv, weight in (
        (told.identity, identity, told.identity_weight),
        (told.expression, expression, told.expression_weight),
    ):
        if weight:
            k, v = rearrange(to_kv(tokens), "b t (two h d) -> two b h t d", two=2, h=heads)
            total = total + weight * F.scaled_dot_product_attention(q, k.to(q), v.to(q))
    return total


class IdentityAdapter(nn.Module):
    """Tokens, and a layer for each name in the configuration.

    prototypes: [K,E] mean expression features of each of `words`, so that an emotion can stand in the place of a
    reference picture; the first is neutral.
    """

    prototypes: Tensor

    def __init__(self, config: AdapterShape, words: Sequence[str] = ()) -> None:
        super().__init__()
        self.config, self.words = config, tuple(words)
        self.tokens = IdentityExpressionTokens(config.tokens)
        kind = BlockAttention if config.own_queries else CrossAttentionBeside
        self.names = {name: name.replace(".", "_") for name in config.layers}
        self.layers = nn.ModuleDict(
            {self.names[name]: kind(channels, config) for name, channels in config.layers.items()}
        )
        self.register_buffer("prototypes", torch.zeros(len(self.words), config.tokens.expression))

    def layer(self, name: str) -> BlockAttention | CrossAttentionBeside:
        """By its name in the network."""
        found = self.layers[self.names[name]]
        assert isinstance(found, (BlockAttention, CrossAttentionBeside))
        return found

    def face_of(self, weights: Mapping[str, float]) -> Tensor:
        """Expression features [E] of weighted words: from neutral as far towards each one as its weight says.

        Raises ValueError for words that the adapter was not trained with.
        """
        unknown = [word for word in weights if word not in self.words]
        if unknown or not self.words:
            raise ValueError(
                f"This adapter does not know “{(unknown or ['any word'])[0]}”. It knows {', '.join(self.words[1:])}. "
                "Name one of these, or show a picture of the expression."
            )
        neutral = self.prototypes[0]
        moved = [weight * (self.prototypes[self.words.index(word)] - neutral) for word, weight in weights.items()]
        return neutral + torch.stack(moved).sum(0) if moved else neutral

    def save(self, file: Path, key: Mapping[str, str], metadata: Mapping[str, object]) -> Path:
        """Write safetensors in fp16. key: of the encoders whose features it was trained with."""
        described = {
            **metadata, "format.name": FORMAT, "adapter": self.config.to_json(), "words": list(self.words),
            "encoders": dict(key),
        }  # fmt: skip
        return write_weights(file, {name: value.half() for name, value in self.state_dict().items()}, described)


def load_adapter(file: Path) -> tuple[IdentityAdapter, dict[str, str], dict[str, str]]:
    """The adapter in fp32, the keys of its encoders, and the file's metadata. Raises ValueError for another file."""
    with reading_weights(file) as opened:
        told = opened.metadata() or {}
        if told.get("format.name") != FORMAT:
            raise ValueError(
                f"{file.name} is not an identity adapter. Choose a file that trainers/train_adapter.py made."
            )
        state = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118
        adapter = IdentityAdapter(AdapterShape.from_json(told["adapter"]), json.loads(told["words"]))
        adapter.load_state_dict(state)
        return adapter.eval().requires_grad_(False), json.loads(told["encoders"]), told


def tell(adapter: IdentityAdapter, who: IdentityFeatures) -> Told:
    """Tokens of one person with each of the N expressions; of the person alone, with N = 1, where there are none."""
    count, device = max(1, len(who.expression)), adapter.prototypes.device
    there = torch.full((count,), bool(len(who.expression)), device=device)
    face = who.expression.to(device)
    if not len(face):
        face = face.new_zeros(1, adapter.config.tokens.expression)
    with torch.no_grad():
        tokens = adapter.tokens(
            who.identity.to(device)[None].expand(count, -1, -1),
            who.appearance.to(device)[None].expand(count, -1, -1, -1),
            torch.ones(count, len(who.identity), dtype=torch.bool, device=device),
            face,
            None,
            there,
        )
    return Told(*tokens)


def nobody(adapter: IdentityAdapter) -> Told:
    """Tokens [1,…] of nobody with no face: what guidance leads away from."""
    device, sizes = adapter.prototypes.device, adapter.config.tokens
    no = torch.zeros(1, dtype=torch.bool, device=device)
    empty = torch.zeros(1, 1, 1, sizes.appearance, device=device)
    with torch.no_grad():
        tokens = adapter.tokens(
            empty.new_zeros(1, 1, sizes.identity), empty, ~no[:, None], empty.new_zeros(1, sizes.expression), no, no
        )
    return Told(*tokens)
