"""α: how lists are written, checked, paired with targets and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressive.conditioning import ALPHA_MAX, ALPHA_MIN, alpha_label, alpha_rows, parse_alphas

alphas = st.floats(ALPHA_MIN, ALPHA_MAX).map(lambda a: round(a, 6))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.5", [0.5]),
        ("0, .5, 1", [0, 0.5, 1]),
        ("0:1.2:7", [0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2]),
        ("0:1.25:6", [0, 0.25, 0.5, 0.75, 1.0, 1.25]),
        ("1:0:3", [1, 0.5, 0]),
        ("0:1:3, 1.5; 2", [0, 0.5, 1, 1.5, 2]),
        ("−0.5 : 0 : 2,", [-0.5, 0]),
    ],
)
def test_parse(text, expected):
    assert parse_alphas(text) == expected


@given(st.lists(alphas, min_size=1, max_size=8))
def test_parse_reads_what_python_writes(values):
    assert parse_alphas(", ".join(map(repr, values))) == values


@given(alphas, alphas, st.integers(2, 50))
def test_range_keeps_both_ends_and_even_steps(start, stop, count):
    values = parse_alphas(f"{start!r}:{stop!r}:{count}")
    assert (len(values), values[0], values[-1]) == (count, start, stop)
    steps = [b - a for a, b in zip(values, values[1:], strict=False)]
    assert max(steps) - min(steps) < 1e-8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no α"),
        (" , ", "lists no α"),
        ("happy", "not a number"),
        ("0:1", "start:stop:count"),
        ("0:1:1", "start:stop:count"),
        ("0:1:2.5", "start:stop:count"),
        ("0:1:99999", "start:stop:count"),
        ("0:1:²", "start:stop:count"),
        ("3.01", "between -1 and 3"),
        ("-2:0:3", "between -1 and 3"),
        ("nan", "between -1 and 3"),
        ("inf", "between -1 and 3"),
        ("0:1:4000, 0:1:4000", "at most 4096"),
    ],
)
def test_parse_refuses(text, message):
    with pytest.raises(ValueError, match=message):
        parse_alphas(text)


@pytest.mark.parametrize(
    ("text", "targets", "rows"),
    [
        ("", 1, [(0.7,)]),
        ("", 2, [(0.7, 0.7)]),
        ("0, 1", 1, [(0,), (1,)]),
        ("0, 1\n0.5", 2, [(0, 0.5), (1, 0.5)]),
        ("0, 1\n1, 0\n", 2, [(0, 1), (1, 0)]),
        ("\n0, 1", 2, [(0.7, 0), (0.7, 1)]),
        ("0, 1", 3, [(0, 0.7, 0.7), (1, 0.7, 0.7)]),
    ],
)
def test_rows(text, targets, rows):
    assert alpha_rows(text, targets, 0.7) == rows


def test_rows_refuse_lists_of_different_lengths():
    with pytest.raises(ValueError, match="2 and 3"):
        alpha_rows("0, 1\n0, .5, 1", 2, 1.0)


def test_rows_refuse_more_lines_than_targets():
    with pytest.raises(ValueError, match="2 lines"):
        alpha_rows("0\n1", 1, 1.0)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ((0.25,), "α = 0.25"),
        ((0.5, 0.25), "α = 0.5, 0.25"),
        ((-0.0,), "α = 0"),
        ((5 / 24,), "α = 0.208"),
        ((-1,), "α = -1"),
    ],
)
def test_label(row, label):
    assert alpha_label(row) == label
