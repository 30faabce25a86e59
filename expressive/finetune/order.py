"""Which samples each step sees: a function of the seed and the step alone, so that going on needs no memory."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Hashable, Sequence

import torch


class Order:
    """Batches of samples of like kind (a bucket), shuffled anew in every epoch.

    kinds: the kind of each sample; a batch holds one kind, and the last batch of a kind may be smaller.
    """

    def __init__(self, kinds: Sequence[Hashable], batch: int, seed: int) -> None:
        if not kinds:
            raise ValueError("There is nothing to train on.")
        self._kinds, self._batch, self._seed = list(kinds), batch, seed
        sizes: dict[Hashable, int] = defaultdict(int)
        for kind in self._kinds:
            sizes[kind] += 1
        self._shuffled: tuple[int, list[list[int]]] = (-1, [])  # the last epoch that was asked for
        self.batches_per_epoch = sum(math.ceil(size / batch) for size in sizes.values())

    def batch(self, number: int) -> list[int]:
        """The samples of batch `number`, counted from 0 over all epochs."""
        epoch, place = divmod(number, self.batches_per_epoch)
        if self._shuffled[0] != epoch:
            self._shuffled = (epoch, self._epoch(epoch))
        return self._shuffled[1][place]

    def _epoch(self, epoch: int) -> list[list[int]]:
        rng = random.Random(f"order-{self._seed}-{epoch}")
        by_kind: dict[Hashable, list[int]] = defaultdict(list)
        for index, kind in enumerate(self._kinds):
            by_kind[kind].append(index)
        batches = []
        for members in by_kind.values():
            rng.shuffle(members)
            batches += [members[i : i + self._batch] for i in range(0, len(members), self._batch)]
        rng.shuffle(batches)
        return batches


def generator_of(seed: int, *place: int) -> torch.Generator:
    """A generator of its own for each place in a training, such as (step, part, process)."""
    mixed = random.Random(f"{seed}-{'-'.join(map(str, place))}").getrandbits(63)
    return torch.Generator().manual_seed(mixed)
