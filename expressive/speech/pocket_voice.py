"""The pack's small voice: a text by eSpeak NG, with its emotion, at once on any processor."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..emotion import Emotion
from ..pocket.talking import speech
from ..pocket.talking.prosody import expressive, voice_for
from ..pocket.talking.speech import RATE, Voice
from .markup import without_tags
from .prosody import SEMITONES, delivery, prosody
from .spoken import Speech, joined

USUAL_RATE = 165
"""Words a minute of a voice that is in no hurry."""

_PITCHES = (0, 99)  # of eSpeak NG


def somebody(gender: str, age: float, seed: int, language: str = "en-us") -> Voice:
    """The voice of a "woman" or a "man" of so many years; another one for every seed, always the same for one."""
    return voice_for(gender, age, seed, language)


def variant(name: str, language: str = "en-us") -> Voice:
    """One of eSpeak NG's own variants, such as those of `voices.VARIANTS`."""
    return Voice(f"{language}+{name}")


def tuned(voice: Voice, rate: int = USUAL_RATE, semitones: float = 0.0) -> Voice:
    """The voice at so many words a minute, and so many semitones higher, as far as eSpeak NG goes."""
    low, high = _PITCHES
    return replace(voice, rate=rate, pitch=min(high, max(low, round(voice.pitch + semitones / SEMITONES))))


def speak(
    text: str,
    voice: Voice,
    emotion: Emotion | None = None,
    *,
    strength: float = 1.0,
    sentences: Sequence[tuple[str, Emotion]] = (),
    sample_rate: int = RATE,
    between: Callable[[int, int], None] = lambda done, total: None,
) -> Speech:
    """What the voice makes of a text; the same request gives the same samples, bit for bit.

    emotion: of the whole text, neutral if None. strength: factor of what the emotion changes in the voice. sentences:
    those of the text with the emotion of each, which are then spoken one by one instead; the text may be empty. Texts
    longer than `speech.LONGEST` are cut where sentences end. between: called before each part with the parts done and
    the parts in all, and at the end; what it raises ends the work. Tags for Dia are not spoken (`markup`).

    Raises ValueError (nothing to say; an unknown voice or language; sentences of another text), ImportError with the
    remedy where a package is missing, RuntimeError where eSpeak NG fails.
    """
    told = _told(text, emotion or Emotion.neutral(), sentences, voice.name)
    parts: list[Speech] = []
    pauses: list[float] = []
    for index, (words, felt) in enumerate(told):
        between(index, len(told))
        parts.append(speech.speak(words, expressive(voice, felt, strength), sample_rate))
        pauses.append(delivery(prosody(felt).scaled(strength)).pause * USUAL_RATE / voice.rate)
    between(len(told), len(told))
    return joined(parts, pauses[:-1])


def frames(seconds: float, fps: float) -> int:
    """Pictures that a video needs to last as long, at least 1; the sound may end within the last one."""
    return max(1, math.ceil(seconds * fps - 1e-6))


def _told(
    text: str, emotion: Emotion, sentences: Sequence[tuple[str, Emotion]], language: str
) -> list[tuple[str, Emotion]]:
    """The parts to speak one by one, each of at most `speech.LONGEST` characters, with what is felt."""
    if sentences and text.strip() and _letters(text) != _letters("".join(one for one, _ in sentences)):
        raise ValueError(
            "The sentences are not those of the text. Give Emotion From Text the same text, or leave the text empty to "
            "speak the sentences as they are."
        )
    if not text.strip() and not sentences:
        raise ValueError("There is nothing to say: the text is empty. Write what is to be said.")
    whole = sentences or [(text, emotion)]
    parts = [(part, felt) for one, felt in whole for part in _pieces(without_tags(one), language)]
    if not parts:
        raise ValueError(
            "There is nothing to say: the text has nothing but tags such as [S1] or (laughs), which this voice leaves "
            "out. Write some words."
        )
    # a part without any letter, such as "…", is a pause at most
    return [(part, felt) for part, felt in parts if any(c.isalnum() for c in part)] or parts[:1]


def _letters(text: str) -> str:
    return "".join(text.split())


def _pieces(text: str, language: str) -> list[str]:
    """A text on one line, cut where sentences end into as few pieces as eSpeak NG takes; sentences that are too long
    are cut between words."""
    if len(text) <= speech.LONGEST:
        return [text] if text else []
    from .sentences import sentences

    pieces: list[str] = []
    for sentence in sentences(text, language.partition("+")[0].partition("-")[0]):
        for part in textwrap.wrap(sentence, speech.LONGEST, break_on_hyphens=False):
            if pieces and len(pieces[-1]) + 1 + len(part) <= speech.LONGEST:
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
    return pieces
