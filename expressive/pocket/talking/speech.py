"""Speech from text by eSpeak NG, and when each phoneme and word is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...speech.spoken import Speech, Timed, merged, resampled_wave
from . import espeak

RATE = 16_000
"""Samples a second."""

LONGEST = 6000
"""Characters of a text; about seven minutes."""

_RANGES = {"rate": (80, 450), "pitch": (0, 99), "pitch_range": (0, 99), "volume": (0, 130), "pause": (0, 100)}
_TIMEOUT = 120.0  # seconds; a text of LONGEST takes about one
_VOICELESS_STOPS = ("p", "t", "k", "c", "q")
_QUIET = 0.02  # of the loudest 5 ms: the silence of a closed mouth
_LONGEST_CLOSURE = 0.09  # seconds
_STEP = 0.005  # seconds


@dataclass(frozen=True)
class Voice:
    """How eSpeak NG speaks. Raises ValueError for a number out of range."""

    name: str = "en-us"  # language, then, after "+", one of eSpeak NG's variants: "en-us+f3"
    rate: int = 165  # words a minute, 80 … 450
    pitch: int = 50  # 0 … 99
    pitch_range: int = 50  # 0 monotone … 99
    volume: int = 80  # 0 … 130; from about 100 on, peaks are flattened
    pause: int = 0  # hundredths of a second more between words, 0 … 100

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"A voice's {name} is {low} to {high}, got {getattr(self, name)}.")


def speak(text: str, voice: Voice | None = None, rate: int = RATE) -> Speech:
    """Speak a text of 1 … LONGEST characters, at 16 kHz or another rate (eSpeak NG's own voices have 22.05 kHz).

    The same request gives the same samples, bit for bit.

    Raises ValueError (text empty, too long or without anything to pronounce; unknown voice), ImportError with the
    remedy where espeakng-loader is missing, RuntimeError where eSpeak NG fails.
    """
    words = " ".join(text.replace("\0", " ").split())
    if not words:
        raise ValueError("There is nothing to say: the text is empty.")
    if len(words) > LONGEST:
        raise ValueError(f"A text to speak has at most {LONGEST} characters, this one has {len(words)}; split it.")
    own, events, wave = _uttered(words, voice or Voice())
    phonemes = _phonemes(events, wave, own)
    if not any(phoneme.text for phoneme in phonemes):
        raise ValueError(f"There is nothing to pronounce in {words[:60]!r}.")
    return Speech(resampled_wave(wave, own, rate), rate, phonemes, _words(words, events, phonemes, own))


_Event = tuple[int, int, int, int, str]  # kind, place and length in the text, sample, phoneme


def _uttered(text: str, voice: Voice) -> tuple[int, list[_Event], np.ndarray]:
    """(samples a second, events, float64 [samples])."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise ImportError(
            "The Python package espeakng-loader is needed to speak, but it is not installed. Install it into ComfyUI's "
            "Python: pip install espeakng-loader"
        ) from error
    library = Path(espeakng_loader.get_library_path())
    if not library.is_file():
        raise ImportError(f"eSpeak NG's library is missing at {library}: pip install --force-reinstall espeakng-loader")
    request = json.dumps({"text": text, **asdict(voice)}).encode()
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-S", espeak.__file__, str(library)],
            input=request,
            capture_output=True,
            cwd=library.parent,
            timeout=_TIMEOUT,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"eSpeak NG did not finish {len(text)} characters in {_TIMEOUT:.0f} s.") from error
    if child.returncode:
        reason = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or [f"status {child.returncode}"]
        raise RuntimeError(f"eSpeak NG failed: {reason[0]}")
    line, _, samples = child.stdout.partition(b"\n")
    answer = json.loads(line)
    if "error" in answer:
        raise ValueError(answer["error"])
    wave = np.frombuffer(samples, dtype=np.int16).astype(np.float64) / 32768
    return answer["rate"], [(k, p, n, s, t) for k, p, n, s, t in answer["events"]], wave


def _phonemes(events: Sequence[_Event], wave: np.ndarray, rate: int) -> tuple[Timed, ...]:
    marks = [(sample / rate, text) for kind, _, _, sample, text in events if kind == espeak.PHONEME]
    total = len(wave) / rate
    loudness = _loudness(wave, rate)
    quiet = _QUIET * float(loudness.max(initial=0.0))
    starts: list[float] = []
    for start, text in marks:
        # eSpeak NG marks a voiceless stop at its burst. The silence before belongs to it: the mouth is shut.
        earliest = max(starts[-1] + 2 * _STEP if starts else 0.0, start - _LONGEST_CLOSURE)
        stop = text.lstrip("ˈˌ").startswith(_VOICELESS_STOPS)
        while stop and start - _STEP >= earliest and loudness[int((start - _STEP / 2) / _STEP)] < quiet:
            start -= _STEP
        starts.append(min(start, total))
    ends = [*starts[1:], total]
    said = [Timed(text, start, end) for (_, text), start, end in zip(marks, starts, ends, strict=True)]
    return merged([Timed("", 0.0, starts[0] if starts else total), *said])


def _loudness(wave: np.ndarray, rate: int) -> np.ndarray:
    """Root mean square of each 5 ms, and one zero more."""
    edges = np.arange(0, len(wave), _STEP * rate).astype(int)
    if not len(edges):
        return np.zeros(1)
    sizes = np.diff(np.append(edges, len(wave)))
    return np.append(np.sqrt(np.add.reduceat(wave**2, edges) / sizes), 0.0)


def _words(text: str, events: Sequence[_Event], phonemes: Sequence[Timed], rate: int) -> tuple[Timed, ...]:
    marks = [(sample / rate, place - 1, length) for kind, place, length, sample, _ in events if kind == espeak.WORD]
    pauses = [phoneme.start for phoneme in phonemes if not phoneme.text]
    words: list[Timed] = []
    for index, (start, place, length) in enumerate(marks):
        following = marks[index + 1][0] if index + 1 < len(marks) else phonemes[-1].end
        end = min([following, *(pause for pause in pauses if pause > start + _STEP)])
        if end > start and length > 0:
            words.append(Timed(text[place : place + length], start, end))
    return tuple(words)
