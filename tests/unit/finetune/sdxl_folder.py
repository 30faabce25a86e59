# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A folder in the layout of stable-diffusion-xl-base-1.0 with small random networks."""

import json
from pathlib import Path
from typing import Any

import torch


def make(folder: Path) -> Path:
    """Write the folder; latents 4 channels at an eighth, texts a width of 16 + 24."""
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    torch.manual_seed(0)
    letters = "abcdefghijklmnopqrstuvwxyz,."
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in letters:
        words[letter], words[letter + "</w>"] = len(words), len(words) + 1
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(words), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)
    text: dict[str, Any] = {
        "vocab_size": len(words), "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 77,
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1,
    }  # fmt: skip
    one = CLIPTextConfig(**text, hidden_size=16, intermediate_size=32)
    two = CLIPTextConfig(**text, hidden_size=24, intermediate_size=32, projection_dim=24)
    StableDiffusionXLPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=4, scaling_factor=0.13,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        text_encoder=CLIPTextModel(one),
        text_encoder_2=CLIPTextModelWithProjection(two),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=40,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), transformer_layers_per_block=(1, 2),
            attention_head_dim=(1, 2), use_linear_projection=True, addition_embed_type="text_time",
            addition_time_embed_dim=8, projection_class_embeddings_input_dim=24 + 6 * 8,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading",
            steps_offset=1,
        ),
    ).save_pretrained(folder)  # fmt: skip
    return folder
