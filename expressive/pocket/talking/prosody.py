"""eSpeak NG's voice for an emotion and for a person."""

from __future__ import annotations

import random
from dataclasses import replace

from ...emotion import Emotion
from ...speech.prosody import prosody
from ..faces import Identity
from .speech import Voice

_WOMEN = ("f1", "f2", "f3", "f4", "f5", "Annie", "aunty")
_MEN = ("", "m1", "m2", "m3", "m4", "m5", "m6", "max", "Alex")
_ELDERLY = 65  # years
_AGES = (6, 90)  # years; beyond, voices change no more


def expressive(voice: Voice, emotion: Emotion, strength: float = 1.0) -> Voice:
    """The voice with the emotion in it, `strength` times as much as usual, within the limits of `Voice`."""
    change = prosody(emotion).scaled(strength)
    return replace(
        voice,
        rate=_within(80, voice.rate * (1 + change.rate), 400),
        pitch=_within(0, voice.pitch + change.pitch, 99),
        pitch_range=_within(0, voice.pitch_range + change.pitch_range, 99),
        volume=_within(30, voice.volume * (1 + change.volume), 110),
        pause=_within(0, voice.pause + change.pause, 100),
    )


def articulation(emotion: Emotion) -> float:
    """How far the mouth moves as it speaks, 0.8 … 1.2: more when roused."""
    return 1.0 + 0.2 * emotion.valence_arousal()[1]


def voice_of(identity: Identity, language: str = "en-us") -> Voice:
    """A person's own voice: always the same, by gender, age and chance."""
    return voice_for(identity.gender, identity.age, identity.seed, language)


def voice_for(gender: str, age: float, seed: int, language: str = "en-us") -> Voice:
    """The voice of a "woman" or a "man" of so many years; another one for every seed."""
    rng = random.Random(f"voice-{seed}")
    variant = rng.choice(_WOMEN if gender == "woman" else _MEN)
    years = min(_AGES[1], max(_AGES[0], age))
    young = max(0.0, (30 - years) / 14)  # 1 at sixteen
    old = max(0.0, (years - _ELDERLY + 15) / 30)  # 1 at eighty
    return Voice(
        name=f"{language}+{variant}" if variant else language,
        rate=round(165 + rng.uniform(-8, 8) - 14 * old),
        pitch=round(42 + rng.uniform(-6, 6) + 8 * young - 4 * old),
        pitch_range=round(48 + rng.uniform(-6, 6)),
    )


def _within(low: int, value: float, high: int) -> int:
    return min(high, max(low, round(value)))
