"""Drawn avatars: who (identity), what the face does (action units), how it is painted (style)."""

from ..choices import STYLES
from .backdrop import BACKGROUNDS
from .brush import Brush
from .drawing import draw_head, silhouettes
from .identity import AGE_GROUPS, BEARDS, GENDERS, GLASSES, HAIR_STYLES, RACES, Identity, balanced
from .pose import Pose
from .rendering import render
from .rig import rig
from .shapes import contours

__all__ = [
    "AGE_GROUPS",
    "BACKGROUNDS",
    "BEARDS",
    "GENDERS",
    "GLASSES",
    "HAIR_STYLES",
    "RACES",
    "STYLES",
    "Brush",
    "Identity",
    "Pose",
    "balanced",
    "contours",
    "draw_head",
    "render",
    "rig",
    "silhouettes",
]
