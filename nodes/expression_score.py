"""ExpressionScore: how much of each expression pictures show, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import torch
from comfy_api.latest import io, ui
from torch import Tensor

from .pocket_files import MODELS
from .sockets import Emotion as EmotionSocket
from .sockets import Readings as ReadingsSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.metrics.readings import FaceReading

BATCH = 16  # pictures at a time


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
                    tooltip="The face before the edit, to compare identity with: one for all pictures, or as many.",
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
        from ..expressive.pocket.reader.encoders import PocketEncoder

        encoder = PocketEncoder.load(MODELS)
        device = comfy.model_management.get_torch_device()
        offload = comfy.model_management.unet_offload_device()
        patcher = comfy.model_patcher.ModelPatcher(encoder.reader.net, load_device=device, offload_device=offload)
        comfy.model_management.load_models_gpu([patcher])
        inside = _inside(source, device) if source is not None else None
        readings: list[FaceReading] = []
        for first in range(0, len(image), BATCH):
            part = _inside(image[first : first + BATCH], device)
            own = inside[first : first + BATCH] if inside is not None and len(inside) > 1 else inside
            if inside is not None and len(inside) not in (1, len(image)):
                own = inside  # its sentence names the wrong number
            readings += read_faces(encoder, part, encoder, own)
        labels = "\n".join(reading.label() for reading in readings)
        tell(cls, labels)
        return io.NodeOutput(readings, labels, report(readings), readings[0].emotion, ui=ui.PreviewText(labels))


def _inside(image: Tensor, device: torch.device) -> Tensor:
    """[B,H,W,C] → [B,3,H,W] on the device."""
    return image[..., :3].movedim(-1, 1).float().to(device)
