"""What was said: samples, and when each phoneme and word is heard. Every voice of the pack gives one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FADE = 0.005
"""Seconds in which the sound rises or falls where parts are joined; shorter, and a cut is heard as a click."""

_NOTHING = 1e-6  # seconds; a phoneme shorter than this has no length


@dataclass(frozen=True)
class Timed:
    """A phoneme or a word, and when: seconds from the beginning of the audio."""

    text: str  # a phoneme in IPA with its stress mark ("ˈaɪ"), "" a pause; or a word as it was written
    start: float
    end: float


@dataclass(frozen=True)
class Speech:
    """What was said.

    audio: float32 [samples], −1 … 1, one channel. rate: samples a second. phonemes: without gaps from 0 to the end,
    pauses among them, a voiceless stop from where the mouth closes; empty if the voice does not know its phonemes.
    words: in order, with gaps at pauses.
    """

    audio: np.ndarray
    rate: int
    phonemes: tuple[Timed, ...]
    words: tuple[Timed, ...]

    @property
    def seconds(self) -> float:
        return len(self.audio) / self.rate

    def padded(self, before: float, after: float) -> Speech:
        """The same with silence around it, in seconds (rounded to samples)."""
        first, last = round(before * self.rate), round(after * self.rate)
        total = (first + len(self.audio) + last) / self.rate
        words = _moved(self.words, first / self.rate)
        moved = _moved(self.phonemes, first / self.rate)
        if moved:
            moved = merged([Timed("", 0.0, moved[0].start), *moved, Timed("", moved[-1].end, total)])
        return Speech(np.pad(self.audio, (first, last)), self.rate, moved, words)


def joined(speeches: Sequence[Speech], pause: float | Sequence[float] = 0.0) -> Speech:
    """Parts that are spoken one after the other, as one.

    pause: seconds of silence between two parts (rounded to samples), or those of each gap, one fewer than parts. Where
    parts meet, the end of one falls and the beginning of the next rises over `FADE` along half a cosine; one part alone
    stays as it is. The phonemes are known if all parts know theirs. Raises ValueError: no part, parts of different
    rates, a negative pause, or a number of pauses that does not fit.
    """
    if not speeches:
        raise ValueError("There is no speech to join.")
    rates = sorted({speech.rate for speech in speeches})
    if len(rates) > 1:
        raise ValueError(f"Speech of one sample rate can be joined, got {rates[0]} and {rates[-1]} Hz: resample first.")
    rate, gaps = rates[0], len(speeches) - 1
    pauses = list(pause) if isinstance(pause, Sequence) else [pause] * gaps
    if len(pauses) != gaps or any(seconds < 0 for seconds in pauses):
        raise ValueError(f"Between {len(speeches)} parts are {gaps} pauses of 0 seconds or more, got {pauses}.")
    if not gaps:
        return speeches[0]
    silences = [round(seconds * rate) for seconds in pauses]
    pieces: list[np.ndarray] = []
    phonemes: list[Timed] = []
    words: list[Timed] = []
    place = 0  # of the part's first sample
    for index, (speech, silence) in enumerate(zip(speeches, [*silences, 0], strict=True)):
        pieces += [_faded(speech, rises=index > 0, falls=index < gaps), np.zeros(silence, np.float32)]
        offset, end = place / rate, (place + len(speech.audio)) / rate
        place += len(speech.audio) + silence
        # a voice's last sound may end a fraction of a sample behind the samples
        phonemes += [Timed(p.text, min(p.start, end), min(p.end, end)) for p in _moved(speech.phonemes, offset)]
        phonemes.append(Timed("", end, place / rate))
        words += [Timed(w.text, min(w.start, end), min(w.end, end)) for w in _moved(speech.words, offset)]
    known = all(speech.phonemes for speech in speeches)
    return Speech(np.concatenate(pieces), rate, _chained(phonemes, place / rate) if known else (), tuple(words))


def resampled(speech: Speech, rate: int) -> Speech:
    """The same at so many samples a second; the timings stay. ValueError for a rate below 1."""
    if rate == speech.rate:
        return speech
    return Speech(resampled_wave(speech.audio, speech.rate, rate), rate, speech.phonemes, speech.words)


def resampled_wave(wave: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples [n] at `rate` a second → float32 [⌈n · wanted / rate⌉], within −1 … 1. ValueError for a rate below 1."""
    if rate < 1 or wanted < 1:
        raise ValueError(f"A sample rate is 1 or more, got {rate} and {wanted} Hz.")
    from scipy.signal import resample_poly

    common = int(np.gcd(wanted, rate))
    found = resample_poly(wave.astype(np.float64), wanted // common, rate // common)
    return np.clip(found, -1.0, 1.0).astype(np.float32)


def merged(phonemes: Sequence[Timed]) -> tuple[Timed, ...]:
    """Without those of no length, and with neighbouring pauses as one."""
    kept: list[Timed] = []
    for phoneme in phonemes:
        if phoneme.end - phoneme.start < _NOTHING:
            continue
        if kept and not kept[-1].text and not phoneme.text:
            kept[-1] = Timed("", kept[-1].start, phoneme.end)
        else:
            kept.append(phoneme)
    return tuple(kept)


def _moved(timed: Sequence[Timed], by: float) -> tuple[Timed, ...]:
    return tuple(Timed(one.text, one.start + by, one.end + by) for one in timed)


def _chained(phonemes: Sequence[Timed], total: float) -> tuple[Timed, ...]:
    """Each until the next begins, the last one to the end."""
    ends = itertools.pairwise([*phonemes, Timed("", total, total)])
    return merged([Timed(one.text, one.start, following.start) for one, following in ends])


def _faded(speech: Speech, *, rises: bool, falls: bool) -> np.ndarray:
    """The audio, float32 [samples], from silence, to silence, or both."""
    audio = speech.audio.astype(np.float32)
    length = min(round(FADE * speech.rate), len(audio) // 2)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))).astype(np.float32)
    if rises:
        audio[:length] *= ramp
    if falls and length:
        audio[-length:] *= ramp[::-1]
    return audio
