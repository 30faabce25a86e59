"""Drawn avatars: who (identity), what the face does (action units), how it is painted (style)."""

from .drawing import BACKGROUNDS, STYLES, draw, render
from .identity import GENDERS, HAIR_STYLES, RACES, Identity
from .rig import Pose

__all__ = ["BACKGROUNDS", "GENDERS", "HAIR_STYLES", "RACES", "STYLES", "Identity", "Pose", "draw", "render"]
