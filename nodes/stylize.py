"""Stylize: GenEAva's second stage, a realistic face into a cartoon avatar."""

from __future__ import annotations

from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.sample
import comfy.samplers
import comfy.sd
import comfy.utils
import latent_preview
import node_helpers
import torch
from comfy_api.latest import io
from torch import Tensor

from .keep_structure import Settings, has_unet, keep_structure, structure_inputs


class Stylize(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Stylize",
            display_name="Stylize",
            category="Expressive Avatars/sampling",
            description="Repaints a face in another style, such as a flat cartoon, and keeps who it is and what it "
            "feels. A model with a UNet (SDXL, pocket-xl) looks at the picture in each step and takes over its "
            "structure; an editing model (Qwen-Image-Edit) is shown the picture beside the prompt.",
            search_aliases=["cartoon", "avatar", "style transfer", "GenEAva", "toonify", "anime", "plug and play"],
            inputs=[
                io.Model.Input("model", tooltip="SDXL, Stable Diffusion 1.5 or pocket-xl, or an editing model."),
                io.Conditioning.Input("positive", tooltip="The style, and what is to be on the picture."),
                io.Conditioning.Input("negative", tooltip="What it should not be like."),
                io.Vae.Input("vae", tooltip="The model's auto-encoder."),
                io.Image.Input("image", tooltip="Faces to repaint, one on each picture."),
                io.Conditioning.Input(
                    "source", optional=True,
                    tooltip="What is on the picture as it is now; the prompt changes what it says otherwise. Not "
                    "connected: the negative prompt. Editing models do not need it.",
                ),
                io.Image.Input(
                    "palette", optional=True,
                    tooltip="A picture whose colours and contrasts the avatar takes over (AdaIN), for models with a "
                    "UNet.",
                ),
                io.Float.Input(
                    "strength", default=0.8, min=0.0, max=1.0, step=0.05,
                    tooltip="How far back towards noise the picture goes before it is repainted. At 1 only attention, "
                    "features and correction hold it.",
                ),
                *structure_inputs(),
                io.Float.Input(
                    "colours", default=0.5, min=0.0, max=1.0, step=0.05,
                    tooltip="How far colours go over to those of the palette, where one is connected.",
                ),
                io.Int.Input("steps", default=20, min=1, max=200, tooltip="Steps of the sampler."),
                io.Float.Input(
                    "cfg", default=3.0, min=0.0, max=30.0, step=0.1,
                    tooltip="How much the prompt counts. 1 for editing models.",
                ),
                io.Combo.Input(
                    "sampler_name", options=comfy.samplers.KSampler.SAMPLERS, default="euler",
                    tooltip="Any sampler. Those without noise of their own keep the most.",
                ),
                io.Combo.Input(
                    "scheduler", options=comfy.samplers.KSampler.SCHEDULERS, default="normal",
                    tooltip="How the noise is spread over the steps.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**64 - 1, control_after_generate=True,
                    tooltip="Of the noise that it starts from.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The avatars, one for each picture."),
                io.Latent.Output("latent", tooltip="The same before the auto-encoder."),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        model: comfy.model_patcher.ModelPatcher,
        positive: list,
        negative: list,
        vae: comfy.sd.VAE,
        image: Tensor,
        strength: float,
        start: str,
        attention: float,
        features: float,
        correction: float,
        colours: float,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        seed: int,
        source: list | None = None,
        palette: Tensor | None = None,
    ) -> io.NodeOutput:
        """Avatars of pictures [B,H,W,3], in the size that the auto-encoder makes of them."""
        if palette is not None and len(palette) not in (1, len(image)):
            raise ValueError(f"There are {len(palette)} palettes for {len(image)} pictures. Give one, or one for each.")
        latents = encode(vae, image)
        if has_unet(model):
            style = None if palette is None else encode(vae, palette)
            settings = Settings(start, attention, features, correction, colours=colours, style=style)
            model = keep_structure(model, negative if source is None else source, settings)
        else:
            if palette is not None:
                raise ValueError(
                    "A palette serves models with a UNet, and this is an editing model. Disconnect it, and describe "
                    "the colours in the prompt."
                )
            if not model.model.extra_conds_shapes(reference_latents=[latents]):
                raise ValueError(
                    f"{type(model.model).__name__} has no UNet and takes no reference picture, so it cannot keep a "
                    "face. Use SDXL, Stable Diffusion 1.5 or an editing model such as Qwen-Image-Edit."
                )
            positive, negative = shown(positive, latents), shown(negative, latents)
        with torch.random.fork_rng():  # the host's noise comes from torch's global generator
            noise = comfy.sample.prepare_noise(latents, seed)
            made = comfy.sample.sample(
                model, noise, steps, cfg, sampler_name, scheduler, positive, negative, latents,
                denoise=strength, seed=seed, callback=latent_preview.prepare_callback(model, steps),
                disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
            )  # fmt: skip
        return io.NodeOutput(decode(vae, made), {"samples": made})


def encode(vae: comfy.sd.VAE, image: Tensor) -> Tensor:
    """Latents of pictures [B,H,W,C]; each for itself, because a batch would be a film to some auto-encoders."""
    latents = []
    for one in image[..., :3].split(1):
        comfy.model_management.throw_exception_if_processing_interrupted()
        latents.append(vae.encode(one))
    return torch.cat(latents)


def decode(vae: comfy.sd.VAE, latents: Tensor) -> Tensor:
    """Pictures [B,H,W,3] of latents [B,C,h,w], or of [B,C,1,h,w]."""
    image = vae.decode(latents)
    return image.reshape(-1, *image.shape[-3:])  # (b t) h w c: still pictures have one moment each


def shown(conditioning: list, latents: Tensor) -> list[list[Any]]:
    """A prompt with the pictures beside it, unless it has pictures already."""
    return [
        entry if entry[1].get("reference_latents")
        else node_helpers.conditioning_set_values([entry], {"reference_latents": [latents]})[0]
        for entry in conditioning
    ]  # fmt: skip
