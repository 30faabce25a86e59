"""Another tempo, pitch and pitch range for a voice that was recorded, without the buzz of a vocoder.

Time-domain pitch-synchronous overlap-add: E. Moulines and F. Charpentier, “Pitch-synchronous waveform processing
techniques for text-to-speech synthesis using diphones”, Speech Communication 9, 1990. Where a voice has a pitch,
pieces of two of its periods are laid out anew: closer for a higher voice, some twice or not at all for another tempo.
Elsewhere (breath, s, f, silence) pieces of fixed length follow each other where their waveforms fit best: W. Verhelst
and M. Roelands, “An overlap-add technique based on waveform similarity (WSOLA)”, 1993.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .pitch import LOWEST, STEP, PitchTrack, pitch_track

TEMPO, SEMITONES, RANGE = (0.5, 2.0), (-12.0, 12.0), (0.0, 2.5)
"""What can be asked for, from and to."""

_HOP = 0.008  # seconds between two pieces without a pitch
_RATIO = (0.4, 2.5)  # of the new to the old pitch at any moment
_DRIFT = 0.2  # of a period that the next one may be longer or shorter
_ALIKE = 0.3  # correlation of two periods, below which they are taken as unlike
_BATCH = 100  # pieces between two looks whether to stop


@dataclass(frozen=True, eq=False)
class _Marks:
    """One period each of a stretch of voice: places in samples, the period there, and the new pitch by the old."""

    places: np.ndarray
    periods: np.ndarray
    ratios: np.ndarray


@dataclass(frozen=True)
class _Piece:
    """Laid to `place`, taken from `source`, both in samples; period: 0 without a pitch."""

    place: int
    source: int
    period: int


def changed(
    audio: np.ndarray,
    rate: int,
    *,
    tempo: float = 1.0,
    semitones: float = 0.0,
    pitch_range: float = 1.0,
    between: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Samples [S] of one voice → float32 [round(S / tempo)].

    tempo: 2 is twice as fast. semitones: added to the pitch. pitch_range: factor of the pitch's deviation, in
    semitones, from its median: 0 is monotone. Formants, and so who it is, stay. What changes nothing gives the samples
    back as they came. between: called now and then, to stop. Raises ValueError beyond `TEMPO`, `SEMITONES` and `RANGE`.
    """
    asked = {"tempo": (tempo, TEMPO), "shift": (semitones, SEMITONES), "pitch range": (pitch_range, RANGE)}
    for name, (value, (low, high)) in asked.items():
        if not low <= value <= high:
            raise ValueError(f"The {name} of a voice is {low:g} to {high:g}, got {value:g}.")
    audio = np.asarray(audio, np.float32)
    if (tempo, semitones, pitch_range) == (1.0, 0.0, 1.0) or not len(audio):
        return audio.copy()
    pad = int(3 * rate / LOWEST)
    wave = np.pad(audio.astype(np.float64), pad)
    stretches = [
        _Marks(marks.places + pad, marks.periods, marks.ratios)
        for marks in _marked(audio.astype(np.float64), rate, semitones, pitch_range, between)
    ]
    length = round(len(audio) / tempo)
    pieces = _laid_out(wave, pad, length, rate, tempo, stretches, between)
    return _overlapped(wave, pieces, length).astype(np.float32)


def louder(audio: np.ndarray, decibels: float, knee: float = 0.8) -> np.ndarray:
    """Samples [S] at another loudness, float32, within −1 … 1; 0 dB gives them back as they came.

    Peaks beyond `knee` are bent so that they reach 1 at infinity, instead of being cut off.
    """
    audio = np.asarray(audio, np.float32)
    if decibels == 0:
        return audio.copy()
    wave = audio.astype(np.float64) * 10 ** (decibels / 20)
    over = np.maximum(np.abs(wave) - knee, 0.0)
    bent = knee + (1 - knee) * np.tanh(over / (1 - knee))
    return np.where(over > 0, np.sign(wave) * bent, wave).astype(np.float32)


def _marked(
    wave: np.ndarray, rate: int, semitones: float, pitch_range: float, between: Callable[[], None]
) -> list[_Marks]:
    """Every stretch of voice with a pitch, in order."""
    track = pitch_track(wave, rate, between)
    centre = track.median
    found = []
    for first, last in _stretches(track):
        between()
        times, hertz = track.times[first:last], track.hertz[first:last]
        start, end = (times[0] - STEP / 2) * rate, (times[-1] + STEP / 2) * rate
        places = _periods(wave, max(0.0, start), min(len(wave) - 1.0, end), times * rate, rate / hertz)
        if len(places) < 2:
            continue
        steps = np.diff(places)
        periods = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
        own = np.interp(places, times * rate, np.log2(hertz))
        ratios = 2 ** (semitones / 12 + (pitch_range - 1) * (own - np.log2(centre)))
        found.append(_Marks(places, periods, np.clip(ratios, *_RATIO)))
    return found


def _stretches(track: PitchTrack) -> list[tuple[int, int]]:
    """(first, beyond the last) of each run of voiced values."""
    edges = np.diff(np.concatenate([[0], track.voiced.astype(int), [0]]))
    return list(zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True))


def _periods(wave: np.ndarray, start: float, end: float, at: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """One place in each period of a stretch, from its middle outwards: where the waveform is most like it was.

    at, periods: samples [N], the period by place. Returns int [P], ascending.
    """
    middle = (start + end) / 2
    half = max(1, int(np.interp(middle, at, periods) / 2))
    low = max(0, int(middle) - half)
    first = low + int(np.abs(wave[low : int(middle) + half + 1]).argmax())
    places = [first]
    for direction in (1, -1):
        place = first
        while True:
            period = float(np.interp(place, at, periods))
            place = _alike(wave, place, direction * period, max(1, int(period / 2)))
            if not start <= place <= end:
                break
            places.append(place)
    return np.unique(places)


def _alike(wave: np.ndarray, place: int, step: float, half: int) -> int:
    """The place about `step` from here whose surroundings are most like those here."""
    expected = round(place + step)
    reach = max(1, int(abs(step) * _DRIFT))
    low, high = expected - reach - half, expected + reach + half
    if place - half < 0 or place + half > len(wave) or low < 0 or high > len(wave):
        return expected
    likeness = _correlation(wave[low:high], wave[place - half : place + half])
    best = int(likeness.argmax())
    return low + half + best if likeness[best] > _ALIKE else expected


def _correlation(region: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Normalised: of the pattern [K] with each part of the region [R], [R-K+1]."""
    products = np.correlate(region, pattern, "valid")
    sums = np.concatenate([[0.0], np.cumsum(region**2)])
    energy = sums[len(pattern) :] - sums[: -len(pattern)]
    return products / np.sqrt(np.maximum(energy, 1e-12) * max(float(pattern @ pattern), 1e-12))


def _laid_out(
    wave: np.ndarray,
    pad: int,
    length: int,
    rate: int,
    tempo: float,
    stretches: list[_Marks],
    between: Callable[[], None],
) -> list[_Piece]:
    """The pieces of the new sound in order, the last one beyond its end; wave has `pad` samples more at both ends."""
    hop = round(_HOP * rate)
    pieces: list[_Piece] = []
    place, index = 0.0, 0
    while not pieces or pieces[-1].place < length:
        if len(pieces) % _BATCH == 0:
            between()
        at = min(place * tempo, len(wave) - 2.0 * pad) + pad
        while index < len(stretches) and at > stretches[index].places[-1] + stretches[index].periods[-1] / 2:
            index += 1
        marks = stretches[index] if index < len(stretches) else None
        if marks is not None and at >= marks.places[0] - marks.periods[0] / 2:
            near = int(np.abs(marks.places - at).argmin())
            period = float(marks.periods[near])
            pieces.append(_Piece(round(place), int(marks.places[near]), round(period)))
            place += period / float(marks.ratios[near])
        else:
            source = _continued(wave, pieces[-1], round(place), round(at), hop) if pieces else round(at)
            pieces.append(_Piece(round(place), source, 0))
            place += hop
    return pieces


def _continued(wave: np.ndarray, last: _Piece, place: int, at: int, reach: int) -> int:
    """Where within `reach` of `at` the waveform goes on most as it would have after the last piece."""
    natural = last.source + place - last.place
    if natural == at:
        return at
    half = reach // 2
    low, high = at - reach - half, at + reach + half
    if low < 0 or high > len(wave) or natural - half < 0 or natural + half > len(wave):
        return at
    return low + half + int(_correlation(wave[low:high], wave[natural - half : natural + half]).argmax())


def _overlapped(wave: np.ndarray, pieces: list[_Piece], length: int) -> np.ndarray:
    """The sum of the pieces, each of which rises and falls along half a cosine: float64 [length].

    Between two pieces with a pitch neither is longer than its own period, so that a lower voice has the gaps between
    its pulses that a low voice has. Otherwise one falls as the other rises, and both add up to 1.
    """
    distances = np.diff([piece.place for piece in pieces])
    widths = []  # (falling part of this piece, rising part of the next)
    for one, other, distance in zip(pieces[:-1], pieces[1:], distances.tolist(), strict=True):
        pitched = one.period and other.period
        widths.append((min(distance, one.period), min(distance, other.period)) if pitched else (distance, distance))
    rises = [0, *(rise for _, rise in widths)]
    falls = [*(fall for fall, _ in widths), 0]
    margin = max([0, *rises, *falls])
    sound = np.zeros(length + 2 * margin + int(max(0, pieces[-1].place - length)))
    for piece, rise, fall in zip(pieces, rises, falls, strict=True):
        bell = np.concatenate([_rising(rise), _rising(fall)[::-1]])
        low, start = piece.source - rise, piece.place - rise + margin
        cut = max(0, -low), max(0, piece.source + fall - len(wave))
        bell = bell[cut[0] : len(bell) - cut[1]]
        sound[start + cut[0] : start + cut[0] + len(bell)] += bell * wave[low + cut[0] : low + cut[0] + len(bell)]
    return sound[margin : margin + length]


def _rising(length: int) -> np.ndarray:
    """Half a cosine from 0 to 1, which adds up to 1 with its mirror image."""
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))
