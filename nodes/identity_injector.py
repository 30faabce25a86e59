"""What Apply Identity Expression does while a model runs: attention to identity and expression tokens in its layers."""

from __future__ import annotations

import re
from typing import Any

import comfy.utils
import torch
from comfy.ldm.modules.attention import optimized_attention
from einops import rearrange
from torch import Tensor

from ..expressive.identity.adapter import IdentityAdapter, Told

KEY = "expressive_avatars_identity"
"""Where in a model's options the tokens lie: of N pictures, and of nobody for the half of guidance that leads away."""


class IdentityInjector:
    """Patches of one model. They ask the options of each run what is told, so that a kept set is told its own."""

    def __init__(self, adapter: IdentityAdapter, first: float, last: float) -> None:
        """first, last: noise levels σ between which it counts, the larger one first."""
        self._adapter, self._first, self._last = adapter, first, last

    def attach(self, model: Any, name: str) -> None:
        """Put the patches in. Raises ValueError where the adapter's layers are not those of the model."""
        network = model.model.diffusion_model
        if self._adapter.config.own_queries:
            blocks = getattr(network, "transformer_blocks", [])
            for layer, channels in self._adapter.config.layers.items():
                if int(layer) >= len(blocks) or getattr(network, "inner_dim", channels) != channels:
                    raise ValueError(f"{name} was trained for another model. Connect that one.")
            model.set_model_patch(self._behind_block, "double_block")
            return
        known = host_layers(model.model.model_config.unet_config)
        missing = [layer for layer in self._adapter.config.layers if layer not in known]
        if missing:
            raise ValueError(f"{name} was trained for another model: this one has no layer {missing[0]}.")
        replaced = model.model_options["transformer_options"].get("patches_replace", {}).get("attn2", {})
        for layer in self._adapter.config.layers:
            block, number, index = known[layer]
            before = replaced.get((block, number, index), replaced.get((block, number)))
            model.set_model_attn2_replace(_Beside(self, layer, before), block, number, index)

    def told(self, options: dict[str, Any], like: Tensor) -> Told | None:
        """Tokens for each row of a batch; None where nothing is told at this noise level.

        Raises ValueError for another number of pictures than expressions.
        """
        told, sigmas = options.get(KEY), options.get("sigmas")
        sigma = float(sigmas[0]) if sigmas is not None else 0.0
        if told is None or not self._last <= sigma <= self._first:
            return None
        halves = options.get("cond_or_uncond", [0])
        images = len(like) // len(halves)
        count = len(told["identity"])
        if count not in (1, images):
            raise ValueError(
                f"There are {count} expressions for {images} pictures. Paint as many as there are expressions, with a "
                "batch or with Consistent Attention Sampler; or encode one expression."
            )
        parts = [
            [told[f"no_{kind}" if half == 1 else kind].expand(images, -1, -1) for half in halves]
            for kind in ("identity", "expression")
        ]
        identity, expression = (torch.cat(rows).to(like.device, torch.float32) for rows in parts)
        return Told(identity, expression, *told["weights"])

    def found(self, name: str, x: Tensor, told: Told) -> Tensor:
        """What a layer adds. The host may have moved the adapter away for want of memory: weights come for the call."""
        layer = self._adapter.layer(name)
        weights = {key: weight.to(x.device) for key, weight in layer.named_parameters()}
        return torch.func.functional_call(layer, weights, (x, told))

    def _behind_block(self, given: dict[str, Any]) -> dict[str, Any]:
        """The host's patch behind a block of a transformer: image tokens [B,L,C], those of references behind them."""
        name, image, options = str(given["block_index"]), given["img"], given["transformer_options"]
        if name in self._adapter.config.layers and (told := self.told(options, image)) is not None:
            own = image.shape[1] - sum(options.get("reference_image_num_tokens", ()))
            image[:, :own] += self.found(name, image[:, :own].float(), told).to(image)
        return {"img": image, "txt": given["txt"]}


class _Beside:
    """A UNet's cross-attention, with the adapter's beside it."""

    def __init__(self, injector: IdentityInjector, name: str, before: Any) -> None:
        self._injector, self._name, self._before = injector, name, before

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> Tensor:
        """[B,L,C] each → [B,L,C]"""
        heads = options["n_heads"]
        if self._before is not None:
            found = self._before(q, k, v, options)
        else:
            found = optimized_attention(q, k, v, heads, transformer_options=options)
        told = self._injector.told(options, q)
        if told is None:
            return found
        more = self._injector.found(self._name, rearrange(q.float(), "b l (h d) -> b h l d", h=heads), told)
        return found + rearrange(more, "b h l d -> b l (h d)").to(found)


_BLOCK = re.compile(r"(input|middle|output)_blocks?\.(\d+)\..*?transformer_blocks\.(\d+)\.attn2\.to_q\.weight")


def host_layers(config: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    """Cross-attention layers of a UNet by diffusers' names → the host's (block, number, index in it)."""
    found = {}
    for name, own in comfy.utils.unet_to_diffusers(config).items():
        if match := _BLOCK.fullmatch(own):
            block, number, index = match.groups()
            found[name.removesuffix(".to_q.weight")] = (block, 0 if block == "middle" else int(number), int(index))
    return found
