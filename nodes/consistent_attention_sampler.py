"""ConsistentAttentionSampler: a list of prompts becomes one consistent set of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import comfy.model_base
import comfy.model_patcher
import comfy.sample
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from comfy_api.latest import io
from torch import Tensor

from .consistent_attention import share_attention, sharing_inputs
from .keep_structure import has_unet
from .sockets import ConsistentSet

if TYPE_CHECKING:
    from ..expressive.attention.kept_set import Recorder

NOISES = ("shared", "own")


class ConsistentAttentionSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ConsistentAttentionSampler",
            display_name="Consistent Attention Sampler",
            category="Expressive Avatars/sampling",
            description="Samples a whole list of prompts at once, as one set: a picture for each prompt, and the same "
            "hair, clothes and features in all. A KSampler with Consistent Attention in it.",
            search_aliases=["consistent character", "character sheet", "Gen-AFFECT", "StoryDiffusion", "same person"],
            is_input_list=True,
            inputs=[
                io.Model.Input("model", tooltip="SDXL, Stable Diffusion 1.5 or 3, Flux, Qwen-Image and relatives."),
                io.Conditioning.Input(
                    "positive", tooltip="The prompts: a list, as Expression Prompt makes through a text encoder, or "
                    "one conditioning that holds several.",
                ),
                io.Conditioning.Input("negative", tooltip="What to avoid, for all."),
                io.Latent.Input(
                    "latent_image", tooltip="Its size is that of every picture. With denoise below 1: the picture "
                    "that all start from, or one for each prompt.",
                ),
                io.Int.Input(
                    "noise_seed", default=0, min=0, max=2**64 - 1, control_after_generate=True,
                    tooltip="Of the noise that the pictures start from.",
                ),
                io.Int.Input("steps", default=20, min=1, max=10_000, tooltip="How many steps."),
                io.Float.Input("cfg", default=4.0, min=0.0, max=100.0, step=0.1, tooltip="How much the prompts count."),
                io.Combo.Input(
                    "sampler_name", options=comfy.samplers.KSampler.SAMPLERS, default="euler", tooltip="Any sampler."
                ),
                io.Combo.Input(
                    "scheduler", options=comfy.samplers.KSampler.SCHEDULERS, default="normal",
                    tooltip="How the noise is spread over the steps.",
                ),
                io.Float.Input(
                    "denoise", default=1.0, min=0.0, max=1.0, step=0.01, tooltip="1 starts from noise alone."
                ),
                io.Combo.Input(
                    "noise", options=list(NOISES), default=NOISES[0],
                    tooltip="shared: all start from the same noise, which keeps the layout. own: each from its own.",
                ),
                *sharing_inputs(),
            ],
            outputs=[
                io.Latent.Output("latent", tooltip="The set, one picture for each prompt."),
                ConsistentSet.Output(
                    "consistent_set", tooltip="What one more picture needs to join the set later: for Consistent Set, "
                    "which keeps it, and Join Consistent Set.",
                ),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        model: list[comfy.model_patcher.ModelPatcher],
        positive: list[list],
        negative: list[list],
        latent_image: list[dict[str, Any]],
        **settings: list[Any],
    ) -> io.NodeOutput:
        """Latents [N,C,h,w] of N prompts. ValueError for prompts that do not fit, or another number of pictures."""
        from ..expressive.conditioning.joining import join_prompts

        if len(model) > 1 or len(latent_image) > 1:
            raise ValueError(
                f"A set is sampled with one model and from one latent; {len(model)} models and {len(latent_image)} "
                "latents came as lists. Connect one of each, or a batch of latents."
            )
        told = {name: values[0] for name, values in settings.items()}
        masked = takes_mask(model[0])
        prompts = join_prompts(positive, masked=masked)
        images = len(prompts[0][0])
        avoided = negative[0] if len(negative) == 1 else join_prompts(negative, masked=masked)
        start = comfy.sample.fix_empty_latent_channels(
            model[0], latent_image[0]["samples"], latent_image[0].get("downscale_ratio_spacial")
        )
        start = _for_all(start, images)
        sharing = {name: told[name] for name in ("keep", "strength", "anchors", "redraw", "at_once") if name in told}
        recorded: list[Recorder] = []
        shared = share_attention(
            model[0], told["layers"], told["start"], told["end"], recorded, seed=told["draw_seed"], **sharing
        )
        recorded[0].shape = tuple(start.shape[1:])
        noise = _noise(start, told["noise_seed"], told["noise"])
        made = comfy.sample.sample(
            shared, noise, told["steps"], told["cfg"], told["sampler_name"], told["scheduler"], prompts, avoided, start,
            denoise=told["denoise"], seed=told["noise_seed"], noise_mask=latent_image[0].get("noise_mask"),
            callback=latent_preview.prepare_callback(shared, told["steps"]),
            disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        )  # fmt: skip
        kept = {name: value for name, value in latent_image[0].items() if name in ("noise_mask", "type")}
        return io.NodeOutput({**kept, "samples": made}, recorded[0].found())


def takes_mask(model: comfy.model_patcher.ModelPatcher) -> bool:
    """Whether padding in a prompt can be hidden from it; else prompts are repeated to a common length."""
    return not (has_unet(model) or isinstance(model.model, (comfy.model_base.SD3, comfy.model_base.Flux)))


def _for_all(latents: Tensor, images: int) -> Tensor:
    if len(latents) not in (1, images):
        raise ValueError(
            f"There are {len(latents)} latents for {images} prompts. Give one that all start from, or one for each."
        )
    return latents.expand(images, *latents.shape[1:]).contiguous()


def _noise(latents: Tensor, seed: int, kind: str) -> Tensor:
    """Of the host, for one picture or for all; torch's global generator is left as it was."""
    with torch.random.fork_rng():
        if kind == NOISES[0]:
            return _tensor(comfy.sample.prepare_noise(latents[:1], seed)).expand(latents.shape).contiguous()
        return _tensor(comfy.sample.prepare_noise(latents, seed))


def _tensor(noise: Any) -> Tensor:
    """The host's noise is nested for models that paint several things at once, which make no set."""
    if not isinstance(noise, Tensor):
        raise ValueError("A set is made of plain pictures: this latent holds several kinds of things at once.")
    return noise
