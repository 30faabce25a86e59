"""α in proportion to measured strength."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressive.conditioning import Calibration

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
LATE = (0.02, 0.03, 0.1, 0.5, 0.8, 0.9, 0.9)  # little happens at first
rows = st.lists(st.floats(0, 1), min_size=len(ALPHAS), max_size=len(ALPHAS)).map(tuple)


@given(rows, st.floats(0, 1))
def test_the_ends_stay_and_all_between_rises(row: tuple[float, ...], wanted: float) -> None:
    found = Calibration(ALPHAS, {"happy": row})
    assert found.alpha("happy", 0) == 0 and found.alpha("happy", 1) == pytest.approx(1)
    assert found.alpha("happy", wanted) <= found.alpha("happy", min(1.0, wanted + 0.1)) + 1e-9
    assert -1e-9 <= found.alpha("happy", wanted) <= 1 + 1e-9


@given(st.floats(0, 1.1))
def test_what_is_wanted_is_what_is_measured(wanted: float) -> None:
    found = Calibration(ALPHAS, {"fear": LATE})
    seen = np.interp(found.alpha("fear", wanted), ALPHAS, LATE)
    assert seen == pytest.approx(0.02 + wanted * (0.8 - 0.02), abs=1e-6)


def test_a_late_expression_is_asked_for_earlier() -> None:
    found = Calibration(ALPHAS, {"fear": LATE})
    assert found.alpha("fear", 0.25) > 0.5 and found.alpha("fear", 0.5) > 0.6


def test_beyond_what_was_measured_the_slope_is_one() -> None:
    found = Calibration(ALPHAS, {"fear": LATE})
    far = found.alpha("fear", 2.0)
    assert found.alpha("fear", 2.5) == pytest.approx(far + 0.5)


def test_dips_are_smoothed_away() -> None:
    found = Calibration((0.0, 0.5, 0.75, 1.0), {"sad": (0.0, 0.6, 0.4, 1.0)})
    assert found.alpha("sad", 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize(("word", "wanted"), [("happy", 0.4), ("unknown", 0.4), ("fear", -0.5)])
def test_what_was_not_learned_stays(word: str, wanted: float) -> None:
    found = Calibration(ALPHAS, {"happy": (0.3,) * 7, "fear": LATE})
    assert found.alpha(word, wanted) == wanted and found.words == ("fear",)


def test_a_mix_goes_by_its_weights() -> None:
    found = Calibration(ALPHAS, {"fear": LATE})
    own = found.alpha("fear", 0.5)
    assert found.mixed({"fear": 1, "happy": 3}, 0.5) == pytest.approx((own + 3 * 0.5) / 4)


def test_json_keeps_it() -> None:
    found = Calibration(ALPHAS, {"fear": LATE})
    assert Calibration.from_json(found.to_json()) == found


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"alphas": [0, 1], "measured": {"happy": [1]}}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Calibration.from_json(text)


@pytest.mark.parametrize("alphas", [(0.0, 0.5), (1.0, 0.0), (0.0, 1.0, 1.0)])
def test_alphas_have_to_rise_and_hold_both_ends(alphas: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="have to rise, with 0 and 1"):
        Calibration(alphas, {})
