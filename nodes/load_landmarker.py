"""LoadLandmarker: who finds the landmarks of face, body and hands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import folder_paths
from comfy_api.latest import io, ui

from .model_folders import MEDIAPIPE
from .sockets import Landmarker as LandmarkerSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.vision.landmarks.landmarker import Landmarker

POCKET = "pocket"
BUNDLE = "holistic_landmarker.task"
PAGE = "https://ai.google.dev/edge/mediapipe/solutions/vision/holistic_landmarker"


@dataclass(frozen=True)
class LoadedLandmarker:
    """A landmarker. `patcher` brings it to the device; None for MediaPipe, which is on the CPU."""

    landmarker: Landmarker
    patcher: comfy.model_patcher.ModelPatcher | None

    def ready(self) -> Landmarker:
        """The landmarker, on its device."""
        if self.patcher is not None:
            comfy.model_management.load_models_gpu([self.patcher], force_full_load=True)
        return self.landmarker


def pocket_landmarker(confidence: float = 0.5) -> LoadedLandmarker:
    """The bundled face reader. Raises FileNotFoundError where its file is missing."""
    from ..expressive.vision.landmarks.pocket import PocketLandmarker
    from .face_reader import load_face_reader

    loaded = load_face_reader()
    return LoadedLandmarker(PocketLandmarker(loaded.encoder.reader, confidence), loaded.patcher)


class LoadLandmarker(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadLandmarker",
            display_name="Load Landmarker",
            category="Expressive Avatars/loaders",
            description="Loads what finds the landmarks of face, body and hands, for Holistic Landmarks: MediaPipe's "
            "HolisticLandmarker for photographs, or the small reader of drawn people that comes with the pack.",
            search_aliases=["MediaPipe", "holistic", "face mesh", "pose", "hands", "landmark model", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "landmarker",
                    options=[POCKET, *dict.fromkeys((BUNDLE, *_bundles()))],
                    tooltip="pocket comes with the pack and knows drawn people alone. holistic_landmarker.task is "
                    "MediaPipe's, for photographs and videos: download it into models/mediapipe.",
                ),
                io.Float.Input(
                    "confidence",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    round=0.01,
                    tooltip="How sure it must be of a face, a body or a hand. Lower finds more, and more that is not "
                    "there.",
                ),
                io.Boolean.Input(
                    "blendshapes",
                    default=True,
                    tooltip="MediaPipe reads the 52 blendshapes of the face too. pocket knows none.",
                    advanced=True,
                ),
            ],
            outputs=[LandmarkerSocket.Output("loaded", display_name="landmarker", tooltip="For Holistic Landmarks.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, landmarker: str, confidence: float, blendshapes: bool = True) -> str:
        """Of the file: one that was replaced is read again."""
        path = _path(landmarker)
        return str(path.stat().st_mtime_ns) if path is not None else landmarker

    @classmethod
    def execute(cls, landmarker: str, confidence: float, blendshapes: bool = True) -> io.NodeOutput:
        """The landmarker. FileNotFoundError, ImportError or ValueError with a sentence where there is none."""
        if landmarker == POCKET:
            loaded = pocket_landmarker(confidence)
        else:
            from ..expressive.vision.landmarks.mediapipe_tasks import MediaPipeLandmarker

            path = _path(landmarker)
            if path is None:
                raise FileNotFoundError(
                    f"There is no {landmarker} in models/mediapipe. Download {BUNDLE} (about 14 MB, Apache-2.0; see "
                    f"{PAGE}) into models/mediapipe, or choose {POCKET} for drawn people."
                )
            bundle = MediaPipeLandmarker(path, confidence, blendshapes)
            bundle.check()
            loaded = LoadedLandmarker(bundle, None)
        tell(cls, loaded.landmarker.name)
        return io.NodeOutput(loaded, ui=ui.PreviewText(loaded.landmarker.name))


def _bundles() -> list[str]:
    return [name for name in folder_paths.get_filename_list(MEDIAPIPE) if name.lower().endswith(".task")]


def _path(name: str) -> Path | None:
    found = None if name == POCKET else folder_paths.get_full_path(MEDIAPIPE, name)
    return None if found is None else Path(found)
