import logging
from pathlib import Path

import pytest

from expressive.datasets.rows import EXAMPLES, BadRowError, BadRows, Unexpected, box, number, parsed
from expressive.datasets.splits import SHARES, SPLITS, SplitError, check_disjoint, known_split, split_of

FROZEN = [
    "validation",
    "train",
    "test",
    "train",
    "train",
    "train",
    "train",
    "train",
    "train",
    "train",
    "train",
    "train",
]
"""Splits of the people "0" … "11"."""


def refused() -> None:
    raise Unexpected("a number", "“x”")


def test_refused_rows_say_where_and_what(tmp_path: Path) -> None:
    bad = BadRows("refuse")
    with pytest.raises(BadRowError, match=r"rows\.jsonl:7: expected a number, got “x”\."):
        bad.attempt(tmp_path / "rows.jsonl", 7, refused)
    with pytest.raises(ValueError, match=r"rows\.json, entry “abc”: expected"):
        bad.attempt(tmp_path / "rows.json", "abc", refused)
    with pytest.raises(BadRowError, match=r"rows\.json: expected"):
        bad.attempt(tmp_path / "rows.json", None, refused)


def test_skipped_rows_are_counted_and_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = BadRows("skip")
    for line in range(20):
        assert bad.attempt(tmp_path / "rows.jsonl", line, refused) is None
    assert bad.count == 20
    assert [row.place for row in bad.examples] == list(range(EXAMPLES))
    with caplog.at_level(logging.WARNING):
        bad.log("rows.jsonl")
        BadRows("skip").log("another")
    assert len(caplog.records) == 1
    assert "skipped 20 malformed row(s)" in caplog.text and "rows.jsonl:0: expected a number" in caplog.text


def test_on_bad_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="refuse or skip"):
        BadRows("ignore")


@pytest.mark.parametrize("value", [True, None, "1", [], float("nan"), float("inf"), -0.1, 1.1, 10**400])
def test_numbers_are_finite_and_within_their_range(value: object) -> None:
    with pytest.raises(Unexpected):
        number(value, "a score", 0.0, 1.0)


@pytest.mark.parametrize("value", [[1, 2, 3], [5, 0, 5, 9], [0, 9, 5, 9], [0, 0, "5", 9], {}, "0 0 5 9"])
def test_boxes_have_four_edges_in_order(value: object) -> None:
    with pytest.raises(Unexpected):
        box(value, "“boxes”")
    assert box(None, "“boxes”") is None
    assert box([0, 1, 2.5, 3], "“boxes”") == (0, 1, 2.5, 3)


@pytest.mark.parametrize("content", [b"", b"{", b"{'a': 1}", b'{"a": "\xff"}', b"[" * 100_000])
def test_what_is_not_json_is_unexpected(content: bytes) -> None:
    with pytest.raises(Unexpected, match="expected JSON"):
        parsed(content)


def test_a_person_has_one_split_on_every_machine() -> None:
    assert [split_of(str(person)) for person in range(12)] == FROZEN
    counts = {split: 0 for split in SPLITS}
    for person in range(5000):
        counts[split_of(str(person))] += 1
    for split, share in SHARES.items():
        assert counts[split] / 5000 == pytest.approx(share, abs=0.02)
    assert {split_of(str(person), {"train": 1, "test": 0}) for person in range(99)} == {"train"}
    assert [split_of(str(person), salt="b") for person in range(12)] != FROZEN


@pytest.mark.parametrize("shares", [{}, {"train": 0.0}, {"train": 1.0, "test": -0.1}])
def test_shares_are_positive(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares"):
        split_of("a", shares)


def test_an_identity_in_two_splits_is_named() -> None:
    rows = [("anna", "train"), ("ben", "test"), (None, "train"), ("ben", None), ("anna", "train")]
    assert check_disjoint(rows) == {"train": 1, "test": 1}
    with pytest.raises(SplitError, match="Faces shows 1 identities in more than one split: anna in test and train"):
        check_disjoint([*rows, ("anna", "test")], "Faces")


def test_splits_have_other_names() -> None:
    assert [known_split(name) for name in ("Val", "train", "testing", "joy")] == ["validation", "train", "test", None]
