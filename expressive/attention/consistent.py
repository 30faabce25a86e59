"""The operator of consistent attention, for any attention layer.

Gen-AFFECT (arXiv 2508.09461) shares information across the set of one person's expressions at inference, and says no
more of how; this design is ours, close to StoryDiffusion (arXiv 2405.01434). The queries of each image see its own keys
and values, all of them, and beside them a part of the image tokens of the others:

    K_i' = [K_i ; K_j[S] for all other j],  V_i' likewise

S is a random part ρ of the token positions, the same for all images, so that the result does not depend on their order.
Text tokens stay each image's own. Halves of classifier-free guidance never see each other. Keys come after their
position encoding, so that each has the coordinates of its own image.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""q [B,H,Lq,d], k and v [B,H,Lk,d], bias that is added to the logits [B or 1,1,1 or Lq,Lk] or None → [B,H,Lq,d]."""


@dataclass(frozen=True)
class Sharing:
    """How much images see of one another.

    keep: ρ, share of the others' image tokens that is seen. anchors: 0: everybody sees everybody; k: all see the first
    k alone, at a cost that is linear in the number of images. strength: how much a token of another image counts beside
    an own one; 0: as if nothing was shared. redraw: see other tokens in each step; else the same in all. at_once:
    images whose attention is computed together, for memory; 0: all.
    """

    keep: float = 0.5
    anchors: int = 0
    strength: float = 1.0
    seed: int = 0
    redraw: bool = True
    at_once: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.keep <= 1 and 0 <= self.strength <= 10 and self.anchors >= 0 and self.at_once >= 0):
            raise ValueError(
                "Consistent attention wants a keep rate above 0 and up to 1, a strength of 0 … 10, and numbers of "
                f"anchors and of images at once from 0 on; got {self}."
            )

    def positions(self, tokens: int, step: int, layer: str = "") -> Tensor:
        """Which of an image's `tokens` the others see: sorted int64 [r], r = ρ · tokens, at least 1."""
        count = max(1, round(self.keep * tokens))
        if count >= tokens:
            return torch.arange(tokens)
        generator = torch.Generator().manual_seed(hash_of(self.seed, step if self.redraw else 0, layer))
        return torch.randperm(tokens, generator=generator)[:count].sort().values


@dataclass(frozen=True)
class Bank:
    """What an earlier set shows of itself in one layer and step: keys and values [chunks, A, H, r, d] of A images."""

    keys: Tensor
    values: Tensor


def consistent_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attend: Attend,
    sharing: Sharing,
    *,
    images: int,
    shared: slice | None = None,
    step: int = 0,
    layer: str = "",
    bias: Tensor | None = None,
    bank: Bank | None = None,
) -> Tensor:
    """Attention of a set of images; for one image without a bank, exactly `attend(q, k, v, bias)`.

    q, k, v: [C·N, H, L, d] of C halves of guidance with N = `images` each, half by half; k and v after their position
    encoding. shared: the image tokens among the L, which others may see; default: all. step, layer: what the draw of
    positions depends on beside the seed. bias: added to the logits of own keys, [C·N or 1, 1, 1 or L, L]. bank: images
    of an earlier set, which are seen and see nothing. Returns [C·N, H, L, d].
    Raises ValueError for a batch that does not hold whole sets.
    """
    if len(q) % images:
        raise ValueError(f"A batch of {len(q)} rows does not hold whole sets of {images} images.")
    if (images == 1 and bank is None) or sharing.strength == 0:
        return attend(q, k, v, bias)
    positions = _positions(k.shape[2], sharing, shared, step, layer).to(k.device)
    q, k, v = (rearrange(x, "(c n) h l d -> c n h l d", n=images) for x in (q, k, v))
    keys, values = k.index_select(3, positions), v.index_select(3, positions)  # [c, n, h, r, d]
    if bank is not None:  # [c, n + a, h, r, d]
        keys, values = torch.cat((keys, bank.keys.to(keys)), 1), torch.cat((values, bank.values.to(values)), 1)
    if bias is None and sharing.strength == 1:
        out = _pooled(q, (k, v), (keys, values), positions, attend, sharing)
        return rearrange(out, "c n h l d -> (c n) h l d")
    if bias is not None and len(bias) > 1:
        bias = rearrange(bias, "(c n) one q k -> c n one q k", n=images)
    out = torch.empty_like(q)
    for group, sources in _groups(images, keys.shape[1], sharing):
        extra_k, extra_v = (
            rearrange(x[:, sources], "c t s h r d -> (c t) h (s r) d") for x in (keys, values)
        )  # sources: [t, s]
        own_q, own_k, own_v = (rearrange(x[:, group], "c t h l d -> (c t) h l d") for x in (q, k, v))
        own = bias if bias is None or bias.ndim == 4 else rearrange(bias[:, group], "c t one q k -> (c t) one q k")
        told = _with_others(own, own_k.shape[2], extra_k.shape[2], sharing.strength, q)
        found = attend(own_q, torch.cat((own_k, extra_k), 2), torch.cat((own_v, extra_v), 2), told)
        out[:, group] = rearrange(found, "(c t) h l d -> c t h l d", t=len(group))
    return rearrange(out, "c n h l d -> (c n) h l d")


def seen(
    k: Tensor, v: Tensor, sharing: Sharing, *, images: int, shared: slice | None = None, step: int = 0, layer: str = ""
) -> tuple[Tensor, Tensor]:
    """What each image shows the others: keys and values [C, N, H, r, d] of k and v [C·N, H, L, d]."""
    positions = _positions(k.shape[2], sharing, shared, step, layer).to(k.device)
    keys, values = (rearrange(x.index_select(2, positions), "(c n) h r d -> c n h r d", n=images) for x in (k, v))
    return keys, values


def key_counts(images: int, tokens: int, sharing: Sharing, text: int = 0, banked: int = 0) -> list[int]:
    """How many keys each image's queries see: what the cost of a layer grows with."""
    kept = max(1, round(sharing.keep * tokens)) if sharing.strength > 0 else 0
    found = []
    for image in range(images):
        anchors = min(sharing.anchors, images) if sharing.anchors else images
        others = anchors - (image < anchors)
        found.append(text + tokens + kept * (others + banked))
    return found


def hash_of(*parts: object) -> int:
    """A seed 0 … 2⁶³ − 1 for a generator, the same in every process."""
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:8], "big") >> 1


def _positions(length: int, sharing: Sharing, shared: slice | None, step: int, layer: str) -> Tensor:
    """Which of the `length` tokens of a layer others see."""
    first, last, _ = (shared or slice(None)).indices(length)
    return first + sharing.positions(last - first, step, layer)


def _pooled(
    q: Tensor,
    own: tuple[Tensor, Tensor],
    seen: tuple[Tensor, Tensor],
    positions: Tensor,
    attend: Attend,
    sharing: Sharing,
) -> Tensor:
    """The same where all tokens count alike: what is seen lies in one pool for all, beside what is left of the own.

    q and own keys and values [c, n, h, l, d]; seen: keys and values [c, n + a, h, r, d]. An image that others see has
    its own seen tokens in the pool already, so that nothing is there twice, and little has to be copied.
    """
    images, length = q.shape[1], q.shape[3]
    anchors = min(sharing.anchors, images) if sharing.anchors else images
    pools = [
        rearrange(torch.cat((x[:, :anchors], x[:, images:]), 1), "c n h r d -> c h (n r) d") for x in seen
    ]  # of anchors and bank
    rest = torch.ones(length, dtype=torch.bool)
    rest[positions.cpu()] = False
    left = rest.nonzero()[:, 0].to(q.device)
    out = torch.empty_like(q)
    if anchors == 1 and seen[0].shape[1] == images:  # the only one that is seen sees itself, in its own order
        out[:, 0] = attend(q[:, 0], own[0][:, 0], own[1][:, 0], None)
    elif len(left) == 0 and not sharing.at_once:
        many = rearrange(q[:, :anchors], "c n h l d -> c h (n l) d")
        found = attend(many, pools[0], pools[1], None)
        out[:, :anchors] = rearrange(found, "c h (n l) d -> c n h l d", n=anchors)
    else:
        _beside(out, q, pools, [x.index_select(3, left) for x in own], range(anchors), attend, sharing.at_once)
    _beside(out, q, pools, own, range(anchors, images), attend, sharing.at_once)
    return out


def _beside(
    out: Tensor,
    q: Tensor,
    pools: Sequence[Tensor],
    own: Sequence[Tensor],
    which: range,
    attend: Attend,
    at_once: int,
) -> None:
    """Attention of some images to the pool [c, h, p, d] and their own tokens [c, n, h, l, d] beside it, into `out`."""
    for start in range(which.start, which.stop, at_once or max(1, len(which))):
        group = slice(start, min(start + (at_once or len(which)), which.stop))
        count = group.stop - group.start
        keys, values = (
            torch.cat((pool[:, None].expand(-1, count, -1, -1, -1), x[:, group]), 3).flatten(0, 1)
            for pool, x in zip(pools, own, strict=True)
        )  # [(c t), h, p + l, d]
        found = attend(q[:, group].flatten(0, 1), keys, values, None)
        out[:, group] = rearrange(found, "(c t) h l d -> c t h l d", t=count)


def _groups(images: int, sources: int, sharing: Sharing) -> Iterator[tuple[Sequence[int], Tensor]]:
    """(images [t], whom each of them sees [t, s]) so that all of a group see equally many; sources ≥ images are banked.

    With a bank, the anchors are the banked images and the first k.
    """
    banked = list(range(images, sources))
    anchors = min(sharing.anchors, images) if sharing.anchors else images
    parts = [list(range(anchors)), list(range(anchors, images))]
    for part in parts:
        size = sharing.at_once or max(1, len(part))
        for start in range(0, len(part), size):
            group = part[start : start + size]
            whom = [[j for j in range(anchors) if j != i] + banked for i in group]
            yield group, torch.tensor(whom, dtype=torch.long).reshape(len(group), -1)


def _with_others(own: Tensor | None, keys: int, others: int, strength: float, like: Tensor) -> Tensor | None:
    """The bias of own keys with that of the others' behind it: log(strength); None where all count alike."""
    if others == 0 or (own is None and strength == 1):
        return own
    if own is None:
        own = like.new_zeros(1, 1, 1, keys)
    extra = own.new_full((*own.shape[:-1], others), math.log(strength))
    return torch.cat((own, extra), -1)
