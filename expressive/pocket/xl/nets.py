"""The networks of the text-to-picture bases: classes of diffusers and transformers at small width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from .. import text
from .config import GROUPS, SIZE_WIDTH, BaseConfig, EncoderConfig
from .prompts import END, LENGTH, PAD

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

TRAIN_STEPS = 1000
BETAS = (0.00085, 0.012)  # first and last; their roots are spaced evenly ("scaled linear")


def build_unet(config: BaseConfig) -> UNet2DConditionModel:
    """A UNet with random weights whose last convolution is zero, as Stable Diffusion's start."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    shape, levels = config.unet, range(len(config.unet.widths))
    depths: Any = tuple(max(1, depth) for depth in shape.depths)
    added: dict[str, Any] = {}
    if config.architecture == "sdxl":
        added = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": SIZE_WIDTH,
            "projection_class_embeddings_input_dim": config.added_width,
        }
    unet = UNet2DConditionModel(
        sample_size=config.size // config.vae.ratio,
        in_channels=4,
        out_channels=4,
        block_out_channels=shape.widths,
        layers_per_block=shape.layers,
        down_block_types=tuple("CrossAttnDownBlock2D" if shape.depths[i] else "DownBlock2D" for i in levels),
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=tuple("CrossAttnUpBlock2D" if shape.depths[i] else "UpBlock2D" for i in reversed(levels)),
        transformer_layers_per_block=depths,  # the last serves the middle too
        cross_attention_dim=config.context_width,
        attention_head_dim=shape.heads,  # pyright: ignore[reportArgumentType]: diffusers' name for the number of heads
        use_linear_projection=config.architecture == "sdxl",
        norm_num_groups=GROUPS,
        **added,
    )
    with torch.no_grad():
        last: Any = unet.conv_out
        last.weight.zero_()
        last.bias.zero_()
    return unet


def build_text_encoder(config: EncoderConfig, projected: bool) -> CLIPTextModel | CLIPTextModelWithProjection:
    """A text encoder with random weights; `projected`: with the projection of its pooled state, as SDXL's second."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    described = CLIPTextConfig(
        vocab_size=config.vocab_size or len(text.vocabulary()),
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        max_position_embeddings=LENGTH,
        hidden_act=config.hidden_act,
        projection_dim=config.hidden_size,
        pad_token_id=PAD,
        bos_token_id=None,
        eos_token_id=END,
    )
    return CLIPTextModelWithProjection(described) if projected else CLIPTextModel(described)
