"""How the head is held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pose:
    """Head pose in degrees: yaw > 0 turns to the picture's right, pitch > 0 up, roll > 0 tilts clockwise."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
