"""The adapter in diffusers' networks, as the trainer runs them."""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from .adapter import AdapterShape, BlockAttention, CrossAttentionBeside, IdentityAdapter, Told
from .tokens import TokensConfig

Features = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
"""Arguments of `IdentityExpressionTokens`."""


def block_layers(network: nn.Module, every: int) -> dict[str, int]:
    """Every few blocks of a Qwen-Image transformer → their channels; the host counts them alike."""
    blocks: Any = getattr(network, "transformer_blocks", None)
    if blocks is None:
        raise ValueError(f"{type(network).__name__} has no transformer blocks that an adapter could stand behind.")
    channels = int(blocks[0].attn.to_q.in_features)
    return {str(index): channels for index in range(every - 1, len(blocks), every)}


def cross_layers(unet: nn.Module) -> dict[str, int]:
    """Names of a UNet's cross-attention layers as diffusers has them → their channels."""
    layers: dict[str, Any] = dict(unet.named_modules())
    return {name: int(module.to_q.out_features) for name, module in layers.items() if name.endswith("attn2")}


class Adapted(nn.Module):
    """A frozen network with a trainable adapter, called like the network. features: what its tokens are made of."""

    def __init__(self, network: nn.Module, adapter: IdentityAdapter) -> None:
        super().__init__()
        self.network, self.adapter = network.requires_grad_(False), adapter
        self.features: Features | None = None
        self._told: Told | None = None
        if adapter.config.own_queries:
            blocks: Any = network.transformer_blocks
            for name in adapter.config.layers:
                blocks[int(name)].register_forward_hook(self._behind_block(name))
        else:
            layers = dict(network.named_modules())
            for name in adapter.config.layers:
                attention: Any = layers[name]
                attention.set_processor(_BesideText(self, name))

    def enable_gradient_checkpointing(self) -> None:
        """Of the network's blocks; what stands behind them is computed a second time, too."""
        network: Any = self.network
        network.enable_gradient_checkpointing()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the network gives."""
        self._told = Told(*self.adapter.tokens(*self.features)) if self.features is not None else None
        try:
            return self.network(*args, **kwargs)
        finally:
            if not torch.is_grad_enabled():
                self._told = None

    def _behind_block(self, name: str) -> Any:
        layer = self.adapter.layer(name)
        assert isinstance(layer, BlockAttention)

        def add(_: nn.Module, __: Any, out: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            if self._told is None:
                return out
            text, image = out
            return text, image + layer(image.float(), self._told.rows(slice(len(image)))).to(image)

        return add

    @property
    def told(self) -> Told | None:
        """The tokens of the present call."""
        return self._told


class _BesideText:
    """diffusers' attention, with the adapter's beside it."""

    def __init__(self, adapted: Adapted, name: str) -> None:
        self._adapted = [adapted]  # in a list: no module is to own another here
        self._layer = adapted.adapter.layer(name)

    def __call__(
        self,
        attention: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **_: Any,
    ) -> Tensor:
        """hidden_states [B,L,C] → [B,L,C]"""
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = (
            rearrange(x, "b l (h d) -> b h l d", h=attention.heads)
            for x in (attention.to_q(hidden_states), attention.to_k(context), attention.to_v(context))
        )
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=attention_mask)
        told = self._adapted[0].told
        if told is not None:
            assert isinstance(self._layer, CrossAttentionBeside)
            found = found + self._layer(q.float(), told.rows(slice(len(q)))).to(found)
        return attention.to_out[1](attention.to_out[0](rearrange(found, "b h l d -> b l (h d)")))


def new_adapter(
    network: nn.Module, tokens: TokensConfig, words: list[str], *, every: int, heads: int
) -> IdentityAdapter:
    """An untrained adapter for a Qwen-Image transformer or a UNet of diffusers."""
    own = hasattr(network, "transformer_blocks")
    layers = block_layers(network, every) if own else cross_layers(network)
    if not layers:
        raise ValueError(f"{type(network).__name__} has no layers that an adapter could stand beside.")
    return IdentityAdapter(AdapterShape(tokens, layers, own, heads), words)
