"""FFE-Bench's figures on readings whose answers are known."""

import math

import numpy as np
import pytest

from expressive.metrics import ffe_bench
from expressive.metrics.ffe_bench import EXPRESSIONS, Edit


def read_as(expression: str, read: str, alpha: float = 1.0, score: float = 0.8, source: str = "a") -> Edit:
    scores = [0.0] * 12
    if read:
        scores[EXPRESSIONS.index(read)] = score
    return Edit(source, expression, alpha, tuple(scores), 0.6)


def test_confusion_counts_what_was_read() -> None:
    edits = [read_as("fear", read) for read in ("fear", "surprised", "surprised", "")]
    edits += [read_as("surprised", read) for read in ("surprised", "fear")]
    found = ffe_bench.confusion(edits)
    fear, surprised = EXPRESSIONS.index("fear"), EXPRESSIONS.index("surprised")
    assert found[fear, fear] == 0.25 and found[fear, surprised] == 0.5 and found[surprised, fear] == 0.5
    assert np.isnan(found[EXPRESSIONS.index("happy")]).all()
    assert ffe_bench.structural_confusion(edits, [("fear", "surprised")]) == {("fear", "surprised"): 0.5}
    assert math.isnan(ffe_bench.mean_structural_confusion(edits))  # nothing was edited towards the other pairs
    assert ffe_bench.mean_structural_confusion(edits, [("surprised", "fear")]) == 0.5


def test_accuracy_of_six_and_of_twelve() -> None:
    edits = [read_as(word, word) for word in ffe_bench.basic()] + [read_as("shy", "anxious"), read_as("sleepy", "sad")]
    assert ffe_bench.accuracy(edits, ffe_bench.basic()) == 1.0
    assert ffe_bench.accuracy(edits) == 0.75
    assert math.isnan(ffe_bench.accuracy([]))


@pytest.mark.parametrize(
    ("scores", "wanted"), [([0.0, 0.2, 0.4], 1.0), ([0.4, 0.2, 0.0], -1.0), ([0.3, 0.3, 0.3], 0.0)]
)
def test_linearity_is_pearsons_r_along_a_curve(scores: list[float], wanted: float) -> None:
    edits = [read_as("happy", "happy", a, s) for a, s in zip((0.0, 0.5, 1.0), scores, strict=True)]
    assert ffe_bench.control_linearity(edits) == pytest.approx(wanted)


def test_linearity_is_averaged_over_curves_not_pooled() -> None:
    """Two people, one of whom shows little: each curve is a straight line, all points together are not."""
    edits = [read_as("happy", "happy", a, a * strength, who) for who, strength in (("a", 1.0), ("b", 0.1))
             for a in (0.0, 0.5, 1.0)]  # fmt: skip
    assert ffe_bench.control_linearity(edits) == pytest.approx(1.0)
    short = [read_as("sad", "sad", a, a, "c") for a in (0.0, 1.0)]  # two points make every line straight
    assert ffe_bench.control_linearity(edits + short) == pytest.approx(1.0)
    assert math.isnan(ffe_bench.control_linearity(short))


def test_hes_is_the_harmonic_mean_and_lost_faces_cost() -> None:
    edits = [read_as("happy", "happy", score=0.4)]
    assert ffe_bench.harmonic_editing_score(edits) == pytest.approx(2 * 0.4 * 0.6 / 1.0)
    lost = Edit("b", "happy", 1.0, edits[0].scores, None)
    assert ffe_bench.harmonic_editing_score([*edits, lost]) < ffe_bench.harmonic_editing_score(edits)
    assert ffe_bench.identity_similarity([*edits, lost]) == 0.6
    assert ffe_bench.harmonic_editing_score([read_as("happy", "")]) == 0.0


def test_figures_judge_the_full_strength_and_the_whole_curve() -> None:
    edits = [
        read_as(word, word, alpha, alpha, who)
        for who in "ab"
        for word in EXPRESSIONS
        for alpha in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
    ]
    found = ffe_bench.figures(edits)
    assert found["mSCR"] == 0.0 and found["Acc-6"] == found["Acc-12"] == 1.0
    assert found["CLS-6"] == pytest.approx(1.0) and found["CLS-12"] == pytest.approx(1.0)
    assert found["HES"] == pytest.approx(2 * 0.6 / 1.6) and found["ID Sim"] == pytest.approx(0.6)
    assert ffe_bench.figures(edits, 0.5)["HES"] < found["HES"]
    with pytest.raises(ValueError, match="no edits"):
        ffe_bench.figures([])


def test_pairs_and_words_are_of_the_twelve_and_their_source_is_said() -> None:
    words = {word for pair in ffe_bench.confusing_pairs() for word in pair}
    assert words <= set(EXPRESSIONS) and set(ffe_bench.basic()) <= set(EXPRESSIONS)
    assert {("fear", "surprised"), ("angry", "disgust")} <= set(ffe_bench.confusing_pairs())
    with pytest.raises(ValueError, match="none of the twelve"):
        read_as("joy", "happy")
    with pytest.raises(ValueError, match="12 scores, not 3"):
        Edit("a", "happy", 1.0, (0.1, 0.2, 0.3))
