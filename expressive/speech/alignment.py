"""When each word of a known text is heard in a recording.

The text is spoken by eSpeak NG as well, which knows when it says what, and dynamic time warping over cepstra tells
which moment of the one is which of the other: H. Sakoe and S. Chiba, “Dynamic programming algorithm optimization for
spoken word recognition”, 1978 (symmetric, slope constraint P = 0, adjustment window).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import SequenceMatcher

import numpy as np

from .markup import without_tags
from .spoken import Timed, resampled_wave

RATE = 16_000
"""Samples a second that are looked at."""

STEP = 0.01
"""Seconds between two looks."""

_WINDOW, _LENGTH = 400, 512  # samples of a look, and of its spectrum
_BANDS, _COEFFICIENTS = 32, 13
_LOWEST, _HIGHEST = 80.0, 7600.0  # hertz
_QUIET = 1e-5  # of the loudest power: below, all is silence
_BELOW = 0.02  # of the loudest amplitude: no speech
_BAND = 0.2  # of the length that one recording may be ahead of the other
_LEAST_BAND = 100  # looks
_PACE = 5  # times as long or as short as eSpeak NG's: the recording does not say the text
_BATCH = 256  # diagonals between two looks whether to stop
_PUNCTUATION = ".,;:!?\"'()[]{}-–—…“”‘’«»"


def aligned(audio: np.ndarray, rate: int, text: str, between: Callable[[], None] = lambda: None) -> tuple[Timed, ...]:
    """The words of a text, and when each is heard in samples [S] at `rate` a second that speak it; in order.

    Tags for Dia are not words. Without eSpeak NG (the package espeakng-loader), or where the recording is far longer or
    shorter than the text, the words share the time that is not silent by their letters. Empty for a text without words.
    between: called now and then, to stop.
    """
    from ..pocket.talking import speech

    words = without_tags(text)
    if not any(sign.isalnum() for sign in words) or not len(audio):
        return ()
    try:
        spoken = speech.speak(words)
    except (ImportError, RuntimeError, ValueError):  # not there, broken, or a text that it does not take
        return shared_out(audio, rate, words)
    between()
    wave = np.asarray(audio, np.float32)
    heard = resampled_wave(wave, rate, RATE) if rate != RATE else wave
    ours, theirs = _span(spoken.audio), _span(heard)
    if not 1 / _PACE < (theirs.stop - theirs.start) / max(1, ours.stop - ours.start) < _PACE:
        return shared_out(audio, rate, words)
    path = warped(features(spoken.audio[ours]), features(heard[theirs]), between)
    # for each look at eSpeak NG's voice, the mean of the looks at the recording that it goes with
    counts = np.bincount(path[:, 0])
    place = np.bincount(path[:, 0], weights=path[:, 1]) / counts
    total = len(audio) / rate

    def moment(seconds: float) -> float:
        look = np.interp((seconds - ours.start / RATE) / STEP, np.arange(len(place)), place)
        return min(total, theirs.start / RATE + float(look) * STEP)

    found = [Timed(word.text, moment(word.start), moment(word.end)) for word in spoken.words]
    return _completed(_bare(words), found)


def shared_out(audio: np.ndarray, rate: int, text: str) -> tuple[Timed, ...]:
    """The words of a text over what is not silent in samples [S], each as long as it has letters."""
    words = _bare(without_tags(text))
    if not words or not len(audio):
        return ()
    heard, looks = _loud(audio, rate)
    if not len(heard):
        heard = np.arange(looks)
    letters = np.array([1 + len(_letters(word)) for word in words], float)
    edges = np.concatenate([[0.0], np.cumsum(letters) / letters.sum()]) * len(heard)
    last, total = len(heard) - 1, len(audio) / rate
    found = []
    for word, start, end in zip(words, edges[:-1], edges[1:], strict=True):
        first = float(heard[min(last, int(start))]) + start % 1
        beyond = float(heard[min(last, max(0, int(np.ceil(end)) - 1))]) + 1
        found.append(Timed(word, min(total, first * STEP), min(total, max(first, beyond) * STEP)))
    return _in_order(found)


def cut_before(audio: np.ndarray, rate: int, words: tuple[Timed, ...], index: int) -> int:
    """The sample before word `index` (1 or more) at which it is quietest, for a cut: within 0.25 s of where the word
    before ends and it begins. ValueError for an index that is no word's."""
    if not 1 <= index < len(words):
        raise ValueError(f"A cut is before one of the words 1 to {len(words) - 1}, got {index}.")
    width, reach = max(1, round(0.02 * rate)), 0.25
    low = max(0, round((min(words[index - 1].end, words[index].start) - reach) * rate))
    high = min(len(audio), round((max(words[index - 1].end, words[index].start) + reach) * rate))
    power = np.concatenate([[0.0], np.cumsum(np.asarray(audio[low:high], np.float64) ** 2)])
    if len(power) <= width:
        return low
    return low + int((power[width:] - power[:-width]).argmin()) + width // 2


def features(wave: np.ndarray) -> np.ndarray:
    """Samples [S] at 16 kHz → float64 [N,26], a row for each `STEP`: 13 mel cepstra and their slopes, each with mean 0
    and deviation 1 over the recording, so that voices compare."""
    from scipy.fft import dct

    count = max(1, round(len(wave) / RATE / STEP))
    padded = np.pad(np.asarray(wave, np.float64), (_WINDOW // 2, _WINDOW + round(STEP * RATE)))
    starts = np.round(np.arange(count) * STEP * RATE).astype(int)
    looks = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)  # [N,400]
    power = np.abs(np.fft.rfft(looks, _LENGTH)) ** 2 @ _mel_bands().T  # [N,bands]
    logs = np.log(np.maximum(power, max(float(power.max()) * _QUIET, 1e-12)))
    cepstra = np.asarray(dct(logs, norm="ortho", axis=1))[:, :_COEFFICIENTS]
    ahead, behind = (np.roll(np.pad(cepstra, ((2, 2), (0, 0)), "edge"), by, axis=0)[2:-2] for by in (-2, 2))
    both = np.concatenate([cepstra, ahead - behind], 1)
    return (both - both.mean(0)) / np.maximum(both.std(0), 1e-6)


def warped(one: np.ndarray, other: np.ndarray, between: Callable[[], None] = lambda: None) -> np.ndarray:
    """Rows [N,D] and [M,D] → int [P,2], which row goes with which, from the first two to the last two.

    Each step goes on in one of them or in both, and what it costs is the distance of the two rows, twice for a step in
    both. Neither may be ahead by more than a fifth of the length, or a second.
    """
    rows, columns = len(one), len(other)
    slope = rows / columns
    reach = max(_LEAST_BAND, _BAND * max(rows, columns))
    infinite = np.full(rows + 1, np.inf)  # the costs of a diagonal, by row, from place 1 on
    last, before = infinite, infinite
    steps: list[tuple[int, np.ndarray]] = []
    for diagonal in range(rows + columns - 1):
        if diagonal % _BATCH == 0:
            between()
        low = max(0, diagonal - columns + 1, int(np.ceil((diagonal * slope - reach) / (1 + slope))))
        high = min(rows - 1, diagonal, int((diagonal * slope + reach) / (1 + slope)))
        here = np.arange(low, high + 1)
        distance = np.linalg.norm(one[here] - other[diagonal - here], axis=1)
        # from both one back, from a row back, from a column back
        ways = np.stack([before[here] + 2 * distance, last[here] + distance, last[here + 1] + distance])
        if diagonal == 0:
            ways[:] = distance
        choice = ways.argmin(0)
        costs = infinite.copy()
        costs[here + 1] = ways[choice, np.arange(len(here))]
        steps.append((low, choice.astype(np.int8)))
        before, last = last, costs
    row, column = rows - 1, columns - 1
    path = [(row, column)]
    while row or column:
        low, choice = steps[row + column]
        way = int(choice[row - low])
        row, column = row - (way != 2), column - (way != 1)
        path.append((row, column))
    return np.array(path[::-1])


def _loud(audio: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Which looks, each a `STEP` long, are not silent, int [N], and how many there are."""
    size = max(1, round(STEP * rate))
    whole = np.asarray(audio, np.float64)
    looks = np.sqrt((np.pad(whole, (0, -len(whole) % size)).reshape(-1, size) ** 2).mean(1))  # [N·size] → [N,size]
    return np.flatnonzero(looks > _BELOW * looks.max(initial=0.0)), len(looks)


def _span(wave: np.ndarray) -> slice:
    """Samples at `RATE` from the first to the last that is not silent; all if all is."""
    heard, _ = _loud(wave, RATE)
    size = round(STEP * RATE)
    return slice(int(heard[0]) * size, (int(heard[-1]) + 1) * size) if len(heard) else slice(0, len(wave))


def _mel_bands() -> np.ndarray:
    """Triangles [bands,257] over a power spectrum, evenly spaced in mel (2595 log10(1 + f / 700))."""
    low_mel, high_mel = (2595 * math.log10(1 + hertz / 700) for hertz in (_LOWEST, _HIGHEST))
    mels = np.linspace(low_mel, high_mel, _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hertz = np.fft.rfftfreq(_LENGTH, 1 / RATE)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0.0, np.minimum((hertz - low) / (centre - low), (high - hertz) / (high - centre)))


def _completed(words: list[str], found: list[Timed]) -> tuple[Timed, ...]:
    """Every word as it is written, without outer punctuation.

    eSpeak NG takes some words as one (“for a”) and reads others as several (“10-12”): those share their time by
    letters.
    """
    keys = [[_letters(text) for text in texts] for texts in (words, [one.text for one in found])]
    whole: list[Timed] = []
    for kind, first, last, start, end in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if kind == "equal":
            whole += [
                Timed(word, one.start, one.end) for word, one in zip(words[first:last], found[start:end], strict=True)
            ]
        elif kind == "replace":
            whole += _divided(words[first:last], found[start].start, found[end - 1].end)
        elif kind == "delete" and whole:
            before = whole.pop()
            whole += _divided([before.text, *words[first:last]], before.start, before.end)
        elif kind == "delete" and found:
            whole += _divided(words[first:last], found[0].start, found[0].start)
    return tuple(whole)


def _divided(words: list[str], start: float, end: float) -> list[Timed]:
    """Words one after the other, each as long as it has letters."""
    sizes = np.array([1 + len(_letters(word)) for word in words], float)
    edges = start + (end - start) * np.concatenate([[0.0], np.cumsum(sizes) / sizes.sum()])
    return [Timed(word, float(a), float(b)) for word, a, b in zip(words, edges[:-1], edges[1:], strict=True)]


def _bare(text: str) -> list[str]:
    """Its words without outer punctuation."""
    return [bare for word in text.split() if (bare := word.strip(_PUNCTUATION))]


def _letters(word: str) -> str:
    return "".join(sign for sign in word.lower() if sign.isalnum())


def _in_order(words: list[Timed]) -> tuple[Timed, ...]:
    """Each from where the one before ends, at the earliest."""
    found: list[Timed] = []
    for word in words:
        start = max(word.start, found[-1].end if found else 0.0)
        found.append(Timed(word.text, start, max(start, word.end)))
    return tuple(found)
