"""The index of HaGRID's people, against a search through all of them."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expressive.datasets.hagrid import LABELS, Face, GesturePicture
from expressive.datasets.people_index import PeopleIndex
from expressive.datasets.splits import TRAIN


def people(count: int, seed: int = 0) -> list[GesturePicture]:
    """Some of them alone on their picture."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        faces = tuple(
            Face(rng.choice([rng.uniform(18, 60), 24.0, 24.4]), rng.choice(("woman", "man")), "White")
            for _ in range(rng.choice((0, 1, 1, 1, 1, 2)))
        )
        found.append(GesturePicture(f"picture-{number}", rng.choice(LABELS[:5]), TRAIN, "somebody", (), faces))
    return found


def nearest(all_of_them: list[GesturePicture], gender: str, age: float, gestures: tuple[str, ...]) -> set[str]:
    """MAVAGEN's set of best candidates, in whole years."""
    known = [
        (abs(int(one.person.age) - int(age)), one.name)
        for one in all_of_them
        if one.person is not None and one.person.gender == gender and (not gestures or one.gesture in gestures)
    ]
    best = min(apart for apart, _ in known)
    return {name for apart, name in known if apart == best}


def test_it_finds_what_a_search_through_all_finds(tmp_path: Path) -> None:
    shown = people(400)
    index = PeopleIndex.build(shown, tmp_path / "index.sqlite")
    assert len(index) == sum(one.person is not None for one in shown)
    rng = random.Random(1)
    for seed in range(200):
        gender, age = rng.choice(("woman", "man")), rng.uniform(0, 100)
        gestures = rng.choice(((), LABELS[:1], LABELS[1:3]))
        best = nearest(shown, gender, age, gestures)
        found = index.find(gender, age, seed, gestures)
        assert found.name in best and found.ties == len(best)
        assert found.apart == abs(found.age - int(age)) and found.split == TRAIN
        assert not gestures or found.gesture in gestures


def test_ties_are_drawn_evenly_and_by_the_seed(tmp_path: Path) -> None:
    shown = people(100)
    index = PeopleIndex.build(shown, tmp_path / "index.sqlite")
    again = PeopleIndex.build(reversed(shown), tmp_path / "again.sqlite")
    best = nearest(shown, "woman", 24, ())
    drawn = Counter(index.find("woman", 24.9, seed).name for seed in range(100 * len(best)))
    assert drawn.keys() == best and min(drawn.values()) > 60 and max(drawn.values()) < 140
    assert all(index.find("woman", 24, seed) == again.find("woman", 24, seed) for seed in range(20))


def test_what_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stopped() -> Iterator[GesturePicture]:
        yield from people(20)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PeopleIndex.build(stopped(), tmp_path / "index.sqlite")
    assert not list(tmp_path.iterdir())


def test_a_slip_is_a_sentence(tmp_path: Path) -> None:
    index = PeopleIndex.build(people(50), tmp_path / "index.sqlite")
    slips: tuple[tuple[Any, str], ...] = (
        (("boy", 20, 0), "woman or man"),
        (("man", -1, 0), "0 years or more"),
        (("man", float("nan"), 0), "0 years or more"),
        (("man", 20, 0, ("wave",)), "no gesture wave"),
        (("man", 20, 0, (LABELS[20],)), "no picture of a man who shows"),
    )
    for wrong, sentence in slips:
        with pytest.raises(ValueError, match=sentence):
            index.find(*wrong)
    with pytest.raises(ValueError, match="exactly one person"):
        PeopleIndex.build([one for one in people(50) if one.person is None], tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists() and not list(tmp_path.glob("*.partial"))
    with pytest.raises(FileNotFoundError, match="no index"):
        PeopleIndex(tmp_path / "none.sqlite")
    (tmp_path / "damaged.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(ValueError, match="damaged"):
        PeopleIndex(tmp_path / "damaged.sqlite")
