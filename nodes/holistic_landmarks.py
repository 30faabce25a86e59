"""HolisticLandmarks: the landmarks of face, body and hands, picture by picture or through a clip."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.utils
from comfy_api.latest import io, ui
from torch import Tensor

from ..expressive.vision.landmarks.connections import TORSOS
from .choices import chosen
from .load_landmarker import LoadedLandmarker, pocket_landmarker
from .sockets import HolisticLandmarks as HolisticLandmarksSocket
from .sockets import Landmarker as LandmarkerSocket
from .sockets import Landmarks as FaceLandmarksSocket
from .sockets import LandmarkVector as LandmarkVectorSocket
from .sockets import PoseKeypoints as PoseKeypointsSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.vision.landmarks.holistic_set import HolisticSet

VIDEO, PICTURES = "video", "pictures"
BACKGROUNDS = ("picture", "black")


class HolisticLandmarks(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        clip = [
            io.Float.Input(
                "fps", default=25.0, min=1.0, max=240.0, step=1.0, round=0.001,
                tooltip="Frames a second of the clip.",
            ),
            io.Float.Input(
                "smoothing", default=0.5, min=0.0, max=1.0, step=0.05, round=0.01,
                tooltip="How much jitter is taken away where a point rests; what moves is followed all the same. "
                "0: landmarks as they were found.",
            ),
            io.Int.Input(
                "hold", default=5, min=0, max=250,
                tooltip="For how many frames a lost face stands where it was seen last, before it is dropped.",
            ),
        ]  # fmt: skip
        return io.Schema(
            node_id="HolisticLandmarks",
            display_name="Holistic Landmarks",
            category="Expressive Avatars/face",
            description="Finds 553 landmarks of a person's face, body and hands, in pictures or through a clip: as "
            "data, as a drawing, as the host's own FACE_LANDMARKS and POSE_KEYPOINT, and as the vector that MAVAGEN "
            "reads.",
            search_aliases=[
                "MediaPipe", "holistic", "face mesh", "pose detection", "hands", "skeleton", "keypoints", "MAVAGEN",
            ],
            inputs=[
                io.Image.Input("image", tooltip="Pictures of one person each, or the frames of a clip."),
                io.DynamicCombo.Input(
                    "frames",
                    options=[io.DynamicCombo.Option(VIDEO, clip), io.DynamicCombo.Option(PICTURES, [])],
                    tooltip="video: frames of one clip, of the same person. pictures: they have nothing to do with "
                    "each other.",
                ),
                io.Combo.Input(
                    "background", options=list(BACKGROUNDS),
                    tooltip="What the landmarks are drawn on: the picture itself, or black.",
                ),
                io.Combo.Input(
                    "torso", options=list(TORSOS), advanced=True,
                    tooltip="Which joint landmark_vector is centred on: the middle between the shoulders, or between "
                    "the hips, where these are seen.",
                ),
                LandmarkerSocket.Input(
                    "landmarker", optional=True,
                    tooltip="From Load Landmarker. Without it: what is connected to face_landmarks and pose_keypoint "
                    "alone, or, if nothing is, the small reader, which knows drawn people alone.",
                ),
                FaceLandmarksSocket.Input(
                    "face_landmarks", optional=True,
                    tooltip="Of the same pictures, from Detect Face Landmarks (MediaPipe): these faces are taken.",
                ),
                PoseKeypointsSocket.Input(
                    "pose_keypoint", optional=True,
                    tooltip="Of the same pictures, from SDPose Keypoint Extractor or DWPose: these bodies and hands "
                    "are taken.",
                ),
            ],
            outputs=[
                HolisticLandmarksSocket.Output("landmarks", tooltip="All of them, with depth and visibility."),
                io.Image.Output("drawn", tooltip="Skeleton, hands and contours of the face."),
                FaceLandmarksSocket.Output(
                    "face_landmarks_out", display_name="face_landmarks",
                    tooltip="The faces for the host's MediaPipe nodes and for Face Crop.",
                ),
                PoseKeypointsSocket.Output(
                    "pose_keypoint_out", display_name="pose_keypoint",
                    tooltip="Bodies, hands and faces for the host's SDPose nodes.",
                ),
                LandmarkVectorSocket.Output(
                    "landmark_vector", tooltip="Each frame without the person's place and scale, for MAVAGEN."
                ),
                io.String.Output(
                    "blendshapes", tooltip="The 52 blendshapes of each frame as JSON, where they are known."
                ),
                io.String.Output("report", tooltip="In how many frames what was found, as JSON."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        image: Tensor,
        background: str,
        torso: str,
        frames: dict[str, Any] | None = None,
        landmarker: LoadedLandmarker | None = None,
        face_landmarks: Mapping[str, Any] | None = None,
        pose_keypoint: Sequence[Mapping[str, Any]] | None = None,
    ) -> io.NodeOutput:
        """Landmarks of pictures [F,H,W,C]. ValueError where nobody is found in any of them."""
        from ..expressive.vision.landmarks.drawing import draw_set
        from ..expressive.vision.landmarks.face_landmarks import to_face_landmarks
        from ..expressive.vision.landmarks.normalisation import normalise
        from ..expressive.vision.landmarks.one_euro import OneEuro
        from ..expressive.vision.landmarks.openpose import to_pose_keypoint
        from ..expressive.vision.landmarks.pocket import PocketLandmarker
        from ..expressive.vision.landmarks.steadying import hold_lost, smooth

        frames = chosen(frames, cls, "frames")
        fps = float(frames["fps"]) if frames["frames"] == VIDEO else None
        steps = _Steps(2 * len(image))
        found, name = _found(image, fps, landmarker, face_landmarks, pose_keypoint, steps.first)
        if not bool(found.visibility.any()):
            remedy = (
                "It knows drawn people alone: for photographs connect Load Landmarker with holistic_landmarker.task, "
                "or the host's own detectors."
                if name.startswith(PocketLandmarker.name)
                else "Give pictures in which the person is larger and sharper, or a lower confidence where people are "
                "found."
            )
            raise ValueError(f"Nobody was found in {len(image)} pictures by {name}. {remedy}")
        detected = found
        if fps is not None:
            found = hold_lost(found, int(frames["hold"]))
            if frames["smoothing"] > 0:
                found = smooth(found, fps, OneEuro.of(float(frames["smoothing"])))
        drawn = draw_set(found, image if background == BACKGROUNDS[0] else None, steps.second)
        normalised = normalise(found, torso)
        report = _report(name, detected, found, normalised.joint)
        parts = (("face", "face"), ("left hand", "left_hand"), ("right hand", "right_hand"), ("held", "held"))
        told = f"of {len(found)}: " + " · ".join(f"{label} {report[key]}" for label, key in parts)
        tell(cls, told)
        return io.NodeOutput(
            found, drawn.to(image.device), to_face_landmarks(found), to_pose_keypoint(found), normalised.vector,
            json.dumps(_blendshapes(found)), json.dumps(report), ui=ui.PreviewText(told),
        )  # fmt: skip


class _Steps:
    """Progress through two rounds over all frames; the host's cancel ends it."""

    def __init__(self, total: int) -> None:
        self._bar, self._total = comfy.utils.ProgressBar(total), total

    def first(self, done: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        self._bar.update_absolute(done)

    def second(self, done: int) -> None:
        self.first(self._total // 2 + done)


def _found(
    image: Tensor,
    fps: float | None,
    landmarker: LoadedLandmarker | None,
    face_landmarks: Mapping[str, Any] | None,
    pose_keypoint: Sequence[Mapping[str, Any]] | None,
    progress: Callable[[int], None],
) -> tuple[HolisticSet, str]:
    """The landmarks, and by whom. What the host's nodes found comes before what the landmarker finds."""
    from ..expressive.vision.landmarks.merging import completed, merge, of_host

    host = None
    if face_landmarks is not None or pose_keypoint is not None:
        host = of_host(len(image), (image.shape[1], image.shape[2]), face_landmarks, pose_keypoint)
        if landmarker is None:
            return completed(host), "the nodes that are connected"
    finder = (landmarker or pocket_landmarker()).ready()
    found = finder.detect(image[..., :3].movedim(-1, 1).float(), fps, progress)  # f h w c → f c h w
    if host is None:
        return found, finder.name
    return completed(merge(found, host)), f"{finder.name} and the nodes that are connected"


def _report(name: str, detected: HolisticSet, found: HolisticSet, joints: tuple[str, ...]) -> dict[str, Any]:
    """Numbers of frames: in which each part was detected, held, without a face in the end; what each is centred by."""
    parts = ("face", "pose", "left_hand", "right_hand")
    lost = [index for index, there in enumerate(found.found.tolist()) if not there]
    return {
        "by": name,
        "frames": len(found),
        **{part: int(detected.has(part).sum()) for part in parts},
        "held": int(found.held.sum()),
        "without_face": len(lost),
        "first_without_face": lost[:20],
        "centred_by": {joint: joints.count(joint) for joint in dict.fromkeys(joints)},
    }


def _blendshapes(found: HolisticSet) -> list[dict[str, float]]:
    """Name → 0..1 of each frame; empty where nobody read them, or there is no face."""
    from ..expressive.vision.landmarks.holistic_set import BLENDSHAPES

    if found.blendshapes is None:
        return [{} for _ in range(len(found))]
    rows = zip(found.blendshapes.tolist(), found.found.tolist(), strict=True)
    return [
        {name: round(value, 4) for name, value in zip(BLENDSHAPES, row, strict=True)} if there else {}
        for row, there in rows
    ]
