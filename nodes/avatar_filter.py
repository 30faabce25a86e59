"""AvatarFilter: of many pictures those that show one whole face, with the right expression, of nobody known."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ..expressive.emotion import Emotion
from ..expressive.vision.face_filter import unfit
from .face_reader import load_face_reader, parts
from .faces_in import encoder_input, face_boxes, identities
from .sockets import Emotion as EmotionSocket
from .sockets import Landmarks as LandmarksSocket
from .telling import tell


class AvatarFilter(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarFilter",
            display_name="Avatar Filter",
            category="Expressive Avatars/measure",
            description="Keeps the pictures that show exactly one whole, large face; on demand only those that show "
            "an expression, and none that looks like somebody you show it. Says of every other why not.",
            search_aliases=["face filter", "quality filter", "reject images", "cull", "GenEAva"],
            inputs=[
                io.Image.Input("image", tooltip="Pictures to choose from."),
                io.Float.Input(
                    "smallest", default=0.2, min=0.0, max=1.0, step=0.01,
                    tooltip="How large a face has to be, as a share of the picture's shorter side.",
                ),
                io.Float.Input(
                    "border", default=0.01, min=0.0, max=0.5, step=0.01,
                    tooltip="How much of the picture has to be free on every side of the face.",
                ),
                io.Float.Input(
                    "reached", default=0.3, min=0.0, max=1.0, step=0.05,
                    tooltip="With an emotion: how strongly its expression has to be seen.",
                ),
                io.Float.Input(
                    "alike", default=0.7, min=-1.0, max=1.0, step=0.01,
                    tooltip="With known people: from which similarity on a face counts as a copy.",
                ),
                encoder_input(),
                io.String.Input(
                    "lines", default="", multiline=True, optional=True,
                    tooltip="A line of text for each picture, such as its prompt; those of the kept ones come out.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True,
                    tooltip="The expression that the faces should show, read by the bundled reader: for drawn faces.",
                ),
                io.Image.Input(
                    "known", optional=True, tooltip="People whom no face may look like, such as those of the training."
                ),
                LandmarksSocket.Input(
                    "face_landmarks", optional=True,
                    tooltip="From MediaPipe Face Landmarker, for photographs. Without it the small face reader looks, "
                    "which knows drawn faces, one in each picture.",
                ),
            ],
            outputs=[
                io.Image.Output("kept", tooltip="The pictures that stay. Where none does, nothing behind it runs."),
                io.String.Output("lines_out", display_name="lines", tooltip="The lines of the pictures that stay."),
                io.String.Output("report", tooltip="A line for each picture: kept, or why not."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        image: Tensor,
        smallest: float,
        border: float,
        reached: float,
        alike: float,
        encoder: str,
        lines: str = "",
        emotion: Emotion | None = None,
        known: Tensor | None = None,
        face_landmarks: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        """Of pictures [B,H,W,3] those that pass. ValueError for another number of lines than pictures."""
        listed = [line for line in lines.splitlines() if line.strip()]
        if listed and len(listed) != len(image):
            raise ValueError(
                f"There are {len(listed)} lines for {len(image)} pictures. Give a line for each, or none at all."
            )
        size = (image.shape[2], image.shape[1])
        checks = [[unfit(boxes, size, smallest, border) for boxes in face_boxes(image, face_landmarks)]]
        if emotion is not None:
            checks.append(_unmoved(image, emotion, reached))
        if known is not None:
            checks.append(_copies(image, known, alike, encoder))
        reasons = [next((reason for reason in found if reason), "") for found in zip(*checks, strict=True)]
        report = "\n".join(f"{number}: {reason or 'kept'}" for number, reason in enumerate(reasons, start=1))
        rows = [index for index, reason in enumerate(reasons) if not reason]
        tell(cls, f"{len(rows)} of {len(image)} kept")
        kept = image[rows] if rows else ExecutionBlocker(None)
        text = "\n".join(listed[index] for index in rows) if listed else ""
        return io.NodeOutput(kept, text, report, ui=ui.PreviewText(report))


def _unmoved(image: Tensor, emotion: Emotion, reached: float) -> list[str]:
    """Why a picture does not show the expression; empty where it does."""
    from ..expressive.metrics.readings import read_faces

    wanted, reader = emotion.nearest_pixelsmile(), load_face_reader()
    found = [reading for part in parts(image, reader.device) for reading in read_faces(reader.encoder, part)]
    asked = 0.0 if wanted == "neutral" else reached
    return [
        "" if reading.dominant == wanted and max(reading.scores) >= asked else f"{reading.label()}, not {wanted}"
        for reading in found
    ]


def _copies(image: Tensor, known: Tensor, alike: float, encoder: str) -> list[str]:
    """Whom a face looks like; empty where it looks like nobody known."""
    embed = identities(encoder)
    people = embed(known)
    if not bool(people.found.all()):
        missing = [str(number) for number, seen in enumerate(people.found.tolist(), start=1) if not seen]
        raise ValueError(f"No face was found on known picture {', '.join(missing)}. Leave it out.")
    likeness, nearest = (embed(image).embeddings @ people.embeddings.T).max(1)  # [B]; 0 where no face was found
    return [
        f"like known picture {who + 1} ({value:.2f})" if value >= alike else ""
        for value, who in zip(likeness.tolist(), nearest.tolist(), strict=True)
    ]
