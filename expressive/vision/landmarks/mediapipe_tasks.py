"""Landmarks by MediaPipe's Tasks: HolisticLandmarker, in image or in video mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...encoders.holistic import mediapipe_image, open_landmarker, points_of
from ...encoders.interfaces import check_pictures
from .holistic_set import BLENDSHAPES, HolisticSet

_PLACES = {name: place for place, name in enumerate(BLENDSHAPES)}


class MediaPipeLandmarker:
    """A bundle `holistic_landmarker.task` and how to use it. MediaPipe opens it anew for each clip: in video mode it
    remembers what it saw, and one clip is no help with the next."""

    name = "MediaPipe Holistic"

    def __init__(self, path: Path, confidence: float = 0.5, blendshapes: bool = True) -> None:
        """confidence: 0..1, how sure it must be of a face, body or hand."""
        self.path, self.confidence, self.blendshapes = path, confidence, blendshapes

    def check(self) -> None:
        """Opens the bundle once. FileNotFoundError, ImportError or ValueError with one sentence where it does not."""
        open_landmarker(self.path, self.confidence, blendshapes=self.blendshapes).close()

    def detect(
        self, pictures: Tensor, fps: float | None = None, progress: Callable[[int], None] | None = None
    ) -> HolisticSet:
        """Pictures [F, 3, H, W], RGB, 0..1, of one person each; found one by one on the CPU.

        fps: frames a second of a clip, in which the person is followed from frame to frame (at most 1000); None:
        pictures that have nothing to do with each other. progress: told how many pictures are done, after each; what it
        raises ends the work. Raises what `check` does, and ValueError for pictures that are none.
        """
        check_pictures(pictures)
        rows, shapes = [], []
        video = fps is not None
        landmarker = open_landmarker(self.path, self.confidence, video=video, blendshapes=self.blendshapes)
        try:
            for index, picture in enumerate(pictures):
                image = mediapipe_image(picture)
                if fps is None:
                    result = landmarker.detect(image)
                else:
                    result = landmarker.detect_for_video(image, round(index * 1000 / fps))
                rows.append(points_of(result))
                shapes.append(blendshapes_of(result))
                if progress is not None:
                    progress(index + 1)
        finally:
            landmarker.close()
        found = torch.stack(rows)  # [F, 553, 4]
        height, width = pictures.shape[2:]
        return HolisticSet.of(
            found[..., :3], found[..., 3], (height, width), torch.stack(shapes) if self.blendshapes else None
        )


def blendshapes_of(result: Any) -> Tensor:
    """[52] out of one HolisticLandmarkerResult, in the order of `BLENDSHAPES`; 0 where nothing is said."""
    row = torch.zeros(len(BLENDSHAPES))
    for category in result.face_blendshapes or ():
        place = _PLACES.get(category.category_name, category.index)
        if place is not None and 0 <= place < len(row):
            row[place] = category.score or 0.0
    return row
