"""How an emotion sounds, and whose voice it is.

The directions are those of the acoustic literature (Murray and Arnott, 1993, table 1; Scherer, 2003, table 2): anger
and joy fast, high, wide and loud; fear fast and high; sadness slow, low, narrow and soft; disgust slow and low;
surprise high and wide. The amounts, in eSpeak NG's units, and the mixing are this project's design.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from ...emotion import Emotion, vocabulary
from ..faces import Identity
from .speech import Voice


@dataclass(frozen=True)
class Prosody:
    """What an emotion changes in a voice."""

    rate: float = 0.0  # share of the rate
    pitch: float = 0.0  # eSpeak NG's units
    pitch_range: float = 0.0  # eSpeak NG's units
    volume: float = 0.0  # share of the loudness
    pause: float = 0.0  # hundredths of a second

    def scaled(self, by: float) -> Prosody:
        return Prosody(self.rate * by, self.pitch * by, self.pitch_range * by, self.volume * by, self.pause * by)

    def __add__(self, other: Prosody) -> Prosody:
        return Prosody(
            self.rate + other.rate,
            self.pitch + other.pitch,
            self.pitch_range + other.pitch_range,
            self.volume + other.volume,
            self.pause + other.pause,
        )


CLASSES = {
    "anger": Prosody(rate=0.12, pitch=12, pitch_range=30, volume=0.30),
    "disgust": Prosody(rate=-0.18, pitch=-14, pitch_range=18, volume=-0.08, pause=2),
    "fear": Prosody(rate=0.24, pitch=24, pitch_range=30, volume=-0.15),
    "joy": Prosody(rate=0.10, pitch=16, pitch_range=30, volume=0.18),
    "neutral": Prosody(),
    "sadness": Prosody(rate=-0.20, pitch=-12, pitch_range=-28, volume=-0.35, pause=3),
    "surprise": Prosody(rate=0.05, pitch=24, pitch_range=38, volume=0.12),
}
"""Class of the text classifier → its change at full intensity."""

AROUSAL = Prosody(rate=0.15, pitch=10, pitch_range=16, volume=0.22, pause=-2)
"""Change for one unit of arousal beyond that of the classes: what tells rage from annoyance within one class."""

_WOMEN = ("f1", "f2", "f3", "f4", "f5", "Annie", "aunty")
_MEN = ("", "m1", "m2", "m3", "m4", "m5", "m6", "max", "Alex")
_ELDERLY = 65  # years


def prosody(emotion: Emotion) -> Prosody:
    """The change of a whole mixture: its seven classes each by its weight, and what its arousal has beyond them."""
    weights = emotion.text7()
    arousal_of = {word.word: word.arousal for word in vocabulary.text7()}
    total = Prosody()
    for name, weight in weights.items():
        total += CLASSES[name].scaled(weight)
    expected = sum(weight * arousal_of[name] for name, weight in weights.items())
    return total + AROUSAL.scaled(emotion.valence_arousal()[1] - expected)


def expressive(voice: Voice, emotion: Emotion) -> Voice:
    """The voice with the emotion in it, within the limits of `Voice`."""
    change = prosody(emotion)
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
    rng = random.Random(f"voice-{identity.seed}")
    variant = rng.choice(_WOMEN if identity.gender == "woman" else _MEN)
    young = max(0.0, (30 - identity.age) / 14)  # 1 at sixteen
    old = max(0.0, (identity.age - _ELDERLY + 15) / 30)  # 1 at eighty
    return Voice(
        name=f"{language}+{variant}" if variant else language,
        rate=round(165 + rng.uniform(-8, 8) - 14 * old),
        pitch=round(42 + rng.uniform(-6, 6) + 8 * young - 4 * old),
        pitch_range=round(48 + rng.uniform(-6, 6)),
    )


def _within(low: int, value: float, high: int) -> int:
    return min(high, max(low, round(value)))
