"""What the face reader says of avatars that are known to be right, or wrong."""

from dataclasses import replace

import numpy as np
import pytest

from expressive.emotion import Emotion
from expressive.pocket import judge
from expressive.pocket.faces import Identity
from expressive.pocket.reader.reader import FaceReader
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

WORDS = ("happy", "sad", "angry", "surprised", "disgust", "fear")


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader.load(ROOT / "models")


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [
        Scene(Identity.sample(4_000_000 + k), Emotion.of(f"pixelsmile.{word}"), background=k)
        for k, word in enumerate(WORDS)
    ]


def drawn(scenes: list[Scene], **change: object) -> np.ndarray:
    return np.stack([picture(replace(scene, **change)) for scene in scenes])


def test_the_same_people_drawn_as_cartoons_are_right(reader: FaceReader, scenes: list[Scene]) -> None:
    found = judge.stylized(reader, drawn(scenes), drawn(scenes, style="cartoon"), "cartoon")
    assert found["expression"] == found["identity"] == found["style"] == 1.0
    assert 0.8 < found["similarity"] < 1.0


def test_each_thing_that_is_wrong_is_told_alone(reader: FaceReader, scenes: list[Scene]) -> None:
    portraits, cartoons = drawn(scenes), drawn(scenes, style="cartoon")
    unmoved = judge.stylized(reader, portraits, drawn(scenes, style="cartoon", emotion=Emotion.neutral()), "cartoon")
    assert unmoved["expression"] < 0.2 and unmoved["style"] == 1.0 and unmoved["identity"] > 0.8
    others = judge.stylized(reader, portraits, np.roll(cartoons, 1, axis=0), "cartoon")
    assert others["identity"] < 0.2 and others["similarity"] < 0.6 and others["style"] == 1.0
    assert judge.stylized(reader, portraits, portraits, "cartoon")["style"] == 0.0
