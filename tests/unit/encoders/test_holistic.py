"""MediaPipe Holistic: its results become Landmarks; its loader refuses what is no bundle."""

import importlib
import zipfile

import pytest
import torch

from expressive.encoders import LandmarkDetector
from expressive.encoders.holistic import HolisticDetector, landmarks_of, load_holistic
from expressive.encoders.landmark_faces import LandmarkFaces

pytest.importorskip("mediapipe", reason="mediapipe is not installed")


def part(count: int, start: float, **said):
    from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark

    return [NormalizedLandmark(x=start + i / 1000, y=start - i / 1000, z=0.5, **said) for i in range(count)]


def result(face=478, pose=33, left=21, right=21, **said):
    from mediapipe.tasks.python.vision.holistic_landmarker import HolisticLandmarkerResult

    return HolisticLandmarkerResult(
        face_landmarks=part(face, 0.1),
        pose_landmarks=part(pose, 0.2, **said),
        pose_world_landmarks=[],
        left_hand_landmarks=part(left, 0.3),
        left_hand_world_landmarks=[],
        right_hand_landmarks=part(right, 0.4),
        right_hand_world_landmarks=[],
    )


def test_everything_found():
    points = landmarks_of(result(visibility=0.75, presence=0.5))
    assert points.shape == (553, 3) and points.dtype == torch.float32
    for first, start in ((0, 0.1), (478, 0.2), (511, 0.3), (532, 0.4)):
        torch.testing.assert_close(points[first, :2], torch.tensor([start, start]))
        torch.testing.assert_close(points[first + 1, :2], torch.tensor([start + 0.001, start - 0.001]))
    assert points[:478, 2].unique().tolist() == [1.0]
    assert points[478:511, 2].unique().tolist() == [0.75]
    assert points[511:, 2].unique().tolist() == [1.0]


def test_parts_that_are_not_there_are_zero():
    points = landmarks_of(result(face=468, left=0, presence=0.25))
    assert points[468:478].abs().max() == 0  # irises
    assert points[467, 2] == 1 and points[511:532].abs().max() == 0
    assert points[478:511, 2].unique().tolist() == [0.25]
    assert landmarks_of(result(0, 0, 0, 0)).abs().max() == 0
    assert landmarks_of(result())[478:511, 2].unique().tolist() == [1.0]  # nothing said
    assert landmarks_of(result(visibility=1.7))[500, 2] == 1


def test_other_counts_are_refused():
    with pytest.raises(ValueError, match="17 landmarks of the pose, but 33 are expected"):
        landmarks_of(result(pose=17))
    with pytest.raises(ValueError, match="5 landmarks of the face, but 478 or 468"):
        landmarks_of(result(face=5))


class Landmarker:
    """Stands for MediaPipe's, whose bundle is not in the repository: answers by the picture's first pixel."""

    def __init__(self):
        self.seen = []

    def detect(self, image):
        view = image.numpy_view()
        self.seen.append((view.shape, view.dtype.name, view[0, 0].tolist()))
        return result() if view[0, 0, 0] else result(0, 0, 0, 0)


def test_pictures_reach_mediapipe_as_bytes_in_rgb():
    landmarker = Landmarker()
    detector = HolisticDetector(landmarker)
    assert isinstance(detector, LandmarkDetector) and not detector.differentiable
    pictures = torch.zeros(2, 3, 20, 30, requires_grad=True)
    with torch.no_grad():
        pictures[0, :, 0, 0] = torch.tensor([1.2, 0.5, -0.1])
    landmarks = detector.detect_landmarks(pictures)
    assert landmarker.seen == [((20, 30, 3), "uint8", [255, 128, 0]), ((20, 30, 3), "uint8", [0, 0, 0])]
    assert landmarks.found.tolist() == [True, False] and not landmarks.points.requires_grad
    faces = LandmarkFaces(detector).find_faces(pictures)
    assert faces.found.tolist() == [True, False] and faces.points.shape == (2, 5, 2)


def test_wrong_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holistic_landmarker.task is not at"):
        load_holistic(tmp_path / "holistic_landmarker.task")
    broken = tmp_path / "broken.task"
    broken.touch()
    with pytest.raises(ValueError, match="empty file"):
        load_holistic(broken)
    broken.write_bytes(b"<html>not found</html>")
    with pytest.raises(
        ValueError, match=r"broken.task is not MediaPipe's holistic landmark bundle: Unable to open zip"
    ):
        load_holistic(broken)
    with zipfile.ZipFile(tmp_path / "other.task", "w") as bundle:
        bundle.writestr("face_detector.tflite", b"weights")
    with pytest.raises(ValueError, match=r"other.task is not MediaPipe's holistic landmark bundle: No file with name"):
        load_holistic(tmp_path / "other.task")


def test_without_mediapipe_the_sentence_says_what_to_install(monkeypatch, tmp_path):
    real = importlib.import_module

    def without(name, *rest):
        if name.startswith("mediapipe"):
            raise ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=r"mediapipe is needed to find landmarks.*pip install mediapipe"):
        load_holistic(tmp_path / "holistic_landmarker.task")
