"""The landmarks of one person in each frame of a clip, or in each of several pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ...encoders.interfaces import FACE, HAND, LANDMARKS, POSE, Landmarks
from ...weights import reading_weights, write_weights

PARTS: Mapping[str, slice] = {
    "face": slice(0, FACE),
    "pose": slice(FACE, FACE + POSE),
    "left_hand": slice(FACE + POSE, FACE + POSE + HAND),
    "right_hand": slice(FACE + POSE + HAND, LANDMARKS),
}
"""Part → its rows of the 553. Left and right are the person's own."""

SEEN = 0.5
"""From this visibility on a landmark counts as seen."""

BLENDSHAPES: tuple[str, ...] = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""The 52 blendshapes of MediaPipe and ARKit, in MediaPipe's order."""

_KIND = "holistic landmarks"


@dataclass(frozen=True, eq=False)
class HolisticSet:
    """MediaPipe Holistic's 553 landmarks in F frames: `PARTS` says which rows are which.

    points: float32 [F, 553, 3]. x and y are shares of the picture's width and height (beyond 0..1 outside of it, y
    downwards). z is in shares of the picture's *width*, as x is, less is nearer; as in MediaPipe each part has its own
    origin (about the head's middle, the hips' middle, the wrist), so that only differences within a part mean anything.
    Where nobody measured z it is 0.
    visibility: float32 [F, 553], 0..1. A landmark that is not there at all has visibility 0, and all zero coordinates.
    image_size: (height, width) of the pictures in pixels.
    held: bool [F], the face was lost in this frame, and stands where it was seen last.
    blendshapes: float32 [F, 52] in the order of `BLENDSHAPES`, zero in frames without a face; None if nobody read them.
    Raises ValueError for other shapes and types, for no frame, and for NaN.
    """

    points: Tensor
    visibility: Tensor
    image_size: tuple[int, int]
    held: Tensor
    blendshapes: Tensor | None = None

    def __post_init__(self) -> None:
        frames = len(self.points) if self.points.ndim else 0
        expected: list[tuple[str, Tensor, tuple[int, ...], torch.dtype]] = [
            ("points", self.points, (frames, LANDMARKS, 3), torch.float32),
            ("visibility", self.visibility, (frames, LANDMARKS), torch.float32),
            ("held", self.held, (frames,), torch.bool),
        ]
        if self.blendshapes is not None:
            expected.append(("blendshapes", self.blendshapes, (frames, len(BLENDSHAPES)), torch.float32))
        for name, found, shape, dtype in expected:
            if tuple(found.shape) != shape or found.dtype != dtype or not frames:
                raise ValueError(
                    f"The {name} of holistic landmarks are {dtype} {list(shape)} with at least one frame, but here "
                    f"they are {found.dtype} {list(found.shape)}."
                )
            if not bool(found.isfinite().all()):
                raise ValueError(f"The {name} of the landmarks hold NaN or infinite numbers.")
        if len(self.image_size) != 2 or min(self.image_size) < 1:
            raise ValueError(f"The pictures' size is (height, width) in pixels, but here it is {self.image_size}.")

    @classmethod
    def of(
        cls, points: Tensor, visibility: Tensor, image_size: tuple[int, int], blendshapes: Tensor | None = None
    ) -> HolisticSet:
        """A set in which no face is held."""
        held = torch.zeros(len(points), dtype=torch.bool, device=points.device)
        return cls(points, visibility, image_size, held, blendshapes)

    @classmethod
    def nothing(cls, frames: int, image_size: tuple[int, int]) -> HolisticSet:
        """Frames in which nobody was found."""
        return cls.of(torch.zeros(frames, LANDMARKS, 3), torch.zeros(frames, LANDMARKS), image_size)

    @classmethod
    def from_landmarks(cls, landmarks: Landmarks, image_size: tuple[int, int]) -> HolisticSet:
        """Out of an encoder's landmarks, which know no z: it is 0."""
        points, visibility = landmarks.points.split((2, 1), dim=2)  # [F, 553, 2], [F, 553, 1]
        return cls.of(torch.cat((points, torch.zeros_like(visibility)), dim=2), visibility[..., 0].clone(), image_size)

    @property
    def landmarks(self) -> Landmarks:
        """The same without z, held faces and blendshapes, for losses and metrics."""
        return Landmarks(torch.cat((self.points[..., :2], self.visibility[..., None]), dim=2))

    def __len__(self) -> int:
        return len(self.points)

    def part(self, name: str) -> Tensor:
        """[F, n, 4] of one of `PARTS`: x, y, z, visibility."""
        rows = PARTS[name]
        return torch.cat((self.points[:, rows], self.visibility[:, rows, None]), dim=2)

    @property
    def face(self) -> Tensor:
        """[F, 478, 4]: 0..467 the mesh, 468..472 the right iris, 473..477 the left one."""
        return self.part("face")

    @property
    def pose(self) -> Tensor:
        """[F, 33, 4]"""
        return self.part("pose")

    @property
    def left_hand(self) -> Tensor:
        """[F, 21, 4], the person's left"""
        return self.part("left_hand")

    @property
    def right_hand(self) -> Tensor:
        """[F, 21, 4], the person's right"""
        return self.part("right_hand")

    def has(self, part: str) -> Tensor:
        """bool [F]: a part of `PARTS` was found."""
        return self.visibility[:, PARTS[part]].amax(dim=1) > 0

    @property
    def found(self) -> Tensor:
        """bool [F]: a face is there, seen or held."""
        return self.has("face")

    @property
    def seen(self) -> Tensor:
        """bool [F, 553]: the binary mask m of MAVAGEN, §3.3.1."""
        return self.visibility >= SEEN

    @property
    def pixels(self) -> Tensor:
        """[F, 553, 3]: all three coordinates in pixels."""
        height, width = self.image_size
        return self.points * self.points.new_tensor((width, height, width))

    def same_as(self, other: HolisticSet) -> bool:
        """Whether all numbers are the same."""
        mine, theirs = (
            (one.points, one.visibility, one.held, *([] if one.blendshapes is None else [one.blendshapes]))
            for one in (self, other)
        )
        return (
            self.image_size == other.image_size
            and len(mine) == len(theirs)
            and all(torch.equal(a, b.to(a.device)) for a, b in zip(mine, theirs, strict=True))
        )

    def save(self, file: Path) -> Path:
        """Write a safetensors file, whole or not at all; the file."""
        state = {"points": self.points, "visibility": self.visibility, "held": self.held}
        described: dict[str, object] = {"kind": _KIND, "image_size": list(self.image_size)}
        if self.blendshapes is not None:
            state["blendshapes"] = self.blendshapes
            described["blendshapes"] = list(BLENDSHAPES)
        return write_weights(file, state, described)

    @classmethod
    def load(cls, file: Path) -> HolisticSet:
        """What `save` wrote. FileNotFoundError or ValueError with a sentence for anything else."""
        if not file.is_file():
            raise FileNotFoundError(f"There are no landmarks at {file}.")
        with reading_weights(file) as opened:
            described = opened.metadata() or {}
            state = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        if described.get("kind") != _KIND:
            raise ValueError(f"{file.name} does not hold landmarks. Choose a file that was saved as such.")
        if "blendshapes" in state and json.loads(described.get("blendshapes", "[]")) != list(BLENDSHAPES):
            raise ValueError(f"The blendshapes in {file.name} are other ones than MediaPipe's 52, or in another order.")
        try:
            height, width = json.loads(described["image_size"])
            return cls(state["points"], state["visibility"], (height, width), state["held"], state.get("blendshapes"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{file.name} lacks a part of its landmarks: {error}. Save them again.") from error
