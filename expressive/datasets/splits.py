"""Who is for training, who for validation and who for testing: by person, never by picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
SHARES: Mapping[str, float] = {TRAIN: 0.8, VALIDATION: 0.1, TEST: 0.1}

_OTHER_NAMES = {"val": VALIDATION, "valid": VALIDATION, "dev": VALIDATION, "training": TRAIN, "testing": TEST}


class SplitError(ValueError):
    """One identity stands in two splits: what is measured on one would have been seen in the other."""


def split_of(identity: str, shares: Mapping[str, float] = SHARES, salt: str = "") -> str:
    """The split of a person: the same on every machine, and for all pictures of that person.

    shares: split → share ≥ 0, in order; they are divided by their sum. salt: another one, another partition.
    Raises ValueError for shares that are negative or all zero.
    """
    total = sum(shares.values())
    if not total > 0 or any(share < 0 for share in shares.values()):
        raise ValueError(f"Expected shares of 0 or more with a sum above 0, got {dict(shares)}.")
    digest = hashlib.sha256(f"{salt}\0{identity}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * total
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    return [split for split, share in shares.items() if share > 0][-1]  # rounding


def known_split(name: str) -> str | None:
    """`train`, `validation` or `test` for one of their usual names; None for any other."""
    lower = name.strip().lower()
    return lower if lower in SPLITS else _OTHER_NAMES.get(lower)


def check_disjoint(rows: Iterable[tuple[str | None, str | None]], dataset: str = "The dataset") -> dict[str, int]:
    """Split → number of people, of pairs (identity, split); pairs without identity or split do not count.

    Raises SplitError if an identity stands in two splits; the message names the first few.
    """
    home: dict[str, str] = {}
    astray: dict[str, set[str]] = {}
    for identity, split in rows:
        if identity is None or split is None:
            continue
        if home.setdefault(identity, split) != split:
            astray.setdefault(identity, {home[identity]}).add(split)
    if astray:
        first = "; ".join(f"{identity} in {' and '.join(sorted(splits))}" for identity, splits in [*astray.items()][:3])
        raise SplitError(f"{dataset} shows {len(astray)} identities in more than one split: {first}.")
    counts: dict[str, int] = {}
    for split in home.values():
        counts[split] = counts.get(split, 0) + 1
    return counts
