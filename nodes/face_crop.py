"""FaceCrop and FaceComposite: edit a face in a picture, and nothing else in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import comfy.model_management
import torch
from comfy_api.latest import io
from torch import Tensor

from ..expressive.vision.face_crop import Placement, choose_face, composite, crop, place
from ..expressive.vision.fitting import Box
from .choices import chosen
from .faces_in import encoder_input, face_boxes, identities
from .sockets import Landmarks as LandmarksSocket
from .sockets import Placements as PlacementsSocket

FACE_ROOM = 0.3  # around a face's box when it is compared with a person


class FaceCrop(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        index = io.Int.Input("index", default=0, min=-64, max=64, tooltip="From left to right, the first is 0.")
        person = [
            io.Image.Input("person", tooltip="A picture of who is meant, with that face alone or the largest."),
            encoder_input(),
        ]
        return io.Schema(
            node_id="FaceCrop",
            display_name="Face Crop",
            category="Expressive Avatars/face",
            description="Cuts the face that you mean out of a picture, in the size that a model wants. Face Composite "
            "puts the edited face back, without moving anything else.",
            search_aliases=["crop face", "face detailer", "inpaint crop", "stitch"],
            inputs=[
                io.Image.Input("image", tooltip="Pictures with a face each."),
                io.DynamicCombo.Input(
                    "face",
                    options=[
                        io.DynamicCombo.Option("largest", []),
                        io.DynamicCombo.Option("index", [index]),
                        io.DynamicCombo.Option("person", person),
                    ],
                    tooltip="Which face, where there are several.",
                ),
                io.Int.Input(
                    "size", default=512, min=32, max=4096, step=16,
                    tooltip="Pixels of the crop's side: 512 for PixelSmile, 128 for the pocket models.",
                ),
                io.Float.Input(
                    "margin", default=0.6, min=0.0, max=4.0, step=0.05, round=0.01,
                    tooltip="Room around the face, as a share of its size: models want to see hair and neck.",
                ),
                LandmarksSocket.Input(
                    "face_landmarks",
                    optional=True,
                    tooltip="From MediaPipe Face Landmarker, for photographs. Without it the small face reader looks, "
                    "which knows drawn faces, one in each picture.",
                ),
            ],
            outputs=[
                io.Image.Output("crop", tooltip="The faces, square."),
                PlacementsSocket.Output("placement", tooltip="Where they came from: for Face Composite."),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, image: Tensor, size: int, margin: float, face: dict[str, Any] | None = None,
        face_landmarks: dict[str, Any] | None = None,
    ) -> io.NodeOutput:  # fmt: skip
        """Crops [B,size,size,3]. ValueError where a picture has no face, or not the one that was asked for."""
        face = chosen(face, cls, "face")
        likeness = _likeness(face) if face["face"] == "person" else None
        frames = face_boxes(image, face_landmarks)
        places = []
        for number, boxes in enumerate(frames, start=1):
            try:
                alike = partial(likeness, image[number - 1 : number, ..., :3]) if likeness is not None else None
                which = choose_face(boxes, face["face"], face.get("index", 0), alike)
            except ValueError as error:
                raise ValueError(f"Picture {number} of {len(frames)}: {error}") from error
            places.append(place(boxes[which], (image.shape[1], image.shape[2]), size, margin))
        crops = [crop(one, where) for one, where in zip(image[..., :3].split(1), places, strict=True)]
        return io.NodeOutput(torch.cat(crops), places)


class FaceComposite(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FaceComposite",
            display_name="Face Composite",
            category="Expressive Avatars/face",
            description="Puts edited faces back where Face Crop took them. Only where the edit changed something is "
            "it taken; the rest of the picture stays as it was, bit for bit.",
            search_aliases=["uncrop", "paste face", "stitch", "face detailer"],
            inputs=[
                io.Image.Input("image", tooltip="The pictures that were cropped."),
                io.Image.Input("edited", tooltip="The edited crops: one for each picture, or several, as in a strip."),
                PlacementsSocket.Input("placement", tooltip="From Face Crop."),
                io.Float.Input(
                    "fade", default=0.12, min=0.0, max=0.5, step=0.01, round=0.001,
                    tooltip="Share of the crop's side over which an edit fades out at its border.",
                ),
            ],
            outputs=[io.Image.Output("image_out", display_name="image", tooltip="The whole pictures, edited.")],
        )  # fmt: skip

    @classmethod
    def execute(cls, image: Tensor, edited: Tensor, placement: Sequence[Placement], fade: float) -> io.NodeOutput:
        """Pictures [N,H,W,3] for N edited crops; crop i belongs to picture i modulo their number."""
        if len(image) != len(placement) or len(edited) % len(placement):
            raise ValueError(
                f"There are {len(placement)} cropped faces, {len(image)} pictures and {len(edited)} edited crops. "
                "Connect the pictures that were cropped, and an edit of each crop, or several of each."
            )
        count = len(placement)
        whole = image[torch.arange(len(edited)) % count].clone()
        for i, one in enumerate(edited.split(1)):
            comfy.model_management.throw_exception_if_processing_interrupted()
            picture = image[i % count : i % count + 1, ..., :3]
            whole[i, ..., :3] = composite(picture, one[..., :3].to(image), placement[i % count], fade)[0]
        return io.NodeOutput(whole)


def _likeness(face: dict[str, Any]) -> Callable[[Tensor, Box], float]:
    """(picture [1,H,W,3], box in it) → cosine similarity to the wanted person; −1 where no face is seen there."""
    embed = identities(face["encoder"])
    wanted = embed(face["person"][:1])
    if not bool(wanted.found[0]):
        raise ValueError("No face was found in the picture of the person. Use one with a large, visible face.")

    def likeness(picture: Tensor, box: Box) -> float:
        where = place(box, (picture.shape[1], picture.shape[2]), 256, FACE_ROOM)
        own = embed(crop(picture, where))
        return float((own.embeddings[0] * wanted.embeddings[0]).sum()) if bool(own.found[0]) else -1.0

    return likeness
