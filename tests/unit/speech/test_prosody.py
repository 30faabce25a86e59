"""How an emotion sounds, in eSpeak NG's units and in natural ones."""

import math

import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.talking import Voice, expressive
from expressive.speech.prosody import CLASSES, Delivery, Prosody, delivery, prosody

LIMITS = {"tempo": (0.6, 1.6), "semitones": (-8, 8), "range": (0.3, 2.2), "decibels": (-10, 6), "pause": (0.1, 1)}


def test_the_numbers_that_drawn_datasets_are_made_with_stay() -> None:
    assert {name: (p.rate, p.pitch, p.pitch_range, p.volume, p.pause) for name, p in CLASSES.items()} == {
        "anger": (0.12, 12, 30, 0.30, 0),
        "disgust": (-0.18, -14, 18, -0.08, 2),
        "fear": (0.24, 24, 30, -0.15, 0),
        "joy": (0.10, 16, 30, 0.18, 0),
        "neutral": (0, 0, 0, 0, 0),
        "sadness": (-0.20, -12, -28, -0.35, 3),
        "surprise": (0.05, 24, 38, 0.12, 0),
    }
    angry = Voice(rate=185, pitch=62, pitch_range=80, volume=104)
    assert expressive(Voice(), Emotion.of("text7.anger")) == angry


def test_less_strength_changes_less_and_none_nothing() -> None:
    sad = Emotion.of("text7.sadness")
    assert expressive(Voice(), sad, 0.0) == Voice()
    assert expressive(Voice(), sad, 0.4) == Voice(rate=152, pitch=45, pitch_range=39, volume=69, pause=1)
    assert expressive(Voice(), sad, 1.0) == expressive(Voice(), sad)


def test_who_feels_nothing_speaks_as_usual() -> None:
    assert delivery(prosody(Emotion.neutral())) == Delivery()
    assert delivery(prosody(Emotion.of("text7.neutral"))) == Delivery()


def test_every_class_changes_what_the_literature_says() -> None:
    found = {word.word: delivery(prosody(Emotion.of(word.id))) for word in vocabulary.text7()}
    assert all(found[name].tempo > 1 for name in ("anger", "fear", "joy"))
    assert all(found[name].tempo < 1 for name in ("sadness", "disgust"))
    assert all(found[name].semitones > 0 for name in ("anger", "fear", "joy", "surprise"))
    assert all(found[name].semitones < 0 for name in ("sadness", "disgust"))
    assert found["sadness"].range < 1 < min(found[name].range for name in ("anger", "joy", "surprise"))
    assert found["sadness"].decibels < 0 < min(found[name].decibels for name in ("anger", "joy"))
    assert found["sadness"].pause > Delivery().pause > found["fear"].pause


def test_units_are_natural() -> None:
    assert delivery(Prosody(pitch=20)).semitones == pytest.approx(3.3)  # eSpeak NG: 14.5 in 89 units
    assert delivery(Prosody(volume=-0.5)).decibels == pytest.approx(20 * math.log10(0.5))
    assert delivery(Prosody(pitch_range=-25)).range == pytest.approx(0.5)
    assert delivery(Prosody(rate=0.2)) == Delivery(tempo=1.2, pause=Delivery().pause / 1.2)


def test_delivery_follows_the_whole_mixture() -> None:
    glad, low = Emotion.of("text7.joy"), Emotion.of("text7.sadness")
    mixed = [delivery(prosody(Emotion.mix([(glad, share), (low, 1 - share)]))) for share in (0, 0.25, 0.5, 0.75, 1)]
    for name in ("tempo", "semitones", "range", "decibels"):
        values = [getattr(one, name) for one in mixed]
        assert values == sorted(values) and len(set(values)) == 5, name


@pytest.mark.parametrize("sign", [-1, 1])
def test_nothing_leaves_its_limits(sign: int) -> None:
    extreme = Prosody(*[sign * 1000.0] * 5)
    for found in (delivery(extreme), delivery(prosody(Emotion.of("emo135.rage", 1.5)).scaled(1.5 * sign))):
        for name, (low, high) in LIMITS.items():
            assert low <= getattr(found, name) <= high, name
