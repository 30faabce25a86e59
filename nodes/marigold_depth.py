"""MarigoldDepth: how far away everything in a picture or a clip is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comfy.model_management
import comfy.utils
from comfy_api.latest import io, ui
from torch import Tensor

from .sockets import Marigold as MarigoldSocket
from .telling import tell

if TYPE_CHECKING:
    from .load_marigold import LoadedMarigold

SINGLE, CLIP = "single pictures", "one clip"


class MarigoldDepth(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MarigoldDepth",
            display_name="Marigold Depth",
            category="Expressive Avatars/vision",
            description="Finds how far away everything in a picture is. The frames of a clip are measured alike, with "
            "one range for all of them, so that nothing flickers.",
            search_aliases=["depth map", "depth estimation", "monocular depth", "controlnet depth", "MAVAGEN", "video"],
            inputs=[
                MarigoldSocket.Input("marigold", tooltip="From Load Marigold."),
                io.Image.Input("image", tooltip="Pictures, or the frames of a clip."),
                io.Combo.Input(
                    "frames",
                    options=[SINGLE, CLIP],
                    tooltip="single pictures: each has its own range. one clip: one range for all frames, which begin "
                    "with the same noise.",
                ),
                io.Int.Input(
                    "steps", default=0, min=0, max=100,
                    tooltip="Of denoising. 0 is what the model asks for: 4 for marigold-depth-v1-1, 10 for v1-0.",
                ),
                io.Int.Input(
                    "ensemble", default=1, min=1, max=32,
                    tooltip="How many estimates are brought together: more are a little better, and take as much "
                    "longer. Two are no better than one.",
                ),
                io.Int.Input(
                    "processing_resolution", default=0, min=0, max=4096, step=8,
                    tooltip="Pixels of the longer side that the model sees. 0 is what it asks for: 768 for Marigold. "
                    "More shows finer things, and less of the whole.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=0xFFFFFFFFFFFFFFFF, control_after_generate=True,
                    tooltip="Where the estimates begin, the same in every picture.",
                ),
                io.Float.Input(
                    "smoothing", default=0.1, min=0.0, max=1.0, step=0.05, round=0.01,
                    tooltip="How much of the last frame's depth a frame of a clip begins with.",
                ),
                io.Boolean.Input(
                    "near_is_white", default=True,
                    tooltip="In the picture of depth, as ControlNets want it. Off: near is black, as Marigold says it. "
                    "raw and preview stay as they are.",
                ),
            ],
            outputs=[
                io.Image.Output("depth", tooltip="Depth in grey, from the nearest to the farthest."),
                io.Mask.Output("raw", tooltip="The depth itself, 0 near to 1 far, not stretched."),
                io.Image.Output("preview", tooltip="Depth in colours: red is near, blue is far."),
                io.Float.Output("near", tooltip="The smallest depth of raw."),
                io.Float.Output("far", tooltip="The largest depth of raw."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        marigold: LoadedMarigold,
        image: Tensor,
        frames: str = SINGLE,
        steps: int = 0,
        ensemble: int = 1,
        processing_resolution: int = 0,
        seed: int = 0,
        smoothing: float = 0.1,
        near_is_white: bool = True,
    ) -> io.NodeOutput:
        """Grey [F,H,W,3], depth [F,H,W], colours [F,H,W,3], near and far. ValueError for pictures that cannot be."""
        from ..expressive.vision.depth import coloured, estimate

        model = marigold.marigold
        needed = model.memory(image.shape[2], image.shape[1], processing_resolution)
        comfy.model_management.load_models_gpu([marigold.patcher], memory_required=needed, force_full_load=True)
        bar = comfy.utils.ProgressBar(1)
        found = estimate(
            model,
            image,
            steps=steps,
            ensemble=ensemble,
            resolution=processing_resolution,
            seed=seed,
            clip=frames == CLIP,
            smoothing=smoothing,
            between=comfy.model_management.throw_exception_if_processing_interrupted,
            progress=bar.update_absolute,
        )
        stretched = found.stretched()
        grey = 1 - stretched if near_is_white else stretched
        near, far = float(found.near.min()), float(found.far.max())
        told = f"{len(image)} {'frames' if frames == CLIP else 'pictures'} · depth {near:.2f} to {far:.2f}"
        tell(cls, told)
        return io.NodeOutput(
            grey[..., None].repeat(1, 1, 1, 3), found.depth, coloured(stretched), near, far, ui=ui.PreviewText(told),
        )  # fmt: skip
