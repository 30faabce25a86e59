"""Which scenes the reader is trained on and judged by."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..faces import GLASSES, HAIR_STYLES, Identity
from ..faces.palette import EYES, HAIR
from ..scene import Scene
from ..scene.sampling import random_emotion, random_scene
from ..training.collection import Collection, load_collection
from ..training.people import HELD_OUT

_TRAINED = ("neutral", *["pixelsmile"] * 4, *["emo135"] * 4, "blend")
_JUDGED = ("neutral", *["pixelsmile"] * 6, *["emo135"] * 2, "blend")


@dataclass(frozen=True)
class DrawingsConfig:
    people: int = 4000
    each: int = 10  # pictures of a person
    held_out_people: int = 300
    held_out_each: int = 12
    upper_bodies: float = 0.2  # share of pictures that show the upper body
    size: int = 128

    def __post_init__(self) -> None:
        if self.people > HELD_OUT:
            raise ValueError(f"Seeds from {HELD_OUT} on are held out; {self.people} people are too many to train on.")


def person(seed: int) -> Identity:
    """The person of a seed; one in three has hair, eyes or glasses that are rare among people of their group."""
    rng = random.Random(f"reader-person-{seed}")
    if rng.random() < 2 / 3:
        return Identity.sample(seed)
    return Identity.sample(
        seed,
        hair=rng.choice(tuple(HAIR)) if rng.random() < 0.6 else None,
        hair_style=rng.choice(HAIR_STYLES) if rng.random() < 0.3 else None,
        eyes=rng.choice(tuple(EYES)) if rng.random() < 0.4 else None,
        glasses=rng.choice(GLASSES) if rng.random() < 0.5 else None,
    )


def reader_scene(index: int, first_seed: int, each: int, upper_bodies: float, kinds: tuple[str, ...]) -> Scene:
    """Picture `index` of a collection: every `each` in a row show one person, each time on another day."""
    rng = random.Random(f"reader-{first_seed}-{index}")
    frame = "upper_body" if rng.random() < upper_bodies else "face"
    emotion = random_emotion(f"reader-{first_seed}-{index}", kinds)
    return random_scene(f"reader-{first_seed}-{index}", person(first_seed + index // each), emotion, frame=frame)


def training_plan(config: DrawingsConfig) -> Callable[[int], Scene]:
    """index → scene of the training set."""
    return partial(reader_scene, first_seed=0, each=config.each, upper_bodies=config.upper_bodies, kinds=_TRAINED)


def held_out_plan(config: DrawingsConfig) -> Callable[[int], Scene]:
    """index → scene of people who are never trained on; more of them show one of the 12 expressions alone."""
    return partial(
        reader_scene, first_seed=HELD_OUT, each=config.held_out_each, upper_bodies=config.upper_bodies, kinds=_JUDGED
    )


def training_drawings(config: DrawingsConfig, cache: Path, workers: int = 2) -> Collection:
    """Drawn once, then read from `cache`."""
    count = config.people * config.each
    return load_collection("reader", training_plan(config), count, cache, size=config.size, workers=workers)


def held_out_drawings(config: DrawingsConfig, cache: Path, workers: int = 2) -> Collection:
    """Drawn once, then read from `cache`."""
    count = config.held_out_people * config.held_out_each
    return load_collection("reader-held-out", held_out_plan(config), count, cache, size=config.size, workers=workers)
