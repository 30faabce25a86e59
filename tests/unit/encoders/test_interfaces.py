"""The rules that every encoder keeps."""

import subprocess
import sys

import pytest
import torch

from expressive.encoders import LANDMARKS, FacePoints, Landmarks, check_pictures, require_found
from expressive.encoders.alignment import five_points
from expressive.encoders.catalogue import CATALOGUE
from expressive.encoders.interfaces import FACE, HAND, POSE, FaceFinder, LandmarkDetector
from expressive.encoders.landmark_faces import LandmarkFaces
from expressive.pocket.scene import truth
from launcher.places import ROOT


def test_the_landmarks_are_those_of_the_drawn_world():
    assert (FACE, POSE, HAND, LANDMARKS) == (truth.FACE, truth.POSE, truth.HAND, truth.LANDMARKS) == (478, 33, 21, 553)


def test_landmarks_are_counted_and_divided():
    points = torch.arange(2 * LANDMARKS * 3, dtype=torch.float32).reshape(2, LANDMARKS, 3)
    landmarks = Landmarks(points)
    parts = (landmarks.face, landmarks.pose, landmarks.left_hand, landmarks.right_hand)
    assert [part.shape[1] for part in parts] == [478, 33, 21, 21]
    assert torch.equal(torch.cat(parts, dim=1), points)


@pytest.mark.parametrize(
    "points", [torch.zeros(1, 543, 3), torch.zeros(LANDMARKS, 3), torch.zeros(1, LANDMARKS, 3, dtype=torch.float64)]
)
def test_other_landmarks_are_refused(points):
    with pytest.raises(ValueError, match=r"float32 \[B, 553, 3\]"):
        Landmarks(points)


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (torch.zeros(3, 8, 8), r"shape \[3, 8, 8\]"),
        (torch.zeros(1, 8, 8, 3), r"shape \[1, 8, 8, 3\]"),
        (torch.zeros(0, 3, 8, 8), r"shape \[0, 3, 8, 8\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "floating-point"),
        (torch.full((1, 3, 8, 8), torch.nan), "NaN"),
        ([[1.0]], "list"),
    ],
)
def test_bad_pictures_are_refused(pictures, said):
    with pytest.raises(ValueError, match=said):
        check_pictures(pictures)


def test_missing_faces_are_named_when_asked():
    require_found(torch.tensor([True, True]))
    with pytest.raises(ValueError, match=r"picture 2, 4 of 4"):
        require_found(torch.tensor([True, False, True, False]))


class OneFace:
    """A LandmarkDetector that always answers the same."""

    name, licence, differentiable, input_size, network = "one face", "free", False, None, None

    def __init__(self, points):
        self.points = points

    def detect_landmarks(self, pictures):
        return Landmarks(self.points)


def test_five_points_of_the_landmarks():
    points = torch.zeros(3, LANDMARKS, 3)
    named = {468: (0.3, 0.4), 473: (0.7, 0.4), 1: (0.5, 0.6), 61: (0.35, 0.8), 291: (0.65, 0.8)}
    corners = {33: (0.2, 0.4), 133: (0.36, 0.4), 263: (0.8, 0.4), 362: (0.64, 0.4)}
    for picture, places in enumerate((named | corners, {**corners, 1: named[1], 61: named[61], 291: named[291]})):
        for index, (x, y) in places.items():
            points[picture, index] = torch.tensor([x, y, 1.0])
    detector = OneFace(points)
    assert isinstance(detector, LandmarkDetector)
    finder = LandmarkFaces(detector)
    assert isinstance(finder, FaceFinder)
    faces = finder.find_faces(torch.zeros(3, 3, 100, 200))
    wanted = torch.tensor([[60.0, 40.0], [140.0, 40.0], [100.0, 60.0], [70.0, 80.0], [130.0, 80.0]]) - 0.5
    torch.testing.assert_close(faces.points[0], wanted)
    torch.testing.assert_close(faces.points[1, :2], torch.tensor([[56.0, 40.0], [144.0, 40.0]]) - 0.5)
    torch.testing.assert_close(faces.boxes[0], torch.tensor([40.0, 40.0, 160.0, 80.0]) - 0.5)
    assert faces.found.tolist() == [True, True, False] and faces.faces.tolist() == [1, 1, 0]
    assert faces.points[2].abs().sum() == 0 and faces.boxes[2].abs().sum() == 0
    assert isinstance(five_points(Landmarks(points), 8, 8), FacePoints)


def test_importing_the_encoders_is_light():
    program = (
        "import sys; import expressive.encoders as e; from expressive.encoders import "
        "alignment, catalogue, clip, holistic, insightface, poster, scrfd; "
        "heavy = {'onnx', 'onnxruntime', 'onnx2torch', 'mediapipe', 'transformers', 'cv2', 'torchvision'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_catalogue_names_files():
    assert len({(model.folder, model.place, model.files) for model in CATALOGUE}) == len(CATALOGUE)
    for model in CATALOGUE:
        assert model.files and model.licence and model.page.startswith("https://")
        assert model.kind in ("identity", "expression", "image-text", "image", "image distance", "landmarks")
    assert not any(model.commercial for model in CATALOGUE if "InsightFace" in model.name)
