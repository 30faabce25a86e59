"""What Consistent Attention does while a model runs: the host's self-attention, with what the others show beside."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ..expressive.attention.consistent import Attend, Sharing, consistent_attention, key_counts
from ..expressive.attention.kept_set import SEVERAL, Recorder
from .identity_injector import KEY

PATCH = 2
"""Latent pixels of a side of Stable Diffusion 3's tokens."""


@dataclass(frozen=True)
class When:
    """first, last: noise levels σ between which images share, the larger one first. depth: from which share of the
    network's depth on."""

    first: float = math.inf
    last: float = 0.0
    depth: float = 0.0


class AttentionSharer:
    """Two hooks of the host in one object, which belongs to one patched model.

    `mark` is an attn1_patch: it changes nothing, and says that the attention which comes next is self-attention, and
    which of its tokens are the image's. The object itself is the optimized_attention_override, which then answers it.
    """

    def __init__(
        self,
        sharing: Sharing,
        when: When,
        previous: Callable[..., Tensor] | None,
        unmarked: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        """previous: the override that was there before. unmarked: how often a network without attn1_patch attends, each
        time the images and the texts together (Stable Diffusion 3). recorder: notes what a later picture needs."""
        self._sharing, self._when, self._previous, self._unmarked = sharing, when, previous, unmarked
        self._recorder = recorder
        self._next: slice | None = None
        self._calls = self._image_tokens = 0

    def mark(self, *args: Any, **kwargs: Any) -> Any:
        """attn1_patch of a UNet, (n, context, value, extra_options), or of a diffusion transformer, by keywords."""
        if "extra_options" not in kwargs:
            self._next = slice(None)
            return args[:3]
        extra = kwargs["extra_options"]
        first, tokens = extra.get("img_slice", (0,))[0], args[1].shape[2]
        self._next = slice(first, tokens - sum(extra.get("reference_image_num_tokens", ())))
        return {}

    def unmark(self, *args: Any, **kwargs: Any) -> Any:
        """attn2_patch: what comes next is cross-attention, whoever has answered the self-attention before it."""
        self._next = None
        return {} if "extra_options" in kwargs else args[:3]

    def apply_model(
        self,
        executor: Callable[..., Tensor],
        x: Tensor,
        sigma: Tensor,
        concat: Tensor | None = None,
        context: Tensor | None = None,
        control: Any = None,
        options: dict[str, Any] | None = None,
        **told: Any,
    ) -> Tensor:
        """The host's wrapper around the network, of latents [B,C,H,W], σ [B] and conditions."""
        options = options or {}
        self._next, self._calls = None, 0
        self._image_tokens = math.prod(math.ceil(side / PATCH) for side in x.shape[2:])  # of Stable Diffusion 3
        if self._recorder is not None:
            heard = {"concat": concat, "context": context, "told": told, "identity": options.get(KEY)}
            self._note(self._recorder, x, sigma, heard, control, options)
        return executor(x, sigma, concat, context, control, options, **told)

    def _note(
        self, recorder: Recorder, x: Tensor, sigma: Tensor, told: Any, control: Any, options: dict[str, Any]
    ) -> None:
        if control is not None:
            recorder.trouble = "A set that a ControlNet guides cannot be kept."
        halves = options.get("cond_or_uncond", [0])
        if len(set(halves)) < len(halves):
            recorder.trouble = SEVERAL
        parts = zip(halves, x.chunk(len(halves)), split(told, len(x), len(halves)), strict=True)
        for half, latents, own in parts:
            recorder.note(float(sigma[0]), half, latents, own)

    def __call__(
        self, func: Callable[..., Tensor], q: Tensor, k: Tensor, v: Tensor, heads: int, *args: Any, **kwargs: Any
    ) -> Tensor:
        """Attention of [B,L,H·d], or with `skip_reshape` of [B,H,L,d]."""
        shared, self._next = self._next, None
        options = kwargs.get("transformer_options") or {}
        if self._unmarked:
            shared = slice(k.shape[1] - self._image_tokens, None)
            options = {**options, "block_index": self._calls, "total_blocks": self._unmarked}
            self._calls += 1
        images, left = divmod(len(q), len(options.get("cond_or_uncond", (0,))))
        if shared is None or left or k.shape[-2] != q.shape[-2] or not self._now(options) or self._alone(images):
            return self._plain(func, q, k, v, heads, *args, **kwargs)
        given = _Given(heads, args, kwargs)
        found = self._share(
            given.by_head(q),
            given.by_head(k),
            given.by_head(v),
            lambda q, k, v, bias: self._plain(func, q, k, v, heads, **given.whole(bias)),
            options,
            images=images,
            shared=shared,
            step=_step(options),
            layer=_layer(options),
            bias=given.bias(),
        )
        return given.as_wanted(found)

    def _alone(self, images: int) -> bool:
        """Whether there is nobody to look at."""
        return images == 1

    def _share(self, q: Tensor, k: Tensor, v: Tensor, attend: Attend, options: dict[str, Any], **where: Any) -> Tensor:
        """q, k, v [B,H,L,d] → [B,H,L,d]"""
        return consistent_attention(q, k, v, attend, self._sharing, **where)

    def _plain(self, func: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        return self._previous(func, *args, **kwargs) if self._previous else func(*args, **kwargs)

    def _now(self, options: dict[str, Any]) -> bool:
        sigmas = options.get("sigmas")
        sigma = float(sigmas[0]) if sigmas is not None else 0.0
        return self._when.last <= sigma <= self._when.first and depth(options) >= self._when.depth


class _Given:
    """The arguments of one call of the host's attention."""

    def __init__(self, heads: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._heads = heads
        self._kwargs = {
            **dict(zip(("mask", "attn_precision", "skip_reshape", "skip_output_reshape"), args, strict=False)),
            **kwargs,
        }
        self._by_head = bool(self._kwargs.get("skip_reshape"))

    def by_head(self, x: Tensor) -> Tensor:
        """[B,H,L,d]"""
        if self._by_head:
            return x
        return rearrange(x.flatten(2), "b l (h d) -> b h l d", h=self._heads)

    def whole(self, bias: Tensor | None) -> dict[str, Any]:
        """Keyword arguments for [B,H,L,d] in and out."""
        return {**self._kwargs, "mask": bias, "skip_reshape": True, "skip_output_reshape": True}

    def bias(self) -> Tensor | None:
        """The host's mask as a bias of four axes."""
        mask = self._kwargs.get("mask")
        if mask is None:
            return None
        if mask.dtype == torch.bool:
            mask = torch.zeros_like(mask, dtype=torch.float32).masked_fill(~mask, -math.inf)
        return mask[(None,) * (3 - mask.ndim)][:, None] if mask.ndim < 4 else mask

    def as_wanted(self, found: Tensor) -> Tensor:
        """[B,H,L,d] → what the caller asked for."""
        return found if self._kwargs.get("skip_output_reshape") else rearrange(found, "b h l d -> b l (h d)")


def depth(options: dict[str, Any]) -> float:
    """How deep in the network a block lies, 0 … 1: UNets by encoder, middle and decoder."""
    if "block" in options:
        return {"input": 0.0, "middle": 0.5, "output": 1.0}.get(options["block"][0], 1.0)
    blocks = options.get("total_blocks", 1)
    return options.get("block_index", 0) / max(1, blocks - 1)


def _layer(options: dict[str, Any]) -> str:
    return f"{options.get('block', options.get('block_type', ''))} {options.get('block_index', 0)}"


def _step(options: dict[str, Any]) -> int:
    """How many noise levels of the schedule lie above the present one."""
    sigmas, now = options.get("sample_sigmas"), options.get("sigmas")
    return 0 if sigmas is None or now is None else int((sigmas > now[0].to(sigmas) * (1 + 1e-4)).sum())


def extra_bytes(images: int, tokens: int, width: int, sharing: Sharing, element: int, banked: int = 0) -> int:
    """Memory of the longest layer's keys and values with what the others show, in bytes; two halves of guidance."""
    return 2 * 2 * element * width * sum(key_counts(images, tokens, sharing, banked=banked))


def bank_bytes(banked: int, tokens: int, width: int, sharing: Sharing, element: int) -> int:
    """Memory of what a kept set shows in one layer, in bytes; two halves of guidance."""
    return 2 * 2 * element * width * banked * max(1, round(sharing.keep * tokens))


def split(tree: Any, rows: int, parts: int) -> list[Any]:
    """A tree of tensors for each half of guidance: those with an axis of `rows` in parts, all else in each of them."""
    if isinstance(tree, Tensor):
        return list(tree.chunk(parts)) if tree.ndim and len(tree) == rows else [tree] * parts
    if isinstance(tree, dict):
        branches = {key: split(value, rows, parts) for key, value in tree.items()}
        return [{key: values[part] for key, values in branches.items()} for part in range(parts)]
    if isinstance(tree, (list, tuple)):
        branches = [split(value, rows, parts) for value in tree]
        return [[values[part] for values in branches] for part in range(parts)]
    return [tree] * parts
