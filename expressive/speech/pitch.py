"""The pitch of a voice over time, by autocorrelation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST = 60.0, 500.0
"""Hertz between which a voice's pitch is looked for."""

STEP = 0.005
"""Seconds between two values."""

_RATE = 11_000  # samples a second that are enough for it, about
_PERIODS = 3  # of the lowest pitch that a window holds
_CANDIDATES = 5
_FINER = 4  # correlations to a sample: peaks are narrower than one
_BATCH = 512  # windows at a time

# Boersma's weights, in his names: octave cost, voicing and silence thresholds, and the costs of a jump of the pitch and
# of a change between voiced and unvoiced, which he gives for steps of 10 ms.
_OCTAVE, _VOICING, _SILENCE = 0.01, 0.45, 0.03
_JUMP, _CHANGE = 0.35 * 0.01 / STEP, 0.14 * 0.01 / STEP


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """times: float64 [N], seconds, every `STEP`. hertz: float64 [N], 0 where there is no pitch."""

    times: np.ndarray
    hertz: np.ndarray

    @property
    def voiced(self) -> np.ndarray:
        """bool [N]"""
        return self.hertz > 0

    @property
    def median(self) -> float:
        """Hertz; 0 without any pitch."""
        return float(np.median(self.hertz[self.voiced])) if self.voiced.any() else 0.0


def pitch_track(audio: np.ndarray, rate: int, between: Callable[[], None] = lambda: None) -> PitchTrack:
    """The pitch of one voice, samples [S] at `rate` a second, a value for each `STEP`.

    Autocorrelation of windows, divided by that of the window, and the cheapest path through its peaks: Boersma,
    “Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound”,
    1993, with his weights. between: called before each batch of windows, to stop.
    """
    from scipy.signal import resample_poly

    times = np.arange(int(len(audio) / rate / STEP) + 1) * STEP
    factor = max(1, rate // _RATE)
    wave = resample_poly(np.asarray(audio, np.float64), 1, factor)
    step_rate = rate / factor
    size = int(_PERIODS * step_rate / LOWEST)
    loudest = float(np.abs(wave - wave.mean()).max()) if len(wave) else 0.0
    if loudest == 0:
        return PitchTrack(times, np.zeros(len(times)))
    padded = np.pad(wave, size)
    starts = np.round(times * step_rate).astype(int) + size - size // 2
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for first in range(0, len(starts), _BATCH):
        between()
        windows = padded[starts[first : first + _BATCH, None] + np.arange(size)]  # [B,size]
        found.append(_candidates(windows, step_rate, loudest))
    hertz, strengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return PitchTrack(times, _cheapest(hertz, strengths))


def _candidates(windows: np.ndarray, rate: float, loudest: float) -> tuple[np.ndarray, np.ndarray]:
    """Windows [B,size] → hertz and strength [B,C+1] of each candidate, the last of which is: no pitch (0 Hz)."""
    count, size = windows.shape
    centred = windows - windows.mean(1, keepdims=True)
    peak = np.abs(centred).max(1)
    shape = np.hanning(size)
    length = 1 << (2 * size - 1).bit_length()
    half, fine = size * _FINER // 2, rate * _FINER
    correlation = np.fft.irfft(np.abs(np.fft.rfft(centred * shape, length)) ** 2, length * _FINER)[:, :half]
    own = np.fft.irfft(np.abs(np.fft.rfft(shape, length)) ** 2, length * _FINER)[:half]
    correlation = correlation / np.maximum(correlation[:, :1], 1e-12) / (own / own[0])
    low, high = int(fine / HIGHEST), min(half - 1, int(np.ceil(fine / LOWEST)))
    before, here, after = (correlation[:, low + by : high + by] for by in (-1, 0, 1))  # lags low … high - 1
    curve = before - 2 * here + after
    slope = 0.5 * (before - after)
    offset = np.clip(np.divide(slope, curve, out=np.zeros_like(curve), where=curve < 0), -0.5, 0.5)
    height = here - 0.5 * slope * offset  # of the parabola through the three
    lags = np.arange(low, high) + offset
    is_peak = (here > before) & (here >= after) & (here > 0)
    strength = np.where(is_peak, np.minimum(height, 1.0) - _OCTAVE * np.log2(LOWEST * lags / fine), -np.inf)
    best = np.argsort(-strength, axis=1)[:, :_CANDIDATES]
    hertz = fine / np.take_along_axis(lags, best, 1)
    strengths = np.take_along_axis(strength, best, 1)
    strengths = np.where((hertz >= LOWEST) & (hertz <= HIGHEST), strengths, -np.inf)
    silence = _VOICING + np.maximum(0.0, 2.0 - (peak / loudest) / (_SILENCE / (1 + _VOICING)))
    return np.column_stack([hertz, np.zeros(count)]), np.column_stack([strengths, silence])


def _cheapest(hertz: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """The path through the candidates [N,C] of the greatest strength, less what its jumps cost (Viterbi): hertz [N]."""
    count, width = hertz.shape
    octaves = np.log2(np.maximum(hertz, 1.0))
    came = np.zeros((count, width), int)
    best = strengths[0]
    for step in range(1, count):
        jump = _JUMP * np.abs(octaves[step][:, None] - octaves[step - 1][None, :])  # [to,from]
        voiced, was = hertz[step] > 0, hertz[step - 1] > 0
        cost = np.where(voiced[:, None] & was[None, :], jump, _CHANGE * (voiced[:, None] != was[None, :]))
        total = best[None, :] - cost
        came[step] = total.argmax(1)
        best = strengths[step] + total.max(1)
    place = int(best.argmax())
    path = np.zeros(count, int)
    for step in range(count - 1, -1, -1):
        path[step] = place
        place = came[step, place]
    return hertz[np.arange(count), path]
