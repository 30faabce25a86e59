"""MediaPipe Holistic through the Tasks API: 553 landmarks of one person, under Apache-2.0."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import loading
from .interfaces import FACE, HAND, LANDMARKS, POSE, Landmarks, check_pictures

MESH = 468  # of the face without the irises, as models without them answer


class HolisticDetector:
    """LandmarkDetector. Each picture is taken for itself; for the same person over time, and for depth and blendshapes,
    see `expressive.vision.landmarks.mediapipe_tasks`.

    Not differentiable, and on the CPU.
    """

    name = "MediaPipe Holistic"
    licence = "MediaPipe Holistic: Apache-2.0."
    differentiable = False
    input_size: int | None = None
    network: nn.Module | None = None

    def __init__(self, landmarker: Any) -> None:
        """landmarker: MediaPipe's HolisticLandmarker in image mode."""
        self._landmarker = landmarker

    def detect_landmarks(self, pictures: Tensor) -> Landmarks:
        """[B, 3, H, W] → Landmarks [B, 553, 3]."""
        check_pictures(pictures)
        rows = [landmarks_of(self._landmarker.detect(mediapipe_image(picture))) for picture in pictures]
        return Landmarks(torch.stack(rows).to(pictures.device))

    def close(self) -> None:
        """Frees MediaPipe's memory."""
        self._landmarker.close()


def load_holistic(path: Path, confidence: float = 0.5) -> HolisticDetector:
    """From MediaPipe's bundle `holistic_landmarker.task`.

    confidence: 0..1, how sure it must be of a face, body or hand. Raises FileNotFoundError, ImportError or ValueError
    with one sentence.
    """
    return HolisticDetector(open_landmarker(path, confidence))


def open_landmarker(path: Path, confidence: float = 0.5, *, video: bool = False, blendshapes: bool = False) -> Any:
    """MediaPipe's own HolisticLandmarker out of its bundle; whoever opens it closes it.

    video: in video mode, which follows a person from frame to frame. blendshapes: it reads them too. The rest, and what
    is raised, as in `load_holistic`.
    """
    vision = loading.package("mediapipe.tasks.python.vision", "find landmarks")
    if not hasattr(vision, "HolisticLandmarker"):
        raise ImportError(
            "This version of the Python package mediapipe has no HolisticLandmarker. Update it in ComfyUI's Python: "
            "pip install -U mediapipe"
        )
    options = loading.package("mediapipe.tasks.python.core.base_options", "find landmarks")
    bundle = loading.file(path, "the landmark model holistic_landmarker.task").read_bytes()
    confidences = {
        f"min_{part}_confidence": confidence
        for part in ("face_detection", "face_landmarks", "pose_detection", "pose_landmarks", "hand_landmarks")
    }
    try:
        # by content: MediaPipe does not open every path on every system
        return vision.HolisticLandmarker.create_from_options(
            vision.HolisticLandmarkerOptions(
                options.BaseOptions(model_asset_buffer=bundle),
                running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
                output_face_blendshapes=blendshapes,
                **confidences,
            )
        )
    except (RuntimeError, ValueError, FileNotFoundError) as error:
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(
            f"{path.name} is not MediaPipe's holistic landmark bundle: {line} Download holistic_landmarker.task again."
        ) from error
    except OSError as error:  # its C library is opened only here
        raise ImportError(
            f"The Python package mediapipe does not start here ({error}). On Linux install the system's libraries "
            "libEGL and libGLESv2 (Debian, Ubuntu: apt install libegl1 libgles2)."
        ) from error


def mediapipe_image(picture: Tensor) -> Any:
    """[3, H, W], RGB, 0..1 → MediaPipe's image of bytes."""
    mediapipe = loading.package("mediapipe", "find landmarks")
    levels = (picture.detach().float() * 255).round().clamp(0, 255).to(torch.uint8).cpu()
    pixels = levels.permute(1, 2, 0).contiguous().numpy()  # c h w → h w c
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)


def landmarks_of(result: Any) -> Tensor:
    """[553, 3] out of one HolisticLandmarkerResult: x, y as shares, visibility 0..1; see `points_of`."""
    return points_of(result)[:, [0, 1, 3]]


def points_of(result: Any) -> Tensor:
    """[553, 4] out of one HolisticLandmarkerResult: x, y as shares, z in shares of the width, visibility 0..1.

    MediaPipe knows the visibility of the pose alone; of face and hands every landmark counts as visible if the part was
    found. Parts that were not found are zero; so are the irises where the model has none. ValueError for other counts
    than MediaPipe's.
    """
    rows = torch.zeros(LANDMARKS, 4)
    parts = (
        ("face", result.face_landmarks, 0, (FACE, MESH)),
        ("pose", result.pose_landmarks, FACE, (POSE,)),
        ("left hand", result.left_hand_landmarks, FACE + POSE, (HAND,)),
        ("right hand", result.right_hand_landmarks, FACE + POSE + HAND, (HAND,)),
    )
    for part, landmarks, start, counts in parts:
        if not landmarks:
            continue
        if len(landmarks) not in counts:
            raise ValueError(
                f"MediaPipe found {len(landmarks)} landmarks of the {part}, but {' or '.join(map(str, counts))} are "
                "expected. Use the bundle holistic_landmarker.task."
            )
        rows[start : start + len(landmarks)] = torch.tensor(_points(landmarks, part == "pose"))
    return rows


def _points(landmarks: Sequence[Any], graded: bool) -> list[tuple[float, float, float, float]]:
    """(x, y, z, visibility) of each; 1 where the visibility is not `graded`, or is not said."""
    return [(point.x, point.y, point.z or 0.0, _visibility(point) if graded else 1.0) for point in landmarks]


def _visibility(point: Any) -> float:
    said = point.visibility if point.visibility is not None else point.presence
    return 1.0 if said is None else min(1.0, max(0.0, said))
