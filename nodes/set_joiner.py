"""What Join Consistent Set does while a model runs: pictures see what an earlier set showed."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..expressive.attention.consistent import Attend, Bank, consistent_attention, seen
from ..expressive.attention.kept_set import KeptSet, on_device
from .attention_sharer import AttentionSharer, When
from .identity_injector import KEY


class SetJoiner(AttentionSharer):
    """In each step the network first looks at the kept set, alone, and what its pictures show is noted; then at the
    pictures that join, which see it. The set sees nothing of them, so that it stays what it was."""

    def __init__(
        self, kept: KeptSet, strength: float, previous: Callable[..., Tensor] | None, unmarked: int = 0
    ) -> None:
        super().__init__(kept.sharing, When(kept.first, kept.last, kept.depth), previous, unmarked)
        self._kept = kept
        self._joining = replace(kept.sharing, anchors=0, strength=strength)
        self._shown: dict[int, dict[str, tuple[Tensor, Tensor]]] = {}
        self._listening: int | None = None
        self._names: defaultdict[int, uuid.UUID] = defaultdict(uuid.uuid4)  # halves are nobody else's conditions

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
        """The host's wrapper around the network. Raises ValueError for pictures that the set cannot be joined by."""
        options = options or {}
        self._shown = {}
        level = float(sigma[0])
        if self._when.last <= level <= self._when.first:
            latents, known = self._kept.at(level)
            if latents.shape[1:] != x.shape[1:]:
                raise ValueError(
                    f"The kept set was painted as latents of {_size(latents)}, this picture as {_size(x)}. "
                    "Paint it in the same size."
                )
            for half in sorted(set(options.get("cond_or_uncond", [0]))):
                self._listen(executor, half, latents.to(x), sigma[:1], known, options)
        try:
            return super().apply_model(executor, x, sigma, concat, context, control, options, **told)
        finally:
            self._shown = {}

    def _listen(
        self,
        executor: Callable[..., Tensor],
        half: int,
        latents: Tensor,
        sigma: Tensor,
        known: Any,
        options: dict[str, Any],
    ) -> None:
        if half not in known:
            raise ValueError(
                "The kept set was painted without guidance: join it with a cfg of 1, too."
                if half == 1
                else "The kept set was painted with fewer prompts for each picture than this guidance asks for."
            )
        told = on_device(known[half], latents.device)
        level = sigma.expand(len(latents))
        own, now = told["identity"], options.get(KEY)
        if (own or {}).get("adapter") != (now or {}).get("adapter"):
            raise ValueError(
                f"The kept set was painted with {(own or {}).get('adapter', 'no identity adapter')}, this picture with "
                f"{(now or {}).get('adapter', 'none')}. Apply the same one before Join Consistent Set."
            )
        listening = {**options, "cond_or_uncond": [half], "uuids": [self._names[half]], "sigmas": level, KEY: own}
        self._listening, self._shown[half] = half, {}
        try:
            super().apply_model(
                executor, latents, level, told["concat"], told["context"], None, listening, **told["told"]
            )
        finally:
            self._listening = None

    def _alone(self, images: int) -> bool:
        return False

    def _share(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        attend: Attend,
        options: dict[str, Any],
        *,
        images: int,
        layer: str,
        **where: Any,
    ) -> Tensor:
        """q, k, v [C·N,H,L,d] → the same shape."""
        if self._listening is not None:
            told = {name: where[name] for name in ("shared", "step")}
            self._shown[self._listening][layer] = seen(k, v, self._sharing, images=images, layer=layer, **told)
            return consistent_attention(q, k, v, attend, self._sharing, images=images, layer=layer, **where)
        shown = [self._shown[half][layer] for half in options.get("cond_or_uncond", [0])]
        bank = Bank(torch.cat([keys for keys, _ in shown]), torch.cat([values for _, values in shown]))  # [C,A,H,r,d]
        if self._kept.sharing.anchors:  # everybody looks at the anchors alone, which the set holds
            bank = Bank(bank.keys.repeat_interleave(images, 0), bank.values.repeat_interleave(images, 0))
            images = 1
        return consistent_attention(q, k, v, attend, self._joining, images=images, layer=layer, bank=bank, **where)


def _size(latents: Tensor) -> str:
    return " × ".join(str(side) for side in latents.shape[1:])
