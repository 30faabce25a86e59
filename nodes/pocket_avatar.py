"""PocketAvatar: drawn people to edit, so that the pocket workflows need no picture of your own."""

import torch
from comfy_api.latest import io, ui

from ..expressive.emotion import Emotion
from ..expressive.pocket.choices import BACKGROUNDS, FRAMES, STYLES
from .sockets import Emotion as EmotionSocket

UNSEEN = 1_000_000  # the pocket models are trained on people below this seed


class PocketAvatar(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PocketAvatar",
            display_name="Pocket Avatar",
            category="Expressive Avatars/loaders",
            description="Draws avatars of the pocket world: a new person for every seed, with a neutral face or "
            "with the EMOTION that you connect. What the pocket models are trained on and can edit.",
            search_aliases=["draw face", "test face", "drawn avatar", "sample portrait", "placeholder face"],
            inputs=[
                io.Int.Input(
                    "seed",
                    default=UNSEEN,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=True,
                    tooltip=f"Which person. From {UNSEEN:,} on: people that the pocket models never saw.",
                ),
                io.Combo.Input("style", options=list(STYLES), tooltip="How the avatar is painted."),
                io.Int.Input(
                    "background",
                    default=0,
                    min=0,
                    max=len(BACKGROUNDS) - 1,
                    tooltip="What is behind the person: 0 to 6 plain, 7 a warm wall, 8 a window, 9 outdoors, 10 a city "
                    "at night, 11 a pattern.",
                ),
                io.Int.Input(
                    "count", default=1, min=1, max=64, tooltip="How many people: the seed and those after it."
                ),
                io.Int.Input(
                    "size",
                    default=128,
                    min=64,
                    max=2048,
                    step=8,
                    tooltip="Width and height in pixels. The pocket models work at 128.",
                    advanced=True,
                ),
                EmotionSocket.Input(
                    "emotion", optional=True, tooltip="What the faces show. Not connected: a neutral face."
                ),
                io.Combo.Input(
                    "frame",
                    options=list(FRAMES),
                    default=FRAMES[0],
                    optional=True,
                    tooltip="face: what the pocket editing model knows. upper_body: a picture to crop a face out of.",
                ),
            ],
            outputs=[io.Image.Output("image", tooltip="One picture per person.")],
        )

    @classmethod
    def execute(
        cls,
        seed: int,
        style: str,
        background: int,
        count: int,
        size: int,
        emotion: Emotion | None = None,
        frame: str = FRAMES[0],
    ) -> io.NodeOutput:
        from ..expressive.pocket.faces import Identity
        from ..expressive.pocket.scene import Scene, picture

        scenes = [
            Scene(
                Identity.sample(seed + k),
                emotion or Emotion.neutral(),
                style=style,
                frame=frame,
                background=background,
            )
            for k in range(count)
        ]
        image = torch.stack([torch.tensor(picture(scene, size)) for scene in scenes]).float() / 255  # [B,H,W,3]
        return io.NodeOutput(image, ui=ui.PreviewImage(image, cls=cls))
