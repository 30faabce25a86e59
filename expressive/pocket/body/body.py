"""What the arms and hands of a drawn person do."""

from __future__ import annotations

from dataclasses import dataclass, field

GESTURES = ("relaxed", "call", "dislike", "fist", "four", "like", "mute", "ok", "one", "palm", "peace", "rock", "stop")
"""Hand shapes; all but the first are classes of HaGRID."""


@dataclass(frozen=True)
class Arm:
    """One arm. It hangs by the side, out of a portrait's frame, unless it is lifted."""

    gesture: str = "relaxed"  # one of GESTURES
    lift: float = 0.0  # 0 hangs … 1 the hand beside the face
    out: float = 0.0  # −1 the hand before the body's middle … 1 far out to the side
    turn: float = 0.0  # degrees that the hand turns about the wrist, > 0 outwards


@dataclass(frozen=True)
class Body:
    """Both arms; left and right are the person's own, so that the left arm is on the picture's right."""

    left: Arm = field(default_factory=Arm)
    right: Arm = field(default_factory=Arm)
