"""Talking clips: people who say a sentence with the emotion that it asks for."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...datasets.emo135 import IDENTITIES
from ...datasets.splits import check_disjoint
from ...emotion import Emotion, vocabulary
from .people import identity_name, person_of, split_of_item
from .writing import Item, Recipe, write_dataset, write_json

CLIPS_A_PERSON = 3
ENDINGS = ("mp4", "wav", "landmarks.npz", "json")
INTENSITY = (0.5, 1.0)


@functools.cache
def sentences() -> Mapping[str, tuple[str, ...]]:
    """Class of the text classifier → short English sentences that ask for it."""
    content = json.loads(Path(__file__).with_name("sentences.json").read_bytes())
    return {word.word: tuple(content[word.word]) for word in vocabulary.text7()}


@functools.cache
def _words() -> Mapping[str, tuple[str, ...]]:
    """Class of the text classifier → ids of those of the 135 words that are mostly of this class."""
    nearest = {word.id: Emotion.of(word.id).nearest_text7() for word in vocabulary.emo135()}
    return {name: tuple(word for word, own in nearest.items() if own == name) for name in sentences()}


def write_clips(folder: Path, recipe: Recipe, workers: int = 2) -> bool:
    """`recipe.count` clips of 2 to 5 seconds, upper bodies, and identities.json; False if they were there already.

    The seven classes come in turn. Raises ValueError for an odd size, and as `write_dataset` does.
    """
    if recipe.size % 2:
        raise ValueError(f"Expected an even size for videos, got {recipe.size}.")
    return write_dataset(folder, recipe, partial(draw_item, recipe), _finish, workers)


def draw_item(recipe: Recipe, folder: Path, index: int) -> Item:
    """One clip."""
    from ..scene.sampling import random_scene
    from ..talking import TalkingClip, save

    key = f"clips-{recipe.seed}-{index}"
    rng = random.Random(key)
    classes = tuple(sentences())
    name = classes[index % len(classes)]
    split = split_of_item(index, len(classes))
    who = person_of(index, split, recipe.count, recipe.seed, CLIPS_A_PERSON)
    emotion = Emotion.neutral()
    if _words()[name]:
        emotion = Emotion.of(rng.choice(_words()[name]), round(rng.uniform(*INTENSITY), 3))
    seen = random_scene(key, who, frame="upper_body", spread=(8.0, 3.0, 2.0), moved=0.02)
    clip = TalkingClip(
        identity=who,
        text=rng.choice(sentences()[name]),
        emotion=emotion,
        seed=rng.randrange(2**31),
        style=seen.style,
        pose=replace(seen.pose, roll=0.0),
        light=seen.light,
        background=seen.background,
        camera=seen.camera,
    )
    clip_name = f"{index:06d}"
    save(clip, folder, clip_name, recipe.size)
    row = {"clip": clip_name, "identity": identity_name(who), "split": split, "text class": name}
    return Item(row, tuple(f"{clip_name}.{ending}" for ending in ENDINGS))


def _finish(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    people = check_disjoint(((row["identity"], row["split"]) for row in rows), str(folder))
    content = {row["clip"]: {key: value for key, value in row.items() if key != "clip"} for row in rows}
    write_json(folder / f"{IDENTITIES}.json", content)
    return {"people": people, "clips": len(rows)}
