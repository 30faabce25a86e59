"""Speech in pieces: padded, joined and resampled with timings that stay right and without clicks."""

import itertools

import numpy as np
import pytest

from expressive.speech.spoken import FADE, Speech, Timed, joined, resampled, resampled_wave


def hum(seconds: float, rate: int = 16_000, *, phonemes: bool = True, level: float = 0.5) -> Speech:
    """A constant, which is as far from silence at its ends as a sound can be; half of it is an "a"."""
    audio = np.full(round(seconds * rate), level, np.float32)
    end = len(audio) / rate
    said = (Timed("a", 0.0, end / 2), Timed("", end / 2, end)) if phonemes else ()
    return Speech(audio, rate, said, (Timed("ah", 0.0, end / 2),))


def tone(seconds: float, rate: int, hertz: float = 440.0) -> Speech:
    times = np.arange(round(seconds * rate)) / rate
    return Speech((0.5 * np.sin(2 * np.pi * hertz * times)).astype(np.float32), rate, (), ())


def largest_step(speech: Speech) -> float:
    return float(np.abs(np.diff(speech.audio)).max())


def test_a_voice_without_phonemes_can_be_padded() -> None:
    padded = hum(0.5, phonemes=False).padded(0.1, 0.2)
    assert padded.seconds == pytest.approx(0.8)
    assert padded.phonemes == ()
    assert (padded.words[0].start, padded.words[0].end) == pytest.approx((0.1, 0.35))
    assert not padded.audio[:1600].any() and not padded.audio[-3200:].any()


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_parts_are_joined_without_a_click(rate: int) -> None:
    parts = [hum(0.5, rate), hum(0.3, rate, level=-0.5), hum(0.4, rate)]
    for pause in (0.0, 0.25):
        whole = joined(parts, pause)
        # the steepest step of half a cosine of height 0.5 over FADE
        assert largest_step(whole) <= 1.01 * 0.5 * np.pi / 2 / (FADE * rate)
        assert whole.audio.dtype == np.float32
    assert largest_step(Speech(np.concatenate([part.audio for part in parts]), rate, (), ())) == 1.0


def test_only_the_cuts_are_faded() -> None:
    first, second = hum(0.5), hum(0.3)
    whole, fade = joined([first, second]).audio, round(FADE * 16_000)
    np.testing.assert_array_equal(whole[: 8000 - fade], first.audio[:-fade])
    np.testing.assert_array_equal(whole[8000 + fade :], second.audio[fade:])
    assert (whole[8000 - fade : 8000 + fade] < 0.5).all()
    np.testing.assert_array_equal(first.audio, np.float32(0.5))  # the parts themselves stay


def test_timings_of_joined_parts_are_those_of_the_sound() -> None:
    whole = joined([hum(0.5), hum(0.3), hum(0.4)], [0.25, 0.1])
    assert whole.seconds == pytest.approx(1.55)
    assert [word.start for word in whole.words] == pytest.approx([0.0, 0.75, 1.15])
    assert [word.end for word in whole.words] == pytest.approx([0.25, 0.9, 1.35])
    assert [phoneme.text for phoneme in whole.phonemes] == ["a", "", "a", "", "a", ""]
    assert whole.phonemes[0].start == 0.0 and whole.phonemes[-1].end == pytest.approx(whole.seconds)
    for before, after in itertools.pairwise(whole.phonemes):
        assert before.start < before.end == after.start < after.end
    for word, phoneme in zip(whole.words, whole.phonemes[::2], strict=True):
        assert (word.start, word.end) == pytest.approx((phoneme.start, phoneme.end))


def test_timings_stay_within_parts_that_end_a_little_early() -> None:
    late = Speech(np.zeros(8000, np.float32), 16_000, (Timed("a", 0.0, 0.50004),), (Timed("ah", 0.0, 0.50004),))
    whole = joined([late, late])
    assert [(p.start, p.end) for p in whole.phonemes] == [(0.0, 0.5), (0.5, 1.0)]
    assert whole.words[0].end <= whole.words[1].start


def test_phonemes_of_the_whole_are_known_if_all_parts_know_theirs() -> None:
    whole = joined([hum(0.5), hum(0.3, phonemes=False)], 0.1)
    assert whole.phonemes == () and len(whole.words) == 2


def test_one_part_stays_as_it_is() -> None:
    part = hum(0.5)
    assert joined([part], 0.3) is part


def test_a_part_shorter_than_a_fade_is_joined_too() -> None:
    short = Speech(np.full(3, 0.5, np.float32), 16_000, (), ())
    empty = Speech(np.zeros(0, np.float32), 16_000, (), ())
    assert len(joined([hum(0.1), short, empty, hum(0.1)]).audio) == 3203


@pytest.mark.parametrize(
    ("parts", "pause", "message"),
    [
        ([], 0.0, "no speech to join"),
        ([hum(0.1), hum(0.1, 44_100)], 0.0, "got 16000 and 44100 Hz: resample first"),
        ([hum(0.1), hum(0.1)], -0.1, "1 pauses of 0 seconds or more"),
        ([hum(0.1), hum(0.1)], [0.1, 0.1], "Between 2 parts are 1 pauses"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_a_sentence(
    parts: list[Speech], pause: float | list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        joined(parts, pause)


@pytest.mark.parametrize(("rate", "wanted"), [(16_000, 44_100), (44_100, 16_000), (22_050, 16_000)])
def test_a_tone_is_the_same_tone_at_another_rate(rate: int, wanted: int) -> None:
    found, expected = resampled(tone(0.5, rate), wanted), tone(0.5, wanted)
    assert found.rate == wanted and found.audio.dtype == np.float32
    assert found.seconds == pytest.approx(0.5, abs=1 / wanted)
    inner = slice(wanted // 20, wanted // 3)  # away from where it begins and ends
    np.testing.assert_allclose(found.audio[inner], expected.audio[inner], atol=5e-3)


def test_resampling_keeps_the_timings_and_the_limits() -> None:
    loud = hum(0.5, level=1.0)
    found = resampled(loud, 44_100)
    assert (found.phonemes, found.words) == (loud.phonemes, loud.words)
    assert np.abs(found.audio).max() <= 1.0
    assert resampled(loud, 16_000) is loud
    with pytest.raises(ValueError, match="1 or more, got 16000 and 0 Hz"):
        resampled_wave(loud.audio, 16_000, 0)
