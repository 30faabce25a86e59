"""Tokens that a network attends to: of who a person is, and of the face to make."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from einops import rearrange, repeat
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class TokensConfig:
    """identity, appearance, expression: widths of what the encoders see. width: of tokens. identity_tokens,
    expression_tokens: how many. layers: of the resampler. heads: of its attention."""

    identity: int
    appearance: int
    expression: int
    width: int = 256
    identity_tokens: int = 12
    expression_tokens: int = 4
    from_embedding: int = 4  # tokens that one identity embedding becomes for the resampler to look at
    layers: int = 2
    heads: int = 4

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


class IdentityExpressionTokens(nn.Module):
    """(identity, appearance, their mask, expression) → identity tokens and expression tokens.

    Queries of the identity look at embeddings and patches of all reference pictures, whatever their number, as a
    Perceiver does; the expression's embedding becomes tokens by a small network; in the end a layer of attention lets
    both know of one another. What is left out is a learned token, so that guidance has something to lead away from.
    """

    def __init__(self, config: TokensConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.queries = nn.Parameter(torch.randn(config.identity_tokens, width) * 0.02)
        self.nobody = nn.Parameter(torch.randn(config.identity_tokens, width) * 0.02)
        self.no_face = nn.Parameter(torch.randn(config.expression_tokens, width) * 0.02)
        self.from_identity = nn.Sequential(
            nn.Linear(config.identity, width), nn.GELU(), nn.Linear(width, config.from_embedding * width)
        )
        self.from_patches = nn.Sequential(nn.LayerNorm(config.appearance), nn.Linear(config.appearance, width))
        self.kinds = nn.Parameter(torch.randn(2, width) * 0.02)  # of an embedding's tokens, and of patches
        self.resampler = nn.ModuleList(_Look(width, config.heads) for _ in range(config.layers))
        self.from_expression = nn.Sequential(
            nn.Linear(config.expression, width), nn.GELU(), nn.Linear(width, config.expression_tokens * width)
        )
        self.both = _Look(width, config.heads)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        identity: Tensor,
        appearance: Tensor,
        mask: Tensor,
        expression: Tensor,
        told: Tensor | None = None,
        shown: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Tokens of identity [B,T,width] and of expression [B,S,width].

        identity: [B,P,I]. appearance: [B,P,M,A]. mask: bool [B,P], which of the P pictures there are. expression:
        [B,E]. told, shown: bool [B], whether identity and expression are told at all; None: everywhere.
        """
        count = len(identity)
        embedded = rearrange(
            self.from_identity(identity), "b p (n w) -> b p n w", n=self.config.from_embedding
        )  # + kind
        seen = torch.cat((embedded + self.kinds[0], self.from_patches(appearance) + self.kinds[1]), dim=2)
        there = repeat(mask, "b p -> b (p n)", n=seen.shape[2])
        seen = rearrange(seen, "b p n w -> b (p n) w")
        who = repeat(self.queries, "t w -> b t w", b=count)
        for layer in self.resampler:
            who = layer(who, torch.cat((seen, who), dim=1), F.pad(there, (0, who.shape[1]), value=True))
        face = rearrange(self.from_expression(expression), "b (s w) -> b s w", w=self.config.width)
        who, face = _or(who, self.nobody, told), _or(face, self.no_face, shown)
        both = torch.cat((who, face), dim=1)
        both = self.norm(self.both(both, both, None))
        return both[:, : who.shape[1]], both[:, who.shape[1] :]


def _or(tokens: Tensor, otherwise: Tensor, there: Tensor | None) -> Tensor:
    return tokens if there is None else torch.where(there[:, None, None], tokens, otherwise.to(tokens))


class _Look(nn.Module):
    """Queries attend to something, then think: a transformer layer with norms in front."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_seen, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_kv = nn.Linear(width, width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.to_out = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, seen: Tensor, there: Tensor | None) -> Tensor:
        """x [B,T,W], seen [B,L,W], there: bool [B,L] → [B,T,W]."""
        q = rearrange(self.to_q(self.norm(x)), "b t (h d) -> b h t d", h=self.heads)
        k, v = rearrange(self.to_kv(self.norm_seen(seen)), "b l (two h d) -> two b h l d", two=2, h=self.heads)
        mask = None if there is None else there[:, None, None, :]
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.to_out(rearrange(found, "b h t d -> b t (h d)"))
        return x + self.think(self.norm_out(x))
