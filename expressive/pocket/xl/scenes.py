"""Which scenes the bases learn from: picture i of a plan is always the same one."""

from __future__ import annotations

import random

from ...emotion import Emotion, vocabulary
from ..faces import AGE_GROUPS, GENDERS, RACES, Identity
from ..scene import STYLES, Scene
from ..scene.sampling import random_scene

HELD_OUT = 1_000_000
"""Identity seeds from here on are never trained on."""

EXPRESSIONS: tuple[str, ...] = ("neutral", *(word.word for word in vocabulary.pixelsmile()))
_CELLS = [(gender, race, ages) for gender in GENDERS for race in RACES for ages in AGE_GROUPS.values()]
_INTENSITY = (0.5, 1.1)


def face_scene(index: int, first: int = 0) -> Scene:
    """Picture `index` of the faces: a person of their own, one of 12 expressions or neutral, any style.

    first: identity seed of picture 0. 56 pictures in a row hold each gender, race and age group once, 13 in a row each
    expression.
    """
    return _scene(index, first, "face")


def body_scene(index: int, first: int = 0) -> Scene:
    """Picture `index` of the upper bodies, most of them with a gesture. Otherwise as `face_scene`."""
    return _scene(index, first, "upper_body")


def held_out_face(index: int) -> Scene:
    """Picture `index` of faces of people that are never trained on."""
    return face_scene(index, HELD_OUT)


def held_out_body(index: int) -> Scene:
    """Picture `index` of upper bodies of people that are never trained on."""
    return body_scene(index, HELD_OUT)


def _scene(index: int, first: int, frame: str) -> Scene:
    rng = random.Random(f"{frame}-{index}")
    round_, place = divmod(index, len(_CELLS))
    order = random.Random(f"cells-{round_}").sample(_CELLS, len(_CELLS))
    gender, race, (youngest, oldest) = order[place]
    who = Identity.sample(first + index, gender=gender, race=race, age=rng.randint(youngest, oldest))
    expression = EXPRESSIONS[index % len(EXPRESSIONS)]
    strength = rng.uniform(*_INTENSITY)
    emotion = Emotion.neutral() if expression == "neutral" else Emotion.of(f"pixelsmile.{expression}", strength)
    style = STYLES[index // len(EXPRESSIONS) % len(STYLES)]
    return random_scene(
        f"{frame}-{first + index}",
        who,
        emotion,
        styles=(style,),
        frame=frame,
        spread=(6.0, 3.5, 2.5),
        lit=0.3,
        looking=0.1,
        moved=0.02,
    )
