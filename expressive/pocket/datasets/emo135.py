"""A dataset in Emo135's layout: one folder a class, and who is on which picture."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

from ...datasets.emo135 import IDENTITIES
from ...datasets.splits import check_disjoint
from ...emotion import Emotion, vocabulary
from ..choices import BACKGROUNDS
from .people import identity_name, person_of, split_of_item
from .writing import Item, Recipe, write_dataset, write_json, write_picture

PICTURES_A_PERSON = 9
INTENSITY = (0.6, 1.1)


def write_emo135(folder: Path, recipe: Recipe, workers: int = 2) -> bool:
    """`recipe.count` pictures in 135 folders, and identities.json; False if they were there already.

    Classes come in turn, so that 135 · n pictures have n of each. Raises ValueError as `write_dataset` does.
    """
    return write_dataset(folder, recipe, partial(draw_item, recipe), _finish, workers)


def draw_item(recipe: Recipe, folder: Path, index: int) -> Item:
    """One picture of one person who feels one of the 135 emotions."""
    from ..scene import picture
    from ..scene.sampling import random_scene

    words = vocabulary.emo135()
    word = words[index % len(words)]
    split = split_of_item(index, len(words))
    who = person_of(index, split, recipe.count, recipe.seed, PICTURES_A_PERSON)
    key = f"emo135-{recipe.seed}-{index}"
    intensity = round(random.Random(key).uniform(*INTENSITY), 3)
    scene = random_scene(key, who, Emotion.of(word.id, intensity))
    name = f"{word.word}/{index:06d}.png"
    write_picture(folder / name, picture(scene, recipe.size))
    row = {
        "picture": name,
        "identity": identity_name(who),
        "split": split,
        "age": who.age,
        "gender": who.gender,
        "race": who.race,
        "style": scene.style,
        "background": BACKGROUNDS[scene.background % len(BACKGROUNDS)],
        "intensity": intensity,
    }
    return Item(row, (name,))


def _finish(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    people = check_disjoint(((row["identity"], row["split"]) for row in rows), str(folder))
    content = {row["picture"]: {key: value for key, value in row.items() if key != "picture"} for row in rows}
    write_json(folder / f"{IDENTITIES}.json", content)
    return {"people": people, "pictures": len(rows)}
