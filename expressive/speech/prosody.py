"""How an emotion sounds: what it changes in a voice.

The directions are those of the acoustic literature (Murray and Arnott, 1993, table 1; Scherer, 2003, table 2): anger
and joy fast, high, wide and loud; fear fast and high; sadness slow, low, narrow and soft; disgust slow and low;
surprise high and wide. The amounts, in eSpeak NG's units, the mixing, and their conversion to natural units are this
project's design.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..emotion import Emotion, vocabulary


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

SEMITONES = 0.165
"""Of one of eSpeak NG's units of pitch: 0.12 to 0.19, as measured, from its lowest to its highest voice."""

PAUSE = 0.3
"""Seconds between two sentences of somebody who feels nothing."""

_USUAL_RANGE = 50  # eSpeak NG's units
_WORD_PAUSES = 10  # a pause between sentences changes by so many of those between words
_LEAST_LOUDNESS = 0.01  # of the usual one; decibels need some


@dataclass(frozen=True)
class Delivery:
    """What an emotion changes in a voice, in natural units; the defaults change nothing."""

    tempo: float = 1.0  # factor of the speed, 0.6 … 1.6
    semitones: float = 0.0  # of the median pitch, −8 … 8
    range: float = 1.0  # factor of the pitch's deviation from its median, in semitones, 0.3 … 2.2
    decibels: float = 0.0  # of the loudness, −10 … 6
    pause: float = PAUSE  # seconds between sentences, 0.1 … 1


def prosody(emotion: Emotion) -> Prosody:
    """The change of a whole mixture: its seven classes each by its weight, and what its arousal has beyond them."""
    weights = emotion.text7()
    arousal_of = {word.word: word.arousal for word in vocabulary.text7()}
    total = Prosody()
    for name, weight in weights.items():
        total += CLASSES[name].scaled(weight)
    expected = sum(weight * arousal_of[name] for name, weight in weights.items())
    return total + AROUSAL.scaled(emotion.valence_arousal()[1] - expected)


def delivery(prosody: Prosody) -> Delivery:
    """The same change for a voice that is not eSpeak NG's, within the limits of `Delivery`.

    The conversion is this project's: a unit of pitch is `SEMITONES`, a range of 50 units is the usual one, and a pause
    between sentences is shorter in fast speech and grows by ten of those between words.
    """
    tempo = _within(0.6, 1 + prosody.rate, 1.6)
    return Delivery(
        tempo=tempo,
        semitones=_within(-8.0, SEMITONES * prosody.pitch, 8.0),
        range=_within(0.3, 1 + prosody.pitch_range / _USUAL_RANGE, 2.2),
        decibels=_within(-10.0, 20 * math.log10(max(_LEAST_LOUDNESS, 1 + prosody.volume)), 6.0),
        pause=_within(0.1, PAUSE / tempo + _WORD_PAUSES * prosody.pause / 100, 1.0),
    )


def _within(low: float, value: float, high: float) -> float:
    return min(high, max(low, value))
