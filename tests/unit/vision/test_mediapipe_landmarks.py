"""MediaPipe's HolisticLandmarker: modes, results, and files that are no bundle. Its containers are MediaPipe's own."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("mediapipe", reason="mediapipe is not installed")

from expressive.encoders import holistic
from expressive.encoders.holistic import landmarks_of, open_landmarker, points_of
from expressive.vision.landmarks import mediapipe_tasks
from expressive.vision.landmarks.holistic_set import BLENDSHAPES
from expressive.vision.landmarks.mediapipe_tasks import MediaPipeLandmarker, blendshapes_of


def part(count: int, start: float, **said: Any) -> list[Any]:
    from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark

    return [NormalizedLandmark(x=start, y=start + i / 1000, z=-start - i / 1000, **said) for i in range(count)]


def result(face: int = 478, pose: int = 33, left: int = 21, right: int = 21, shapes: Any = None) -> Any:
    from mediapipe.tasks.python.vision.holistic_landmarker import HolisticLandmarkerResult

    return HolisticLandmarkerResult(
        face_landmarks=part(face, 0.1),
        pose_landmarks=part(pose, 0.2, visibility=0.75, presence=0.5),
        pose_world_landmarks=[],
        left_hand_landmarks=part(left, 0.3),
        left_hand_world_landmarks=[],
        right_hand_landmarks=part(right, 0.4),
        right_hand_world_landmarks=[],
        face_blendshapes=shapes,
    )


def categories(**scores: float) -> list[Any]:
    from mediapipe.tasks.python.components.containers.category import Category

    return [Category(index=BLENDSHAPES.index(name), score=score, category_name=name) for name, score in scores.items()]


class Landmarker:
    """Stands for MediaPipe's, whose bundle is not in the repository: remembers how it was asked. A black picture shows
    nobody."""

    def __init__(self) -> None:
        self.asked: list[int | None] = []
        self.closed = False

    def detect(self, image: Any) -> Any:
        return self._answer(image, None)

    def detect_for_video(self, image: Any, timestamp_ms: int) -> Any:
        assert not self.asked or (self.asked[-1] or 0) < timestamp_ms, "timestamps rise"
        return self._answer(image, timestamp_ms)

    def close(self) -> None:
        self.closed = True

    def _answer(self, image: Any, when: int | None) -> Any:
        assert not self.closed
        self.asked.append(when)
        seen = bool(image.numpy_view().any())
        return result(shapes=categories(jawOpen=0.25)) if seen else result(0, 0, 0, 0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], Landmarker]]:
    """Every landmarker that is opened, with how."""
    all_of_them: list[tuple[dict[str, Any], Landmarker]] = []

    def open_one(path: Path, confidence: float, **how: Any) -> Landmarker:
        all_of_them.append(({"path": path.name, "confidence": confidence, **how}, Landmarker()))
        return all_of_them[-1][1]

    monkeypatch.setattr(mediapipe_tasks, "open_landmarker", open_one)
    return all_of_them


def test_depth_comes_along() -> None:
    points = points_of(result())
    assert points.shape == (553, 4) and points.dtype == torch.float32
    assert torch.equal(points[:, [0, 1, 3]], landmarks_of(result()))
    torch.testing.assert_close(points[:, 2], -points[:, 1])
    assert not points_of(result(left=0))[511:532].any() and not points_of(result(face=468))[468:478].any()


def test_blendshapes_go_by_their_names() -> None:
    found = blendshapes_of(result(shapes=categories(mouthSmileLeft=0.5, _neutral=0.1, eyeBlinkRight=1.0)))
    assert {name: float(found[i]) for i, name in enumerate(BLENDSHAPES) if found[i]} == pytest.approx(
        {"_neutral": 0.1, "eyeBlinkRight": 1.0, "mouthSmileLeft": 0.5}
    )
    assert not blendshapes_of(result()).any() and not blendshapes_of(result(shapes=[])).any()
    (nameless,) = categories(jawOpen=0.3)
    nameless.category_name = None
    assert float(blendshapes_of(result(shapes=[nameless]))[BLENDSHAPES.index("jawOpen")]) == pytest.approx(0.3)


def test_the_blendshapes_are_mediapipes() -> None:
    from mediapipe.tasks.python.vision.face_landmarker import Blendshapes

    def plain(name: str) -> str:
        return name.replace("_", "").lower()

    assert [plain(name) for name in BLENDSHAPES] == [plain(member.name) for member in Blendshapes]


def test_a_clip_is_followed_and_pictures_are_not(opened: list[tuple[dict[str, Any], Landmarker]]) -> None:
    pictures = torch.rand(4, 3, 20, 30)
    pictures[2] = 0.0
    done: list[int] = []
    finder = MediaPipeLandmarker(Path("x.task"), 0.6)
    clip, apart = finder.detect(pictures, 24.0, done.append), finder.detect(pictures)
    (followed, video), (separate, image) = opened
    assert followed == {"path": "x.task", "confidence": 0.6, "video": True, "blendshapes": True}
    assert separate == {**followed, "video": False} and video.closed and image.closed
    assert video.asked == [0, 42, 83, 125] and image.asked == [None] * 4 and done == [1, 2, 3, 4]
    assert clip.same_as(apart) and clip.image_size == (20, 30) and clip.found.tolist() == [True, True, False, True]
    assert clip.blendshapes is not None and clip.blendshapes[:, BLENDSHAPES.index("jawOpen")].tolist() == [
        0.25, 0.25, 0.0, 0.25,
    ]  # fmt: skip
    torch.testing.assert_close(clip.points[0], points_of(result())[:, :3])


def test_without_blendshapes_there_are_none(opened: list[tuple[dict[str, Any], Landmarker]]) -> None:
    found = MediaPipeLandmarker(Path("x.task"), blendshapes=False).detect(torch.rand(1, 3, 8, 8))
    assert found.blendshapes is None and opened[0][0]["blendshapes"] is False


def test_it_is_closed_when_the_work_is_stopped(opened: list[tuple[dict[str, Any], Landmarker]]) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MediaPipeLandmarker(Path("x.task")).detect(torch.rand(3, 3, 8, 8), 25.0, stop)
    assert opened[0][1].closed and opened[0][1].asked == [0]
    MediaPipeLandmarker(Path("x.task")).check()
    assert opened[1][1].closed and not opened[1][1].asked


def test_the_options_reach_mediapipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mediapipe.tasks.python import vision

    seen: list[Any] = []
    monkeypatch.setattr(vision.HolisticLandmarker, "create_from_options", seen.append)
    bundle = tmp_path / "holistic_landmarker.task"
    bundle.write_bytes(b"weights")
    open_landmarker(bundle, 0.3, video=True, blendshapes=True)
    open_landmarker(bundle)
    assert [one.running_mode for one in seen] == [vision.RunningMode.VIDEO, vision.RunningMode.IMAGE]
    assert [one.output_face_blendshapes for one in seen] == [True, False]
    assert seen[0].min_face_detection_confidence == seen[0].min_hand_landmarks_confidence == 0.3
    assert seen[1].base_options.model_asset_buffer == b"weights"


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    for video in (False, True):
        with pytest.raises(FileNotFoundError, match="holistic_landmarker.task is not at"):
            open_landmarker(tmp_path / "none.task", video=video)
    with zipfile.ZipFile(tmp_path / "other.task", "w") as bundle:
        bundle.writestr("face_detector.tflite", b"weights")
    with pytest.raises(ValueError, match="other.task is not MediaPipe's holistic landmark bundle"):
        MediaPipeLandmarker(tmp_path / "other.task").check()


def test_one_picture_becomes_mediapipes_image() -> None:
    picture = torch.zeros(3, 5, 7)
    picture[:, 0, 1] = torch.tensor([1.2, 0.5, -0.1])
    image = holistic.mediapipe_image(picture)  # the view is of its memory
    view = image.numpy_view()
    assert view.shape == (5, 7, 3) and view[0, 1].tolist() == [255, 128, 0]
