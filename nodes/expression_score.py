"""ExpressionScore: how much of each expression pictures show, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from comfy_api.latest import io, ui
from torch import Tensor

from .face_reader import load_face_reader, parts
from .sockets import Emotion as EmotionSocket
from .sockets import Readings as ReadingsSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.metrics.readings import FaceReading


class ExpressionScore(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ExpressionScore",
            display_name="Expression Score",
            category="Expressive Avatars/measure",
            description="Measures how much of each of PixelSmile's twelve expressions a face shows, and, with a "
            "source, how much it is still the same person. It knows drawn faces, as the pocket models make them.",
            search_aliases=["measure expression", "identity similarity", "face similarity", "emotion recognition"],
            inputs=[
                io.Image.Input("image", tooltip="Drawn faces, one in each picture."),
                io.Image.Input(
                    "source",
                    optional=True,
                    tooltip="The face before the edit, to compare identity with: one for all pictures, one for "
                    "each, or those of a strip of several faces.",
                ),
            ],
            outputs=[
                ReadingsSocket.Output("readings", tooltip="Everything that was measured: for Control Curve."),
                io.String.Output("labels", tooltip="A line for each picture, such as “happy 0.82”: for Contact Sheet."),
                io.String.Output("report", tooltip="All twelve scores of each picture, as JSON."),
                EmotionSocket.Output("emotion", tooltip="What the first picture shows, for other nodes to take up."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, image: Tensor, source: Tensor | None = None) -> io.NodeOutput:
        """Readings of pictures [B,H,W,3]; without a face all scores are zero and the label says so."""
        from ..expressive.metrics.readings import read_faces, report

        if source is not None and len(image) % len(source):
            raise ValueError(
                f"There are {len(source)} sources for {len(image)} pictures. Give one, one for each picture, or "
                "one for each face of a strip."
            )
        reader = load_face_reader()
        readings: list[FaceReading] = []
        for part in parts(image, reader.device):
            own = None
            if source is not None:  # picture i belongs to source i modulo their number, as in a strip
                which = torch.arange(len(readings), len(readings) + len(part)) % len(source)
                own = torch.cat(list(parts(source[which], reader.device)))
            readings += read_faces(reader.encoder, part, reader.encoder, own)
        labels = "\n".join(reading.label() for reading in readings)
        tell(cls, labels)
        return io.NodeOutput(readings, labels, report(readings), readings[0].emotion, ui=ui.PreviewText(labels))
