"""When words are heard, against recordings whose words are known."""

import itertools
import sys

import numpy as np
import pytest

from expressive.pocket.talking import Voice, speak
from expressive.speech.alignment import RATE, aligned, cut_before, features, shared_out, warped
from expressive.speech.spoken import Speech, Timed, resampled_wave

pytest.importorskip("espeakng_loader")

TEXT = (
    "I passed the exam this morning. Nobody had told me, and I can hardly believe it! We should celebrate together "
    "tonight."
)


@pytest.fixture(scope="module")
def recording() -> Speech:
    """In another voice, slower and higher than the one that it is compared with."""
    return speak(TEXT, Voice("en-us+f3", rate=130, pitch=70))


def errors(found: tuple[Timed, ...], truth: tuple[Timed, ...], by: float = 0.0) -> np.ndarray:
    assert [word.text for word in found] == [word.text for word in truth]
    pairs = list(zip(found, truth, strict=True))
    return np.abs([one.start - other.start - by for one, other in pairs] + [a.end - b.end - by for a, b in pairs])


def in_order(words: tuple[Timed, ...], seconds: float) -> bool:
    moments = [moment for word in words for moment in (word.start, word.end)]
    return moments == sorted(moments) and 0 <= moments[0] and moments[-1] <= seconds + 1e-6


def test_words_are_found_where_they_are_said(recording: Speech) -> None:
    found = aligned(recording.audio, recording.rate, f"[S1] (sighs) {TEXT} [S2]")
    wrong = errors(found, recording.words)
    assert np.median(wrong) < 0.03 and np.quantile(wrong, 0.85) < 0.12
    assert in_order(found, recording.seconds)


def test_words_that_espeak_takes_together_are_told_apart() -> None:
    text = "Wait for a moment, from 10-12 o'clock, and “did not” go."
    found = aligned(speak(text).audio, RATE, text)
    expected = ["Wait", "for", "a", "moment", "from", "10-12", "o'clock", "and", "did", "not", "go"]
    assert [word.text for word in found] == expected and in_order(found, speak(text).seconds)
    assert all(word.end > word.start for word in found)


def test_silence_around_the_words_does_not_matter(recording: Speech) -> None:
    padded = recording.padded(0.8, 0.5)
    wrong = errors(aligned(padded.audio, padded.rate, TEXT), recording.words, 0.8)
    assert np.median(wrong) < 0.03 and np.quantile(wrong, 0.85) < 0.12


def test_the_sample_rate_does_not_matter(recording: Speech) -> None:
    audio = resampled_wave(recording.audio, recording.rate, 44_100)
    wrong = errors(aligned(audio, 44_100, TEXT), aligned(recording.audio, recording.rate, TEXT))
    assert wrong.max() < 0.05


def test_without_espeak_the_words_share_the_sound(recording: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    found = aligned(recording.audio, recording.rate, TEXT)
    assert found == shared_out(recording.audio, recording.rate, TEXT) and in_order(found, recording.seconds)
    assert [word.text for word in found] == [word.strip(".,!") for word in TEXT.split()]
    starts = [abs(one.start - other.start) for one, other in zip(found, recording.words, strict=True)]
    assert np.median(starts) < 0.4


def test_a_recording_that_cannot_be_of_the_text_shares_it_too(recording: Speech) -> None:
    short = recording.audio[: round(0.5 * recording.rate)]
    found = aligned(short, recording.rate, TEXT)
    assert len(found) == len(TEXT.split()) and in_order(found, 0.5)


@pytest.mark.parametrize("text", ["", "...", "(laughs)", "[S1] [S2]"])
def test_no_words_no_times(recording: Speech, text: str) -> None:
    assert aligned(recording.audio, recording.rate, text) == ()
    assert aligned(np.zeros(0, np.float32), RATE, TEXT) == ()


def test_words_share_only_what_is_not_silent() -> None:
    tone = 0.5 * np.sin(np.arange(RATE) * 0.3).astype(np.float32)  # one second
    audio = np.concatenate([np.zeros(RATE, np.float32), tone, np.zeros(RATE, np.float32), tone])
    found = shared_out(audio, RATE, "abcd efgh")
    assert found[0].start == pytest.approx(1.0, abs=0.02) and found[0].end == pytest.approx(2.0, abs=0.02)
    assert found[1].start == pytest.approx(3.0, abs=0.02) and found[1].end == pytest.approx(4.0, abs=0.02)
    silent = shared_out(np.zeros(RATE, np.float32), RATE, "abcd efgh")
    assert silent[0].end == pytest.approx(0.5, abs=0.02) and silent[1].end == pytest.approx(1.0, abs=0.02)


def test_a_cut_is_where_it_is_quiet(recording: Speech) -> None:
    index = next(place for place, word in enumerate(recording.words) if word.text == "Nobody")
    place = cut_before(recording.audio, recording.rate, recording.words, index) / recording.rate
    assert recording.words[index - 1].end < place < recording.words[index].start
    for wrong in (0, len(recording.words)):
        with pytest.raises(ValueError, match="one of the words 1 to"):
            cut_before(recording.audio, recording.rate, recording.words, wrong)


def test_a_stretched_sequence_is_found_again() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 5))
    times = np.random.default_rng(1).integers(1, 4, 40)
    path = warped(rows, np.repeat(rows, times, axis=0))
    assert np.array_equal(np.repeat(np.arange(40), times)[path[:, 1]], path[:, 0])
    assert tuple(path[0]) == (0, 0) and tuple(path[-1]) == (39, times.sum() - 1)
    same = warped(rows, rows)
    assert np.array_equal(same[:, 0], same[:, 1])


def test_the_path_is_the_cheapest_there_is() -> None:
    """Against the recursion of the paper, written out."""
    chance = np.random.default_rng(2)
    one, other = chance.standard_normal((7, 3)), chance.standard_normal((9, 3))
    distance = np.linalg.norm(one[:, None] - other[None], axis=2)
    best = np.full((7, 9), np.inf)
    best[0, 0] = distance[0, 0]
    for row, column in itertools.product(range(7), range(9)):
        if row and column:
            best[row, column] = best[row - 1, column - 1] + 2 * distance[row, column]
        if row:
            best[row, column] = min(best[row, column], best[row - 1, column] + distance[row, column])
        if column:
            best[row, column] = min(best[row, column], best[row, column - 1] + distance[row, column])
    path = warped(one, other)
    steps = np.diff(path, axis=0)
    assert steps.min() == 0 and steps.max() == 1 and (steps.sum(1) >= 1).all()
    cost = distance[0, 0] + sum(
        step.sum() * distance[row, column] for step, (row, column) in zip(steps, path[1:], strict=True)
    )
    assert cost == pytest.approx(best[-1, -1])


def test_features_compare_voices(recording: Speech) -> None:
    found = features(recording.audio)
    assert found.shape == (round(recording.seconds * 100), 26)
    assert np.abs(found.mean(0)).max() < 1e-6 and np.abs(found.std(0) - 1).max() < 1e-6
    np.testing.assert_allclose(features(0.25 * recording.audio), found, atol=1e-3)  # loudness is no matter


def test_it_can_be_stopped(recording: Speech) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        aligned(recording.audio, recording.rate, TEXT, stop)
