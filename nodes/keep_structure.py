"""KeepStructure: new pictures on the bones of the one that is sampled from."""

from __future__ import annotations

from dataclasses import dataclass

import comfy.model_patcher
import comfy.model_sampling
import comfy.patcher_extension
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from comfy_api.latest import io
from torch import Tensor

KEY = "expressive_avatars_keep_structure"
STARTS = ("seeded", "inverted")


class KeepStructure(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KeepStructure",
            display_name="Keep Structure",
            category="Expressive Avatars/sampling",
            description="A model that repaints the picture it is given as the prompt says, and keeps its shapes, its "
            "face and its expression: in each step it looks at the picture too, and lends the new one its attention, "
            "its features and its strokes. For any sampler without noise of its own, with the picture as its latent.",
            search_aliases=["plug and play", "PnP", "DDIM inversion", "feature injection", "structure", "style"],
            inputs=[
                io.Model.Input("model", tooltip="A model with a UNet: SDXL, Stable Diffusion 1.5, pocket-xl."),
                io.Conditioning.Input(
                    "source", tooltip="What is on the picture as it is now. An empty prompt works too."
                ),
                *structure_inputs(),
                io.Int.Input(
                    "refinements", default=1, min=0, max=5, advanced=True,
                    tooltip="inverted: how often each step of the way back is taken anew. 0 is plain DDIM inversion, "
                    "which is less exact; each one above 1 takes another pass a step.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="For a KSampler whose latent is the picture.")],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        model: comfy.model_patcher.ModelPatcher,
        source: list,
        start: str,
        attention: float,
        features: float,
        correction: float,
        refinements: int = 1,
    ) -> io.NodeOutput:
        """A patched clone. Raises ValueError for a model without a UNet."""
        settings = Settings(start, attention, features, correction, refinements=refinements)
        return io.NodeOutput(keep_structure(model, source, settings))


def structure_inputs() -> list[io.Input]:
    """What of the source stays, as inputs of a node."""
    return [
        io.Combo.Input(
            "start", options=list(STARTS), default=STARTS[0],
            tooltip="seeded: from the seed's noise. inverted: from the noise that the model would make the picture "
            "of, which takes a third longer and needs no seed.",
        ),
        io.Float.Input(
            "attention", default=0.8, min=0.0, max=1.0, step=0.05,
            tooltip="In which part of the steps, from the first on, each place looks where it looked in the source. "
            "More keeps more of the drawing.",
        ),
        io.Float.Input(
            "features", default=0.6, min=0.0, max=1.0, step=0.05,
            tooltip="In which part of the steps, from the first on, coarse features come from the source. More keeps "
            "more of the layout.",
        ),
        io.Float.Input(
            "correction", default=1.0, min=0.0, max=1.0, step=0.05,
            tooltip="How much of the source's own strokes, those that the model would have painted otherwise, come "
            "back. More keeps more of the face.",
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What of the source stays, in shares of 0 … 1.

    start: one of STARTS. attention, features: shares of the steps with injection. correction: of what the model misses
    of the source. refinements: of each step of an inversion. colours: how far the latents' statistics move to those of
    a picture of the style (AdaIN), with `style` its latents as a VAE node gives them.
    """

    start: str = STARTS[0]
    attention: float = 0.8
    features: float = 0.6
    correction: float = 1.0
    refinements: int = 1
    colours: float = 0.0
    style: Tensor | None = None


def keep_structure(
    model: comfy.model_patcher.ModelPatcher, source: list, settings: Settings
) -> comfy.model_patcher.ModelPatcher:
    """A clone that, whenever it is sampled with, keeps the structure of the sampler's `latent_image`.

    source: conditioning of what is on that picture. Raises ValueError for a model without a UNet.
    """
    from .structure_keeper import StructureKeeper

    sampling = model.get_model_object("model_sampling")
    if not has_unet(model) or not isinstance(sampling, comfy.model_sampling.EPS):
        raise ValueError(
            f"Keep Structure needs a model with a UNet, such as SDXL, and this is {type(model.model).__name__}. An "
            "editing model keeps what it is told to keep: use Stylize, or a prompt for the edit."
        )
    patched = model.clone()
    kind = comfy.patcher_extension.WrappersMP.SAMPLER_SAMPLE
    patched.remove_wrappers_with_key(kind, KEY)  # one in another would correct twice
    patched.add_wrapper_with_key(kind, KEY, StructureKeeper(source, settings))
    return patched


def has_unet(model: comfy.model_patcher.ModelPatcher) -> bool:
    """Whether it is of Stable Diffusion's kind."""
    return isinstance(model.model.diffusion_model, UNetModel)
