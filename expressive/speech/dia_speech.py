"""A whole text by Dia: in parts, in one voice, with an emotion, until every part is sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..emotion import Emotion
from .alignment import aligned, cut_before
from .dia import Dia, Sampling, Take
from .dia_text import LONGEST, Turn, chunks, seconds, tagged, turns, written
from .dia_wording import worded
from .markup import without_tags
from .prosody import PAUSE, Delivery, delivery, prosody
from .psola import TEMPO, changed, louder
from .spoken import Speech, Timed, joined, resampled_wave
from .voice_prompt import VoicePrompt
from .voices import SOUNDS

SHORT = 3.0
"""Seconds below which Dia makes noise rather than speech: without a voice to go on with, `LEAD` is spoken before such a
text and cut off again."""
LEAD = "Let me think about that very carefully, and then I will tell you."

LEVEL = 0.08
"""Root mean square of the speech before the emotion changes its loudness: about 22 dB below full scale."""

_ROOM, _SPARE = 2.2, 3.0  # times what a part takes, and seconds more, that Dia may take for it
_LOOK = 0.02  # seconds
_HEARD = 0.1  # of the loudest look: speech
_QUIET = 0.01  # of the loudest look: silence, which is cut off at both ends
_MARGIN = 0.06  # seconds of it that stay
_GAIN = (0.25, 8.0)
_USUAL = (0.35, 2.2)  # of the time that a text takes: outside, words are missing, or there are others
_LEAST_VOICE = 2.0  # seconds of a first part that the others can go on with
_NEXT_SEED = 0x9E3779B97F4A7C15  # odd, so that no two seeds of a text meet


@dataclass(frozen=True)
class Manner:
    """How a text is spoken.

    tempo: factor of the speed. pause: seconds between two parts. longest: seconds of a part, about. wording: one of
    `voices.WORDINGS`. strength: of the emotion, 0 … 1.5. attempts: takes of a part until one is sound, at least 1.
    """

    sampling: Sampling = field(default_factory=Sampling)
    tempo: float = 1.0
    pause: float = PAUSE
    longest: float = LONGEST
    wording: str = SOUNDS
    strength: float = 1.0
    attempts: int = 3


@dataclass(frozen=True, eq=False)
class Said:
    """speech: at Dia's rate, with its words. text: what was given to Dia. faults: of parts none of whose takes was
    sound, as sentences."""

    speech: Speech
    text: str
    faults: tuple[str, ...]


def say(
    dia: Dia,
    text: str,
    emotion: Emotion | None = None,
    voice: VoicePrompt | None = None,
    manner: Manner | None = None,
    seed: int = 0,
    *,
    between: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda share: None,
) -> Said:
    """Speak a text of any length; the same request gives the same samples.

    Without a voice all parts go on in that of the first one. The emotion chooses sounds and punctuation
    (`dia_wording`), and its whole mixture changes tempo, pitch, pitch range, loudness and pauses of what Dia spoke
    (`prosody`). A part that is not sound is spoken again with another seed. between: called often; what it raises ends
    the work. progress: called with the share that is done. Raises ValueError for a text or a voice that does not do.
    """
    manner, felt = manner or Manner(), emotion or Emotion.neutral()
    parts = worded(chunks(turns(text), manner.longest), felt.scaled(manner.strength), manner.wording)
    change = delivery(prosody(felt).scaled(manner.strength))
    model = _heard(voice, dia.rate) if voice is not None else None
    speeches: list[Speech] = []
    faults: list[str] = []
    for index, part in enumerate(parts):

        def share(done: float, index: int = index) -> None:
            progress((index + done) / len(parts))

        audio, wrong = _spoken(dia, part, model, manner, (seed, index), between, share)
        if wrong:
            faults.append(f"Part {index + 1} of {len(parts)} {' and '.join(wrong)}.")
        elif model is None and len(audio) >= _LEAST_VOICE * dia.rate:
            model = audio, part
        speeches.append(_delivered(audio, dia.rate, part, change, manner.tempo, between))
        share(1.0)
    pause = manner.pause * change.pause / PAUSE / manner.tempo
    return Said(joined(speeches, pause), tagged([turn for part in parts for turn in part]), tuple(faults))


def trimmed(audio: np.ndarray, rate: int) -> np.ndarray:
    """Samples [S] without the silence before and after, of which 60 ms stay; all of them if all is silent."""
    looks = _looks(audio, rate)
    heard = np.flatnonzero(looks > _QUIET * looks.max(initial=0.0))
    if not len(heard):
        return audio
    size = round(_LOOK * rate)
    margin = round(_MARGIN * rate)
    return audio[max(0, heard[0] * size - margin) : (heard[-1] + 1) * size + margin]


def faults_of(take: Take, rate: int, expected: float) -> tuple[str, ...]:
    """What is wrong with a take of a text of about `expected` seconds, as ends of a sentence; empty if it is sound."""
    looks = _looks(take.audio, rate)
    loudest = float(looks.max(initial=0.0))
    if loudest < 1e-3:
        return ("is silent",)
    found = []
    if not take.ended:
        found.append("does not come to an end")
    elif float(looks[-2:].mean()) > 0.3 * float(np.quantile(looks[looks > _HEARD * loudest], 0.75)):
        found.append("breaks off in the middle of a sound")
    length = len(trimmed(take.audio, rate)) / rate
    if length < _USUAL[0] * expected:
        found.append(f"lasts {length:.1f} s, too short for its words")
    elif take.ended and length > _USUAL[1] * expected + 1:
        found.append(f"lasts {length:.1f} s, too long for its words")
    return tuple(found)


def _heard(voice: VoicePrompt, rate: int) -> tuple[np.ndarray, Sequence[Turn]]:
    """A voice as Dia hears it, and who says what in it."""
    audio = voice.audio if voice.rate == rate else resampled_wave(voice.audio, voice.rate, rate)
    return audio, turns(voice.transcript)


def _spoken(
    dia: Dia,
    part: Sequence[Turn],
    model: tuple[np.ndarray, Sequence[Turn]] | None,
    manner: Manner,
    seeds: tuple[int, int],
    between: Callable[[], None],
    progress: Callable[[float], None],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The best take of a part, without silence around it, and what is wrong with it."""
    words = " ".join(turn.text for turn in part)
    led = model is None and seconds(words) < SHORT
    said = [Turn(part[0].speaker, LEAD), *part] if led else part
    expected = seconds(words) + (seconds(LEAD) if led else 0.0)
    voice, before = model if model is not None else (None, ())
    text, usual = written(said, before), dia.frames(expected)
    takes: list[tuple[Take, tuple[str, ...]]] = []
    for attempt in range(max(1, manner.attempts)):
        take = dia.speak(
            text,
            _ROOM * expected + _SPARE,
            voice=voice,
            sampling=manner.sampling,
            seed=(seeds[0] + _NEXT_SEED * (1000 * seeds[1] + attempt)) % 2**64,
            between=between,
            progress=lambda done, total: progress(min(0.9, 0.9 * done / usual)),
        )
        takes.append((take, faults_of(take, dia.rate, expected)))
        if not takes[-1][1]:
            break
    take, wrong = min(takes, key=lambda one: len(one[1]))
    audio = trimmed(take.audio, dia.rate)
    return (trimmed(_without_lead(audio, dia.rate, words, between), dia.rate) if led else audio), wrong


def _without_lead(audio: np.ndarray, rate: int, text: str, between: Callable[[], None]) -> np.ndarray:
    """What comes behind `LEAD`."""
    words = aligned(audio, rate, f"{LEAD} {text}", between)
    lead, passed = sum(sign.isalnum() for sign in LEAD), 0
    for index, word in enumerate(words):
        if passed >= lead:
            return audio[cut_before(audio, rate, words, index) :]
        passed += sum(sign.isalnum() for sign in word.text)
    return audio


def _delivered(
    audio: np.ndarray,
    rate: int,
    part: Sequence[Turn],
    change: Delivery,
    tempo: float,
    between: Callable[[], None],
) -> Speech:
    """A part with its words, at the emotion's tempo, pitch, range and loudness."""
    words = aligned(audio, rate, without_tags(" ".join(turn.text for turn in part)), between)
    sound = changed(
        audio,
        rate,
        tempo=min(TEMPO[1], max(TEMPO[0], tempo * change.tempo)),
        semitones=change.semitones,
        pitch_range=change.range,
        between=between,
    )
    pace = len(sound) / max(1, len(audio))
    looks = _looks(sound, rate)
    heard = looks[looks > _HEARD * looks.max(initial=0.0)]
    level = math.sqrt(float((heard**2).mean())) if len(heard) else LEVEL
    gain = min(_GAIN[1], max(_GAIN[0], LEVEL / max(level, 1e-6)))
    loud = louder(sound, 20 * math.log10(gain) + change.decibels)
    return Speech(loud, rate, (), tuple(Timed(word.text, word.start * pace, word.end * pace) for word in words))


def _looks(audio: np.ndarray, rate: int) -> np.ndarray:
    """Root mean square of each 20 ms of samples [S]: float64 [N]"""
    size = round(_LOOK * rate)
    whole = np.asarray(audio, np.float64)
    return np.sqrt((np.pad(whole, (0, -len(whole) % size)).reshape(-1, size) ** 2).mean(1))  # [N·size] → [N,size]
