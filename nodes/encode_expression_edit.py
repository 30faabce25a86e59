"""EncodeExpressionEdit: one picture and an emotion as the two ends of PixelSmile's slider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import comfy.model_management
import comfy.sd
import node_helpers
import torch
from comfy_api.latest import io
from torch import Tensor

from ..expressive.conditioning import Conditioning, interpolate_conditioning
from ..expressive.conditioning.calibration import EMOTION_KEY
from ..expressive.emotion import Emotion
from ..expressive.emotion.prompts import SUBJECTS, write_prompts
from ..expressive.vision.fitting import PREPARATIONS, prepare_edit
from .sockets import Emotion as EmotionSocket

TEMPLATE = (
    "<|im_start|>system\nDescribe the key features of the input image (color, shape, size, texture, objects, "
    "background), then explain how the user's text instruction should alter or modify the image. Generate a new image "
    "that meets the user's requirements while maintaining consistency with the original input where appropriate."
    "<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
"""Qwen-Image-Edit's own words around a prompt; they are part of what the model was trained on."""
PICTURE = "Picture 1: <|vision_start|><|image_pad|><|vision_end|>"


class EncodeExpressionEdit(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EncodeExpressionEdit",
            display_name="Encode Expression Edit",
            category="Expressive Avatars/conditioning",
            description="Prepares a face and writes PixelSmile's two prompts for it: neutral, and your emotion. Both "
            "go into Text Latent Interpolate, whose α then says how much of it.",
            search_aliases=["PixelSmile", "qwen image edit", "edit expression", "TextEncodeQwenImageEditPlus"],
            inputs=[
                io.Clip.Input("clip", tooltip="The text encoder: Qwen2.5-VL for Qwen-Image-Edit, or the pocket one."),
                io.Vae.Input("vae", tooltip="The auto-encoder of the same model; the picture becomes its latent."),
                io.Image.Input("image", tooltip="The face to edit. Several are edited alike, each for itself."),
                EmotionSocket.Input(
                    "emotion",
                    tooltip="What to show at α = 1, from Expression Prompt. Words beyond PixelSmile's twelve become "
                    "mixes of these; several words blend.",
                ),
                io.Combo.Input(
                    "subject", options=list(SUBJECTS), tooltip="person for photographs, character for anime pictures."
                ),
                io.Combo.Input(
                    "preparation",
                    options=list(PREPARATIONS),
                    default=PREPARATIONS[0],
                    tooltip="author: as PixelSmile does, a square of 512 pixels from the middle for words and picture "
                    "alike. host: the whole picture, smaller for the words, much as TextEncodeQwenImageEditPlus.",
                ),
                io.Int.Input(
                    "side",
                    default=1024,
                    min=64,
                    max=4096,
                    step=16,
                    tooltip="The edited picture has as many pixels as a square of this side: 1024 for Qwen-Image-Edit, "
                    "128 for the pocket model.",
                ),
            ],
            outputs=[
                io.Conditioning.Output("neutral", tooltip="The end at α = 0, with the picture."),
                io.Conditioning.Output("target", tooltip="The end at α = 1, with the picture."),
                io.Image.Output("source", tooltip="The picture as the model sees it, in the size of the result."),
                io.Int.Output("width", tooltip="Of the result: for the empty latent."),
                io.Int.Output("height", tooltip="Of the result: for the empty latent."),
            ],
        )

    @classmethod
    def execute(
        cls,
        clip: comfy.sd.CLIP,
        vae: comfy.sd.VAE,
        image: Tensor,
        emotion: Emotion,
        subject: str,
        preparation: str,
        side: int,
    ) -> io.NodeOutput:
        """Both ends with the pictures' latents. ValueError for a neutral emotion, which has no direction to go."""
        weights = {word: weight for word, weight in emotion.pixelsmile().items() if weight > 0}
        if not weights:
            raise ValueError("The emotion is neutral, so there is nothing to edit towards. Choose an expression.")
        seen, source = prepare_edit(image[..., :3], preparation, side)
        latents = []
        for one in source.split(1):  # a batch would be a film to the auto-encoder
            comfy.model_management.throw_exception_if_processing_interrupted()
            latents.append(vae.encode(one))
        prompts = [write_prompts(Emotion.of(f"pixelsmile.{word}"), "pixelsmile", subject=subject) for word in weights]
        neutral = _with_picture(encode(clip, prompts[0].neutral, seen), torch.cat(latents))
        targets = [_with_picture(encode(clip, one.prompt, seen), torch.cat(latents)) for one in prompts]
        alone = len(targets) == 1 and next(iter(weights.values())) == 1.0
        target = targets[0] if alone else interpolate_conditioning(neutral, targets, [list(weights.values())])
        target = node_helpers.conditioning_set_values(target, {EMOTION_KEY: weights})
        return io.NodeOutput(neutral, target, source, source.shape[2], source.shape[1])


def encode(clip: comfy.sd.CLIP, prompt: str, seen: Tensor) -> list[list[Any]]:
    """One prompt for each picture of `seen` [B,h,w,3], as one conditioning [B,L,D] for each of the CLIP's schedules."""
    found = []
    for picture in seen.split(1):
        comfy.model_management.throw_exception_if_processing_interrupted()
        tokens = clip.tokenize(PICTURE + prompt, images=[picture], llama_template=TEMPLATE)
        found.append(clip.encode_from_tokens_scheduled(tokens))
    if len(found) == 1:
        return found[0]
    return [_joined(entries) for entries in zip(*found, strict=True)]


def _joined(entries: Sequence[list[Any]]) -> list[Any]:
    """One entry of several pictures from an entry [1,L,D] of each."""
    first, extras = entries[0]
    return [
        torch.cat([tokens for tokens, _ in entries]),
        {key: _stacked([rest[key] for _, rest in entries], len(first)) for key in extras},
    ]


def _stacked(values: Sequence[Any], batch: int) -> Any:
    """Tensors of a batch each one after the other; anything else is the first's."""
    first = values[0]
    return torch.cat(list(values)) if isinstance(first, Tensor) and len(first) == batch else first


def _with_picture(conditioning: Conditioning, latents: Tensor) -> list[list[Any]]:
    return node_helpers.conditioning_set_values(conditioning, {"reference_latents": [latents]}, append=True)
