"""Training and held-out people: the same person drawn with all expressions, cached as one array on disk."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import random
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...emotion import Emotion, vocabulary
from ..faces import Identity
from ..scene import STYLES, Scene
from ..scene import picture as scene_picture
from ..scene.sampling import random_scene

EXPRESSIONS: tuple[str, ...] = ("neutral", *(word.word for word in vocabulary.pixelsmile()))
"""Index → word: neutral, then the 12 expressions in PixelSmile's order."""

CHARACTERS = ("cartoon", "anime")
"""Styles that PixelSmile's captions call a character; the others are a person."""

HELD_OUT = 1_000_000
"""Seeds from here on are never trained on."""


@dataclass(frozen=True)
class PeopleConfig:
    count: int = 3000  # people
    first_seed: int = 0
    spares: int = 3  # more pictures of a person, any expression at any intensity: only ever a source to edit
    target_intensity: tuple[float, float] = (0.3, 1.0)
    spare_intensity: tuple[float, float] = (0.2, 1.2)
    size: int = 128


@dataclass(frozen=True)
class People:
    """Pictures uint8 [people, K, size, size, 3] (on disk, read as needed) with what each shows.

    The first 13 pictures of a person show `EXPRESSIONS` in order; the rest are spares.
    expression: int64 [people, K] index into EXPRESSIONS. intensity: float32 [people, K]. seeds: int64 [people].
    character: bool [people], whether PixelSmile's captions call it a character (drawn flat) or a person.
    """

    pictures: np.ndarray
    expression: np.ndarray
    intensity: np.ndarray
    seeds: np.ndarray
    character: np.ndarray

    def first(self, count: int) -> People:
        """The first `count` people."""
        return People(*(getattr(self, field.name)[:count] for field in fields(self)))


def scene_of(seed: int, expression: str = "neutral", intensity: float = 1.0) -> Scene:
    """One person with one expression ("neutral" or one of the 12); all else is the same in all pictures of a person."""
    emotion = Emotion.neutral() if expression == "neutral" else Emotion.of(f"pixelsmile.{expression}", intensity)
    return random_scene(f"people-{seed}", Identity.sample(seed), emotion, looking=0.0, lit=0.4, spread=(10.0, 5.0, 3.0))


def picture(seed: int, expression: str, intensity: float, size: int = 128) -> np.ndarray:
    """The pixels of `scene_of`: uint8 [size, size, 3]."""
    return scene_picture(scene_of(seed, expression, intensity), size)


def is_character(seed: int) -> bool:
    """Whether a person is drawn flat, so that captions say "character"."""
    return scene_of(seed).style in CHARACTERS


def _plan(config: PeopleConfig, seed: int) -> list[tuple[int, float]]:
    rng = random.Random(f"plan-{seed}")
    planned = [(0, 0.0)] + [(i, rng.uniform(*config.target_intensity)) for i in range(1, len(EXPRESSIONS))]
    spares = [(rng.randrange(1, len(EXPRESSIONS)), rng.uniform(*config.spare_intensity)) for _ in range(config.spares)]
    return planned + spares


def _draw_person(task: tuple[PeopleConfig, int]) -> tuple[np.ndarray, list[tuple[int, float]]]:
    config, seed = task
    plan = _plan(config, seed)
    return np.stack([picture(seed, EXPRESSIONS[e], i, config.size) for e, i in plan]), plan


def people_digest(config: PeopleConfig) -> str:
    """Changes with the config and with how the first person of each style comes out."""
    digest = hashlib.sha256(json.dumps(asdict(config)).encode())
    for style in STYLES:
        seed = next(seed for seed in itertools.count(config.first_seed) if scene_of(seed).style == style)
        person, plan = _draw_person((config, seed))
        digest.update(person.tobytes() + json.dumps(plan).encode())
    return digest.hexdigest()[:12]


def load_people(config: PeopleConfig, cache: Path, workers: int = 2) -> People:
    """Draw all people of the config, or read them from `cache` where they have been drawn before."""
    folder = cache / f"people-{config.first_seed}-{config.count}-{people_digest(config)}"
    pictures_file, labels_file = folder / "pictures.npy", folder / "labels.npz"
    if not labels_file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shape = (config.count, len(EXPRESSIONS) + config.spares, config.size, config.size, 3)
        pictures = np.lib.format.open_memmap(pictures_file, mode="w+", dtype=np.uint8, shape=shape)
        expression, intensity = np.zeros(shape[:2], np.int64), np.zeros(shape[:2], np.float32)
        seeds = np.arange(config.first_seed, config.first_seed + config.count)
        tasks = [(config, int(seed)) for seed in seeds]
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            drawn = tqdm(pool.imap(_draw_person, tasks, chunksize=8), total=config.count, desc="drawing people")
            for row, (person, plan) in enumerate(drawn):
                pictures[row] = person
                expression[row], intensity[row] = zip(*plan, strict=True)
        pictures.flush()
        character = np.array([is_character(int(seed)) for seed in seeds])
        np.savez(labels_file, expression=expression, intensity=intensity, seeds=seeds, character=character)
    with np.load(labels_file) as labels:
        return People(np.load(pictures_file, mmap_mode="r"), **{key: labels[key] for key in labels.files})
