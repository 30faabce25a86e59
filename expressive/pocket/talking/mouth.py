"""Lips over time: visemes that run into each other, as tongues and lips have mass.

Cohen and Massaro (1993), "Modeling coarticulation in synthetic visual speech": every segment s pulls every articulator
p towards its target T_sp with a dominance D_sp(t) = α_sp exp(−(θ d)^c), d the time to the segment; what is seen is
Σ D T / Σ D. Beyond their model, lips that must touch (p b m, f v) do touch, for as long as one frame at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...speech.spoken import Speech
from .visemes import SHAPES, parts

OPENING = ("AU25", "AU26", "AU27", "AU16", "AU10", "AU22")
"""Action units that part the lips."""

FRAME = 0.04  # seconds; lips stay closed this long at least, so that no frame rate from 25 on misses it


@dataclass(frozen=True)
class Articulator:
    """Action units that move together. attack, decay: seconds in which dominance falls to 1/e before and after."""

    codes: tuple[str, ...]
    attack: float
    decay: float
    dominance: Mapping[str, float]  # viseme → α; others 1


ARTICULATORS = (
    Articulator(
        ("AU25", "AU16", "AU10"), 0.045, 0.045, {"PP": 3.0, "FF": 2.5, "kk": 0.5, "nn": 0.7, "DD": 0.7, "sil": 1.5}
    ),
    Articulator(
        ("AU26", "AU27"), 0.060, 0.060, {"aa": 2.0, "E": 1.5, "oh": 1.8, "SS": 1.5, "CH": 1.2, "kk": 0.3, "RR": 0.5}
    ),
    Articulator(
        ("AU18", "AU22"),
        0.090,
        0.070,
        {"ou": 4.0, "oh": 2.5, "CH": 2.5, "RR": 0.8, "ih": 1.2, "E": 0.9, "aa": 0.9}
        | dict.fromkeys(("PP", "FF", "TH", "DD", "kk", "SS", "nn", "sil"), 0.2),
    ),
    Articulator(("AU20",), 0.070, 0.060, {"ih": 2.0, "SS": 0.8, "ou": 1.5, "kk": 0.3, "DD": 0.3, "nn": 0.3}),
    Articulator(("AU24", "AU32", "AU19"), 0.022, 0.022, {"PP": 2.0, "FF": 2.0, "TH": 2.0}),
)

_POWER = 1.4  # c of the dominance function
_CORE = 0.5  # share of a segment in the middle of which its dominance is whole
_LONGEST_INSET = 0.03  # seconds; a long sound is held
_LIP_CLOSURE = 0.045  # seconds that lips take to close or open
_LOUD_JAW = (0.65, 0.45)  # jaw: share that is always there, and share that follows the loudness
_LOUD_LIPS = (0.85, 0.2)
_GAP = 0.60  # seconds; in a shorter pause the face stays that of someone who speaks
_BLOCK = 256  # times at once: bounds the memory that a long speech takes
_FOREVER = 1e5  # seconds
_SETTLE = 0.14  # seconds between the face's own mouth and a speaking one


@dataclass(frozen=True)
class Segment:
    """A viseme in time, in seconds."""

    viseme: str
    strength: float
    start: float
    end: float


def segments(speech: Speech) -> tuple[Segment, ...]:
    """The visemes of a speech, without gaps, two of a diphthong; silence before it and after it."""
    found = [Segment("sil", 1.0, -_FOREVER, 0.0)]
    for phoneme in speech.phonemes:
        start = phoneme.start
        for part in parts(phoneme.text):
            end = start + part.share * (phoneme.end - phoneme.start)
            found.append(Segment(part.viseme, part.strength, start, end))
            start = end
    return (*found, Segment("sil", 1.0, speech.seconds, speech.seconds + _FOREVER))


def mouth(speech: Speech, times: Sequence[float] | np.ndarray, articulation: float = 1.0) -> list[dict[str, float]]:
    """Action units of the speaking mouth at each time (seconds, in any order): FACS code → intensity.

    articulation: factor of everything but contact of the lips.
    """
    at = np.asarray(times, dtype=np.float64)
    said = segments(speech)
    touching = contact(speech, at)
    loud = loudness(speech, at)
    jaw, lips = (base + gain * loud for base, gain in (_LOUD_JAW, _LOUD_LIPS))
    values: dict[str, np.ndarray] = {}
    for articulator in ARTICULATORS:
        # [segments, codes]
        targets = np.array([[SHAPES[s.viseme].get(code, 0.0) * s.strength for code in articulator.codes] for s in said])
        blocks = [_weights(said, at[i : i + _BLOCK], articulator) @ targets for i in range(0, len(at), _BLOCK)]
        values |= zip(articulator.codes, np.concatenate([np.empty((0, targets.shape[1])), *blocks]).T, strict=True)
    for code in ("AU26", "AU27"):
        values[code] *= jaw * articulation
    for code in ("AU25", "AU16", "AU10", "AU18", "AU22", "AU20"):
        values[code] *= lips * articulation
    for code in OPENING:
        if code in values:
            values[code] *= 1 - touching
    return [
        {code: round(float(value[i]), 5) for code, value in values.items() if value[i] > 1e-4} for i in range(len(at))
    ]


def contact(speech: Speech, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """How far the lips are forced together, float64 [times], 0 … 1: whole while p, b, m, f or v hold."""
    at = np.asarray(times, dtype=np.float64)
    closed = np.zeros_like(at)
    for phoneme in speech.phonemes:
        first = parts(phoneme.text)[0].viseme
        if first not in ("PP", "FF"):
            continue
        # of a p the last third is breath, through lips that open already
        release = 0.62 if phoneme.text.lstrip("ˈˌ").startswith("p") else 0.9
        start, end = phoneme.start, phoneme.start + release * (phoneme.end - phoneme.start)
        middle, half = (start + end) / 2, max(end - start, 1.05 * FRAME) / 2
        away = np.maximum(0.0, np.abs(at - middle) - half) / _LIP_CLOSURE
        closed = np.maximum(closed, 1 - _smooth(away))
    return closed


def speaking(speech: Speech, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """How far the mouth belongs to speech, float64 [times]: 1 within words and short pauses, 0 in silence."""
    at = np.asarray(times, dtype=np.float64)
    result = np.zeros_like(at)
    for start, end in _stretches(speech):
        away = np.maximum(0.0, np.maximum(start - at, at - end)) / _SETTLE
        result = np.maximum(result, 1 - _smooth(away))
    return result


def loudness(speech: Speech, times: Sequence[float] | np.ndarray) -> np.ndarray:
    """Loudness around each time (60 ms, Hann), as a share of the speech's loud parts: float64 [times], 0 … 1.25."""
    step = speech.rate // 200  # samples in 5 ms
    whole = np.pad(speech.audio.astype(np.float64), (0, -len(speech.audio) % step))
    window = np.hanning(13)[1:-1]
    power = np.convolve((whole**2).reshape(-1, step).mean(axis=1), window / window.sum(), mode="same")
    level = np.sqrt(power)
    reference = float(np.percentile(level[level > 0.02 * level.max(initial=1e-9)], 90)) if level.any() else 1.0
    places = np.asarray(times, dtype=np.float64) * speech.rate / step - 0.5
    found = np.interp(places, np.arange(len(level)), level, left=0.0, right=0.0)
    return np.minimum(1.25, found / reference)


def timed_visemes(speech: Speech) -> tuple[str, ...]:
    """The viseme of each of the speech's phonemes."""
    return tuple(parts(phoneme.text)[0].viseme for phoneme in speech.phonemes)


def _stretches(speech: Speech) -> list[tuple[float, float]]:
    said: list[tuple[float, float]] = []
    for phoneme in speech.phonemes:
        if not phoneme.text:
            continue
        if said and phoneme.start - said[-1][1] < _GAP:
            said[-1] = (said[-1][0], phoneme.end)
        else:
            said.append((phoneme.start, phoneme.end))
    return said


def _weights(said: Sequence[Segment], at: np.ndarray, articulator: Articulator) -> np.ndarray:
    """D_sp(t) / Σ D: float64 [times, segments]."""
    starts, ends = np.array([s.start for s in said]), np.array([s.end for s in said])
    inset = np.minimum((1 - _CORE) / 2 * (ends - starts), _LONGEST_INSET)
    before = np.maximum(0.0, (starts + inset)[None] - at[:, None]) / articulator.attack
    after = np.maximum(0.0, at[:, None] - (ends - inset)[None]) / articulator.decay
    strength = np.array([articulator.dominance.get(s.viseme, 1.0) for s in said])
    dominance = strength * np.exp(-((before + after) ** _POWER))
    return dominance / dominance.sum(axis=1, keepdims=True)


def _smooth(x: np.ndarray) -> np.ndarray:
    """0 at 0, 1 from 1 on, level at both ends."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)
