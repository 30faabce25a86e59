"""Consistency of a set."""

import pytest
import torch

from expressive.metrics.consistency import consistency


def test_it_is_the_mean_over_pairs() -> None:
    found = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    half = 2**-0.5
    assert consistency(found) == pytest.approx((0 + half + half) / 3)
    assert consistency(found[[0, 0, 0]]) == pytest.approx(1)
    assert consistency(torch.tensor([[1.0, 0.0], [0.0, 0.0]])) == 0, "no face is alike nobody"


def test_a_set_has_two() -> None:
    with pytest.raises(ValueError, match="at least two"):
        consistency(torch.ones(1, 4))
