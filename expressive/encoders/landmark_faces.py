"""Finding the face by its landmarks: a way to align faces whose weights may be used commercially."""

from __future__ import annotations

from torch import Tensor, nn

from .alignment import five_points
from .interfaces import FacePoints, LandmarkDetector


class LandmarkFaces:
    """FaceFinder made of a LandmarkDetector (MediaPipe, the pocket reader), which sees one person a picture."""

    differentiable = False
    input_size: int | None = None

    def __init__(self, detector: LandmarkDetector) -> None:
        self._detector = detector
        self.name, self.licence = f"face by {detector.name}", detector.licence
        self.network: nn.Module | None = detector.network

    def find_faces(self, pictures: Tensor) -> FacePoints:
        """[B, 3, H, W] → the face that the landmarks belong to."""
        landmarks = self._detector.detect_landmarks(pictures.detach())
        return five_points(landmarks, pictures.shape[2], pictures.shape[3])
