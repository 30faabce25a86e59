"""Who is drawn for training, who for validation and who for testing, and which item shows whom."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping

from ...datasets.splits import SPLITS, TEST, TRAIN, VALIDATION
from ..faces import Identity
from ..faces.identity import balanced
from ..training.people import HELD_OUT

BLOCKS: Mapping[str, tuple[int, int]] = {
    TRAIN: (0, HELD_OUT),
    VALIDATION: (HELD_OUT, HELD_OUT + 500_000),
    TEST: (HELD_OUT + 500_000, 2 * HELD_OUT),
}
"""Split → first and last + 1 of the identity seeds that it may show, whatever the dataset and its seed."""

_OF_TEN = (TRAIN,) * 8 + (VALIDATION, TEST)


def split_of_seed(identity: int) -> str:
    """The split that an identity belongs to. Raises ValueError for a seed outside of all blocks."""
    for split, (first, end) in BLOCKS.items():
        if first <= identity < end:
            return split
    raise ValueError(f"Identity seeds of the pocket datasets lie within 0 … {BLOCKS[TEST][1] - 1}; got {identity}.")


def split_of_item(index: int, kinds: int = 1) -> str:
    """The split of item `index`, where items of `kinds` kinds come in turn.

    Of ten items in a row, and of ten in a row of one kind, eight are for training, one each for validation and testing.
    """
    return _OF_TEN[(index % kinds + index // kinds) % 10]


def person_of(index: int, split: str, count: int, seed: int, items: int) -> Identity:
    """Whom item `index` shows in a dataset of `count` items, where each person has about so many `items`.

    People of a split are balanced over gender, race and age group.
    """
    share = _OF_TEN.count(split) / len(_OF_TEN)
    people = _people(split, max(1, round(count * share / items)), seed)
    return random.Random(f"person-{seed}-{index}").choice(people)


@functools.lru_cache(maxsize=2 * len(SPLITS))
def _people(split: str, count: int, seed: int) -> tuple[Identity, ...]:
    first, end = BLOCKS[split]
    if count > end - first:
        raise ValueError(f"There are {end - first} people for {split}; {count} are asked for.")
    start = random.Random(f"people-{seed}-{split}").randrange(first, end - count + 1)
    return tuple(balanced(count, seed, start))


def identity_name(identity: Identity) -> str:
    """As identities are written in files."""
    return f"{identity.seed:07d}"
