"""Drawn avatars: who (identity), what the face does (action units), how it is painted (style)."""

from .drawing import BACKGROUNDS, STYLES, draw, render
from .identity import AGE_GROUPS, BEARDS, GENDERS, GLASSES, HAIR_STYLES, RACES, Identity, balanced
from .rig import Pose

__all__ = [
    "AGE_GROUPS",
    "BACKGROUNDS",
    "BEARDS",
    "GENDERS",
    "GLASSES",
    "HAIR_STYLES",
    "RACES",
    "STYLES",
    "Identity",
    "Pose",
    "balanced",
    "draw",
    "render",
]
