"""Tempo, pitch and pitch range of a voice, measured on vowels whose pitch is known."""

import numpy as np
import pytest

from expressive.speech.pitch import pitch_track
from expressive.speech.psola import changed, louder

RATE = 16_000


def vowel(hertz: float | np.ndarray, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    """An “a” of a pitch, or of one for each sample: pulses through three formants. float32 [samples]"""
    from scipy.signal import lfilter

    phase = np.cumsum(np.broadcast_to(np.asarray(hertz, float), round(seconds * rate)) / rate)
    wave = np.diff(np.floor(phase), prepend=0.0)
    for centre, width in ((700, 110), (1200, 120), (2600, 160)):
        radius, angle = np.exp(-np.pi * width / rate), 2 * np.pi * centre / rate
        wave = np.asarray(lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], wave))
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


def noise(seconds: float, level: float = 0.05) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)


def measured(audio: np.ndarray, near: float, rate: int = RATE) -> float:
    """Hertz within a fifth of `near`, by the autocorrelation of the middle 0.4 seconds."""
    half = rate // 5
    middle = audio[len(audio) // 2 - half : len(audio) // 2 + half].astype(float)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 1 << 16)) ** 2)
    low, high = int(rate / near / 1.2), int(rate / near * 1.2) + 1
    lag = low + int(correlation[low:high].argmax())
    before, here, after = correlation[lag - 1 : lag + 2]
    return rate / (lag + 0.5 * (before - after) / (before - 2 * here + after))


def spread(audio: np.ndarray) -> tuple[float, float]:
    """Deviation of the pitch in semitones, and its median in hertz."""
    track = pitch_track(audio, RATE)
    return float(12 * np.log2(track.hertz[track.voiced]).std()), track.median


def loudness(audio: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt((audio.astype(float) ** 2).mean())))


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("hertz", [80.0, 120.0, 210.0, 390.0])
def test_the_pitch_of_a_vowel_is_found(hertz: float, rate: int) -> None:
    track = pitch_track(vowel(hertz, 0.5, rate), rate)
    assert track.median == pytest.approx(hertz, rel=0.01) and track.voiced.mean() > 0.9
    assert np.abs(track.hertz[track.voiced] / hertz - 1).max() < 0.05


def test_noise_and_silence_have_no_pitch() -> None:
    assert not pitch_track(noise(0.5), RATE).voiced.any()
    assert not pitch_track(np.zeros(8000, np.float32), RATE).voiced.any()
    word = np.concatenate([noise(0.3, 0.02), vowel(150.0, 0.4), np.zeros(4800, np.float32)])
    track = pitch_track(word, RATE)
    said = (track.times > 0.33) & (track.times < 0.67)
    assert track.voiced[said].all() and not track.voiced[(track.times < 0.27) | (track.times > 0.73)].any()


def test_what_changes_nothing_gives_the_samples_back() -> None:
    audio = vowel(120.0)
    same = changed(audio, RATE)
    assert np.array_equal(same, audio) and same is not audio
    assert np.array_equal(louder(audio, 0.0), audio)


@pytest.mark.parametrize("semitones", [-12.0, -5.0, -2.0, 3.0, 7.0, 12.0])
def test_the_pitch_moves_by_semitones_and_the_length_stays(semitones: float) -> None:
    audio = vowel(140.0)
    found = changed(audio, RATE, semitones=semitones)
    asked = 140.0 * 2 ** (semitones / 12)
    assert len(found) == len(audio) and found.dtype == np.float32
    assert measured(found, asked) == pytest.approx(asked, rel=0.01)
    assert abs(loudness(found) - loudness(audio)) < 4


@pytest.mark.parametrize("tempo", [0.5, 0.8, 1.3, 2.0])
def test_the_tempo_changes_and_the_pitch_stays(tempo: float) -> None:
    audio = vowel(140.0)
    found = changed(audio, RATE, tempo=tempo)
    assert len(found) == round(len(audio) / tempo)
    assert measured(found, 140.0) == pytest.approx(140.0, rel=0.01)
    assert abs(loudness(found) - loudness(audio)) < 1


@pytest.mark.parametrize("tempo", [0.6, 1.7])
def test_events_come_when_the_tempo_says(tempo: float) -> None:
    silence = np.zeros(RATE // 4, np.float32)
    audio = np.concatenate([silence, vowel(120.0, 0.3), silence, noise(0.2, 0.1), silence, vowel(200.0, 0.3), silence])
    found = changed(audio, RATE, tempo=tempo, semitones=2.0)

    def onsets(wave: np.ndarray) -> np.ndarray:
        loud = np.abs(wave) > 0.05
        closed = np.convolve(loud, np.ones(1600), "same") > 0  # 0.1 s
        return np.flatnonzero(np.diff(closed.astype(int)) > 0) / RATE

    expected = np.array([0.25, 0.8, 1.25]) - 0.05
    assert onsets(audio) == pytest.approx(expected, abs=0.02)
    assert onsets(found) == pytest.approx((expected + 0.05) / tempo - 0.05, abs=0.03)


def test_the_range_widens_and_narrows_around_the_median() -> None:
    melody = vowel(130 * 2 ** (0.25 * np.sin(np.linspace(0, 4 * np.pi, RATE))))
    usual, median = spread(melody)
    assert usual > 1.5
    for factor in (0.0, 0.5, 2.0):
        deviation, centre = spread(changed(melody, RATE, pitch_range=factor))
        assert deviation == pytest.approx(factor * usual, abs=0.25) and centre == pytest.approx(median, rel=0.03)


def test_a_vowel_stays_the_vowel_that_it_is() -> None:
    """Its formants stay where they are: half an octave up and down, most of the sound is where it was."""

    def share(wave: np.ndarray, low: float, high: float) -> float:
        power = np.abs(np.fft.rfft(wave.astype(float))) ** 2
        hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
        return float(power[(hertz > low) & (hertz < high)].sum() / power.sum())

    audio = vowel(110.0)
    for semitones in (-6.0, 6.0):
        found = changed(audio, RATE, semitones=semitones)
        for band in ((500.0, 950.0), (950.0, 1500.0), (2200.0, 3000.0)):
            assert share(found, *band) == pytest.approx(share(audio, *band), abs=0.15)


def test_breath_keeps_its_loudness_and_its_sound() -> None:
    audio = noise(1.0, 0.1)
    for tempo in (0.6, 1.8):
        found = changed(audio, RATE, tempo=tempo, semitones=4.0)
        assert abs(loudness(found) - loudness(audio)) < 2
        power = np.abs(np.fft.rfft(found.astype(float))) ** 2
        low, high = (part.mean() for part in np.array_split(power, 2))
        assert 0.6 < low / high < 1.6


@pytest.mark.parametrize("samples", [0, 1, 10, 700])
def test_short_and_silent_sounds_do_no_harm(samples: int) -> None:
    for audio in (np.zeros(samples, np.float32), vowel(120.0)[:samples]):
        found = changed(audio, RATE, tempo=0.8, semitones=-3.0, pitch_range=1.5)
        assert len(found) == round(samples / 0.8) and np.isfinite(found).all()


def test_it_repeats_and_can_be_stopped() -> None:
    audio = vowel(120.0, 0.5)
    one, other = (changed(audio, RATE, tempo=1.2, semitones=1.0) for _ in range(2))
    assert np.array_equal(one, other)

    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        changed(audio, RATE, tempo=1.2, between=stop)


def test_too_much_is_too_much() -> None:
    audio = vowel(120.0, 0.1)
    for name, wrong, words in (
        ("tempo", 3.0, "tempo of a voice is 0.5 to 2, got 3"),
        ("semitones", -13.0, "shift of a voice is -12 to 12, got -13"),
        ("pitch_range", -0.1, "pitch range of a voice is 0 to 2.5, got -0.1"),
    ):
        with pytest.raises(ValueError, match=words):
            changed(audio, RATE, **{name: wrong})  # pyright: ignore[reportArgumentType]


def test_loudness_is_in_decibels_and_never_cut_off() -> None:
    quiet = 0.1 * vowel(120.0)
    assert loudness(louder(quiet, 6.0)) - loudness(quiet) == pytest.approx(6.0, abs=1e-4)
    assert loudness(louder(quiet, -10.0)) - loudness(quiet) == pytest.approx(-10.0, abs=1e-4)
    loud = louder(vowel(120.0), 12.0)
    assert 0.9 < np.abs(loud).max() <= 1.0 and loudness(loud) > loudness(vowel(120.0)) + 6
    assert (np.diff(louder(np.linspace(-1, 1, 1001).astype(np.float32), 6.0)) >= 0).all()  # order stays
