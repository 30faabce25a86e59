"""Memorised faces are found, and strangers are not taken for memorised ones."""

import numpy as np
import pytest

from expressive.metrics import plots
from expressive.metrics.memorisation import QUANTILE, memorisation


def faces(people: int, pictures: int, seed: int, blur: float = 0.35) -> tuple[np.ndarray, list[str]]:
    """Embeddings of length 1 of people, several pictures each."""
    rng = np.random.default_rng(seed)
    who = rng.normal(size=(people, 1, 32))
    found = (who + blur * rng.normal(size=(people, pictures, 32))).reshape(-1, 32)
    names = [f"{seed}-{number}" for number in range(people) for _ in range(pictures)]
    return found / np.linalg.norm(found, axis=1, keepdims=True), names


def test_strangers_are_no_copies() -> None:
    """At most one in a hundred tests may call chance a copy; the seeds are fixed."""
    training, names = faces(200, 5, seed=1)
    found = [memorisation(faces(100, 1, seed)[0], training, names) for seed in range(2, 12)]
    assert not any(one.detected for one in found)
    assert np.mean([one.share for one in found]) < 5 * (1 - QUANTILE)


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_copies_are_found_even_a_few_of_them(share: float) -> None:
    training, names = faces(200, 5, seed=1)
    rng = np.random.default_rng(9)
    made = faces(100, 1, seed=3)[0]
    copied = rng.choice(len(training), int(100 * share), replace=False)
    made[: len(copied)] = training[copied] + 0.02 * rng.normal(size=(len(copied), 32))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    found = memorisation(made, training, names)
    assert found.detected and found.share >= share
    assert [names[k] for k in found.nearest[: len(copied)]] == [names[k] for k in copied]


def test_pictures_of_one_person_are_no_strangers_to_each_other() -> None:
    training, names = faces(30, 8, seed=1, blur=0.05)
    found = memorisation(faces(40, 1, seed=2)[0], training, names)
    assert found.usual.max() < 0.9, "the person's own other pictures, at 0.99, do not count"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g, t, n: (g[:0], t, n), "there are 0 generated"),
        (lambda g, t, n: (g, t, n[:-1]), "10 training faces and 9 names"),
        (lambda g, t, n: (g, t, ["one"] * len(n)), "at least two people"),
        (lambda g, t, n: (0 * g, t, n), "no face was found"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(change, message) -> None:
    training, names = faces(5, 2, seed=1)
    with pytest.raises(ValueError, match=message):
        memorisation(*change(faces(3, 1, seed=2)[0], training, names))


def test_the_plot_shows_where_copies_lie() -> None:
    training, names = faces(50, 3, seed=1)
    strangers = plots.likeness(memorisation(faces(40, 1, seed=2)[0], training, names), side=300)
    copies = plots.likeness(memorisation(training[:40], training, names), side=300)
    orange = [
        (picture[:, 220:, 0].astype(int) - picture[:, 220:, 2] > 60).sum() for picture in (strangers, copies)
    ]  # of the right end, where similarities are near 1
    assert strangers.shape == copies.shape == (300, 300, 3) and orange[1] > 4 * orange[0]
