"""The drawn upper body: shoulders, arms, and two hands that make gestures."""

from .body import GESTURES, Arm, Body

__all__ = ["GESTURES", "Arm", "Body"]
