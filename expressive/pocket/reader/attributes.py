"""What the reader can say about a person in words and numbers: the classes and proportions that it is taught."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..faces import AGE_GROUPS, BEARDS, GENDERS, GLASSES, HAIR_STYLES, RACES, STYLES, Identity
from ..faces.palette import CLOTHES, EYES, HAIR
from ..scene import FRAMES, Scene

CLASSES: Mapping[str, tuple[str, ...]] = {
    "gender": GENDERS,
    "race": RACES,
    "age_group": tuple(AGE_GROUPS),
    "hair": (*HAIR, "bald"),
    "hair_style": HAIR_STYLES,
    "eyes": tuple(EYES),
    "clothes": tuple(CLOTHES),
    "glasses": GLASSES,
    "beard": BEARDS,
    "freckles": ("no", "yes"),
    "lipstick": ("no", "yes"),
    "style": STYLES,
    "frame": tuple(FRAMES),
}
"""Attribute → its values, in the order of the logits."""

_OF: Mapping[str, Callable[[Scene], str]] = {
    "gender": lambda scene: scene.identity.gender,
    "race": lambda scene: scene.identity.race,
    "age_group": lambda scene: scene.identity.age_group,
    "hair": lambda scene: scene.identity.hair_name,
    "hair_style": lambda scene: scene.identity.hair_style,
    "eyes": lambda scene: scene.identity.eye_name,
    "clothes": lambda scene: scene.identity.clothes_name,
    "glasses": lambda scene: scene.identity.glasses,
    "beard": lambda scene: scene.identity.beard,
    "freckles": lambda scene: "yes" if scene.identity.freckles else "no",
    "lipstick": lambda scene: "yes" if scene.identity.lipstick else "no",
    "style": lambda scene: scene.style,
    "frame": lambda scene: scene.frame,
}

_RANGES: Mapping[str, tuple[float, float]] = {  # field of Identity → mean and spread over people
    "age": (48.0, 19.0),
    "head_width": (1.0, 0.043),
    "head_length": (1.0, 0.029),
    "jaw": (0.49, 0.27),
    "eye_size": (1.05, 0.07),
    "eye_distance": (1.0, 0.032),
    "eye_tilt": (0.7, 0.61),
    "brow_thickness": (1.09, 0.19),
    "nose_width": (1.02, 0.1),
    "nose_length": (1.01, 0.064),
    "mouth_width": (1.01, 0.052),
    "lip_fullness": (1.05, 0.144),
}
_COLOURS = ("skin", "hair_colour", "iris", "clothes")  # in shares of 255, spread about a quarter

LOGITS = sum(len(values) for values in CLASSES.values())
PROPORTIONS = len(_RANGES) + 3 * len(_COLOURS)


def class_indices(scene: Scene) -> np.ndarray:
    """int64 [len(CLASSES)]: the index of each attribute's value."""
    return np.array([values.index(_OF[name](scene)) for name, values in CLASSES.items()])


def proportions(person: Identity) -> np.ndarray:
    """float32 [PROPORTIONS]: age, proportions and colours, each with mean about 0 and spread about 1."""
    lengths = [(getattr(person, name) - mean) / spread for name, (mean, spread) in _RANGES.items()]
    colours = [(channel / 255 - 0.5) / 0.25 for name in _COLOURS for channel in getattr(person, name)]
    return np.array([*lengths, *colours], np.float32)


def years(values: np.ndarray) -> np.ndarray:
    """Proportions [..., PROPORTIONS] → age in years [...]."""
    mean, spread = _RANGES["age"]
    return values[..., 0] * spread + mean
