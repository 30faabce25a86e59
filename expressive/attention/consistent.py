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
from collections.abc import Callable, Sequence
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
    if bias is not None:
        bias = bias.expand(len(bias) if len(bias) > 1 else q.shape[0] * images, *bias.shape[1:])
        bias = rearrange(bias, "(c n) one q k -> c n one q k", n=images)
    anchors = min(sharing.anchors, images) if sharing.anchors else images
    pools = [
        rearrange(torch.cat((x[:, :anchors], x[:, images:]), 1), "c n h r d -> c h (n r) d") for x in (keys, values)
    ]  # of anchors and bank
    left = torch.ones(k.shape[3], dtype=torch.bool, device=k.device)
    left[positions] = False
    rest = [x.index_select(3, left.nonzero()[:, 0]) for x in (k, v)]
    out = torch.empty_like(q)
    if anchors == 1 and bank is None:  # the only one that is seen sees itself, in its own order
        own = None if bias is None else bias[:, 0]
        out[:, 0] = attend(q[:, 0], k[:, 0], v[:, 0], own)
    elif rest[0].shape[3] == 0 and not sharing.at_once and bias is None and sharing.strength == 1:
        many = rearrange(q[:, :anchors], "c n h l d -> c h (n l) d")
        found = attend(many, pools[0], pools[1], None)
        out[:, :anchors] = rearrange(found, "c h (n l) d -> c n h l d", n=anchors)
    else:
        told = _told_in_pool(bias, positions, left, pools[0], sharing.strength)
        _beside(out, q, pools, rest, range(anchors), attend, sharing.at_once, told)
    told = _told_in_pool(bias, None, None, pools[0], sharing.strength)
    _beside(out, q, pools, (k, v), range(anchors, images), attend, sharing.at_once, told)
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


def _beside(
    out: Tensor,
    q: Tensor,
    pools: Sequence[Tensor],
    own: Sequence[Tensor],
    which: range,
    attend: Attend,
    at_once: int,
    bias: Callable[[slice, int], Tensor | None],
) -> None:
    """Attention of some images to the pool [c, h, p, d] and their own tokens [c, n, h, l, d] beside it, into `out`.

    What is seen of an image that others see lies in the pool already, so that nothing is there twice.
    """
    for start in range(which.start, which.stop, at_once or max(1, len(which))):
        group = slice(start, min(start + (at_once or len(which)), which.stop))
        count = group.stop - group.start
        keys, values = (
            torch.cat((pool[:, None].expand(-1, count, -1, -1, -1), x[:, group]), 3).flatten(0, 1)
            for pool, x in zip(pools, own, strict=True)
        )  # [(c t), h, p + l, d]
        told = bias(group, own[0].shape[3])
        found = attend(q[:, group].flatten(0, 1), keys, values, told)
        out[:, group] = rearrange(found, "(c t) h l d -> c t h l d", t=count)


def _told_in_pool(
    bias: Tensor | None, positions: Tensor | None, left: Tensor | None, pool: Tensor, strength: float
) -> Callable[[slice, int], Tensor | None]:
    """(images [t], own tokens beside the pool) → the bias of pool and own tokens, [(c t), 1, 1 or L, p + l], or None.

    bias: of own keys, [c, n, 1, 1 or L, L]. positions, left: where an image's tokens lie in the pool, and which are
    beside it; None: they all lie beside it. What others show is told by log(strength).
    """
    shown = 0 if positions is None else len(positions)

    def told(group: slice, beside: int) -> Tensor | None:
        if bias is None and strength == 1:
            return None
        count = group.stop - group.start
        own = pool.new_zeros(len(pool), count, 1, 1, beside + shown) if bias is None else bias[:, group]
        row = own.new_full((*own.shape[:4], pool.shape[2]), math.log(strength))
        if positions is not None and left is not None:
            for place, image in enumerate(range(group.start, group.stop)):
                row[:, place, ..., image * shown : (image + 1) * shown] = own[:, place, ..., positions]
            own = own[..., left]
        return torch.cat((row, own), -1).flatten(0, 1)

    return told
