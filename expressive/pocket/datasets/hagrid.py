"""A dataset in HaGRIDv2's layout: people who show a gesture, with boxes, hand landmarks, age, gender and race."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.hagrid import NO_GESTURE
from ...datasets.hagrid_layout import ANNOTATIONS, FOLDERS
from ...datasets.splits import check_disjoint
from ...emotion import Emotion
from ..body import GESTURES, Arm, Body
from ..body.body import PRESENTED
from ..faces import Identity
from ..scene import Scene
from .people import person_of, split_of_item
from .writing import Item, Recipe, write_dataset, write_picture, write_text

PICTURES = "images"
TARGETS = (*(gesture for gesture in GESTURES if gesture != "relaxed"), NO_GESTURE)
"""Classes that are drawn: the gestures, and a hand that is seen but shows none."""

PICTURES_A_PERSON = 8
_OTHER_HAND = 0.25  # share of pictures in which the second hand is seen too, relaxed
_SEEN = 0.4  # share of a hand's landmarks within the picture from which it has an entry
_MARGIN = 0.12  # of a box around its landmarks, shares of the longer side
_TRIES = 12  # for a gesture that lies within the picture
_RACES = {"Latino": "Latino_Hispanic"}  # as FairFace writes it
_GENDERS = {"woman": "female", "man": "male"}


def write_hagrid(folder: Path, recipe: Recipe, workers: int = 2) -> bool:
    """`recipe.count` pictures: images/<gesture>/<name>.jpg and annotations/{train,val,test}/<gesture>.json; False if
    they were there already.

    Gestures come in turn. Raises ValueError as `write_dataset` does.
    """
    return write_dataset(folder, recipe, partial(draw_item, recipe), _finish, workers)


def draw_item(recipe: Recipe, folder: Path, index: int) -> Item:
    """One picture of one person who shows one gesture, and its entry."""
    from ..scene import picture
    from ..scene.truth import truth

    target = TARGETS[index % len(TARGETS)]
    split = split_of_item(index, len(TARGETS))
    who = person_of(index, split, recipe.count, recipe.seed, PICTURES_A_PERSON)
    rng = random.Random(f"hagrid-{recipe.seed}-{index}")
    name = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    for attempt in range(_TRIES):
        scene, side = _scene(f"hagrid-{recipe.seed}-{index}-{attempt}", who, target)
        hands = _hands(truth(scene, recipe.size, maps=False).landmarks)
        if side in hands and hands[side][2]:
            break
    else:
        raise ValueError(f"The gesture {target} of item {index} could not be shown within the picture.")
    place = f"{PICTURES}/{target}/{name}.jpg"
    write_picture(folder / place, picture(scene, recipe.size))
    seen = sorted(hands.items(), key=lambda hand: hand[1][0])  # from the picture's left
    entry = {
        "bboxes": [box for _, (box, _, _) in seen],
        "labels": [target if hand == side else NO_GESTURE for hand, _ in seen],
        "united_bbox": None,
        "united_label": None,
        "user_id": _user(who),
        "hand_landmarks": [points for _, (_, points, _) in seen],
        "meta": {
            "age": [float(who.age)],
            "gender": [_GENDERS[who.gender]],
            "race": [_RACES.get(who.race, who.race)],
        },
    }
    return Item({"split": split, "gesture": target, "name": name, "entry": entry}, (place,))


def _scene(key: str, who: Identity, target: str) -> tuple[Scene, str]:
    """The scene, and the hand that shows the gesture: the person's own 'left' or 'right'."""
    from ..scene.sampling import random_scene

    rng = random.Random(f"gesture-{key}")
    side = rng.choice(("left", "right"))
    raised = Arm("relaxed", rng.uniform(0.5, 0.75), rng.uniform(0.2, 0.5))
    arm = raised if target == NO_GESTURE else PRESENTED[target]
    arm = replace(arm, lift=arm.lift + rng.uniform(-0.06, 0.06), out=arm.out + rng.uniform(-0.06, 0.1))
    arm = replace(arm, turn=arm.turn + rng.uniform(-12, 12))
    other = raised if target != NO_GESTURE and rng.random() < _OTHER_HAND else Arm()
    body = Body(arm, other) if side == "left" else Body(other, arm)
    scene = random_scene(key, who, Emotion.neutral(), frame="upper_body", spread=(8.0, 4.0, 3.0))
    return replace(scene, body=body), side


def _hands(landmarks: np.ndarray) -> dict[str, tuple[list[float], list[list[float]], bool]]:
    """'left' and 'right' → box, landmarks, and whether the whole hand lies within the picture; seen hands only."""
    from ..scene.landmarks import LEFT_HAND_PART, RIGHT_HAND_PART

    found = {}
    for side, part in (("left", LEFT_HAND_PART), ("right", RIGHT_HAND_PART)):
        points = landmarks[part, :2].astype(float)
        inside = ((points >= 0) & (points <= 1)).all(1)
        if landmarks[part, 2].any() and inside.mean() >= _SEEN:
            found[side] = (_box(points), points.round(6).tolist(), bool(inside.all()))
    return found


def _box(points: np.ndarray) -> list[float]:
    """Left, top, width and height around the landmarks, with a margin, within the picture."""
    low, high = points.min(0), points.max(0)
    margin = _MARGIN * (high - low).max()
    low, high = np.clip(low - margin, 0, 1), np.clip(high + margin, 0, 1)
    return [round(float(value), 6) for value in (*low, *(high - low))]


def _user(who: Identity) -> str:
    """A hash, as in HaGRID."""
    return hashlib.sha256(f"pocket-{who.seed}".encode()).hexdigest()[:32]


def _finish(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    people = check_disjoint(((row["entry"]["user_id"], row["split"]) for row in rows), str(folder))
    for split, name in FOLDERS.items():
        for target in TARGETS:
            entries = {row["name"]: row["entry"] for row in rows if (row["split"], row["gesture"]) == (split, target)}
            if entries:
                write_text(folder / ANNOTATIONS / name / f"{target}.json", json.dumps(entries) + "\n")
    return {"people": people, "pictures": dict(Counter(row["split"] for row in rows))}
