"""What a node asks of whoever finds landmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from .holistic_set import HolisticSet


class Landmarker(Protocol):
    """Finds the 553 landmarks of one person in each picture: MediaPipe, or the pocket reader."""

    name: str  # for people

    def detect(
        self, pictures: Tensor, fps: float | None = None, progress: Callable[[int], None] | None = None
    ) -> HolisticSet:
        """Pictures [F, 3, H, W], RGB, 0..1 → landmarks on the CPU, all zero where there is nobody.

        fps: frames a second of a clip; None: pictures that have nothing to do with each other. progress: told how many
        pictures are done, as the work goes on; what it raises ends the work.
        """
        ...
