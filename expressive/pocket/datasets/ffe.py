"""A dataset as PixelSmile reads it: a neutral source and two targets that are easily confused, with soft scores."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...datasets.emo135 import IDENTITIES
from ...datasets.ffe import BENCH_TASKS, expressions
from ...datasets.splits import SPLITS, TEST, check_disjoint
from ...emotion import Emotion
from ..scene import Scene
from .people import identity_name, person_of, split_of_item
from .writing import Item, Recipe, write_dataset, write_json, write_lines, write_picture

CONFUSING = (
    ("fear", "surprised"),
    ("angry", "disgust"),
    ("contempt", "confident"),
    ("shy", "anxious"),
    ("sad", "sleepy"),
)
"""Pairs that share many action units. PixelSmile names the first two; its full list is not public."""

BENCH = "ffe_bench.jsonl"
CHARACTERS = ("cartoon", "anime")
"""Styles that the benchmark counts as anime and prompts call a character."""

LINES_A_PERSON = 4
_ALIKE = 0.75  # share of lines with a confusing pair; the others have any two
_MIXED = 0.3  # share of targets with a trace of another expression
_INTENSITY = (0.3, 1.0)
_TRACE = (0.15, 0.4)  # of the main expression's intensity


def write_ffe(folder: Path, recipe: Recipe, workers: int = 2, levels: Sequence[float] = ()) -> bool:
    """`recipe.count` lines, three pictures each: train.jsonl, validation.jsonl, test.jsonl, identities.json, and tasks
    like FFE-Bench's for people of the test split; False if they were there already.

    levels: the only intensities there are, without traces of others, as older datasets have them; empty: any.
    Raises ValueError as `write_dataset` does.
    """
    return write_dataset(folder, recipe, partial(draw_item, recipe, levels=tuple(levels)), _finish, workers)


def draw_item(recipe: Recipe, folder: Path, index: int, levels: Sequence[float] = ()) -> Item:
    """One line: the same person in the same light and pose, neutral and with two expressions."""
    from ..scene.sampling import random_scene

    rng = random.Random(f"ffe-{recipe.seed}-{index}")
    split = split_of_item(index)
    who = person_of(index, split, recipe.count, recipe.seed, LINES_A_PERSON)
    scene = random_scene(f"ffe-{recipe.seed}-{index}", who, looking=0.1)
    pair = rng.choice(CONFUSING) if rng.random() < _ALIKE else rng.sample(expressions(), 2)
    words = rng.sample(pair, 2)  # either may come first
    if levels:
        targets = [(word, Emotion.of(f"pixelsmile.{word}", rng.choice(levels))) for word in words]
    else:
        targets = [(word, _emotion(rng, word, words[1 - place])) for place, word in enumerate(words)]
    names = [f"images/{split}/{index:06d}_{word}.png" for word in ("neutral", *words)]
    row = {
        "split": split,
        "identity": identity_name(who),
        "style": scene.style,
        "line": {
            "src": _drawn(scene, folder, names[0], recipe.size),
            "dst": [
                _drawn(replace(scene, emotion=emotion), folder, name, recipe.size)
                | {"category": word, "scores": {key: round(score, 4) for key, score in emotion.pixelsmile().items()}}
                for name, (word, emotion) in zip(names[1:], targets, strict=True)
            ],
        },
    }
    return Item(row, names)


def _emotion(rng: random.Random, word: str, other: str) -> Emotion:
    """An expression, at times with a trace of the one it is confused with, or of any other."""
    main = round(rng.uniform(*_INTENSITY), 3)
    emotion = Emotion.of(f"pixelsmile.{word}", main)
    if rng.random() < _MIXED:
        second = other if rng.random() < 0.5 else rng.choice([one for one in expressions() if one != word])
        emotion += Emotion.of(f"pixelsmile.{second}", round(main * rng.uniform(*_TRACE), 3))
    return emotion


def _drawn(scene: Scene, folder: Path, name: str, size: int) -> dict[str, Any]:
    """Draw one picture; its path and face box in pixels, as PixelSmile has them."""
    from ..scene import picture
    from ..scene.truth import truth

    write_picture(folder / name, picture(scene, size))
    edges = truth(scene, size, maps=False).face_box
    return {"image": name, "boxes": [max(0, min(size, round(edge * size))) for edge in edges]}


def _finish(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    people = check_disjoint(((row["identity"], row["split"]) for row in rows), str(folder))
    counts = {}
    for split in SPLITS:
        lines = [row["line"] for row in rows if row["split"] == split]
        write_lines(folder / f"{split}.jsonl", lines)
        counts[split] = len(lines)
    about = ("identity", "split", "style")
    identities = {
        shown["image"]: {key: row[key] for key in about}
        for row in rows
        for shown in (row["line"]["src"], *row["line"]["dst"])
    }
    write_json(folder / f"{IDENTITIES}.json", identities)
    tasks = [_task(row) for row in rows if row["split"] == TEST][:BENCH_TASKS]
    write_lines(folder / BENCH, tasks)
    return {"people": people, "lines": counts, "bench tasks": len(tasks)}


def _task(row: dict[str, Any]) -> dict[str, Any]:
    source, target = row["line"]["src"], row["line"]["dst"][0]
    character = row["style"] in CHARACTERS
    return {
        "image": source["image"],
        "bbox": source["boxes"],
        "expression": target["category"],
        "prompt": f"Edit the {'character' if character else 'person'} to show a {target['category']} expression",
        "data_type": "anime" if character else "human",
    }
