# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A folder in the layout of prs-eth/marigold-depth-v1-1 with small random networks, made by the real libraries."""

import json
from pathlib import Path
from typing import Any

import torch

SCHEDULE = {
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction",
    "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
}  # fmt: skip


def make(folder: Path, lcm: bool = False, variant: str | None = None, **index: Any) -> Path:
    """Write the folder; latents 4 channels at an eighth. index: entries of model_index.json."""
    from diffusers import AutoencoderKL, DDIMScheduler, LCMScheduler, MarigoldDepthPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in "abcdefghijklmnopqrstuvwxyz,.":
        words[letter], words[letter + "</w>"] = len(words), len(words) + 1
    source = folder.with_name(f"{folder.name}-words")
    source.mkdir(parents=True)
    (source / "vocab.json").write_text(json.dumps(words), encoding="utf-8")
    (source / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    scheduler = (
        LCMScheduler(**SCHEDULE)
        if lcm
        else DDIMScheduler(**SCHEDULE, timestep_spacing="trailing", rescale_betas_zero_snr=True)
    )
    made = MarigoldDepthPipeline(
        unet=UNet2DConditionModel(
            in_channels=8, out_channels=4, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
            cross_attention_dim=16, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=(1, 2), use_linear_projection=True,
        ),
        vae=AutoencoderKL(
            block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=4, scaling_factor=0.18215,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        scheduler=scheduler,
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                num_attention_heads=2, max_position_embeddings=77, bos_token_id=0, eos_token_id=1, pad_token_id=1,
            )
        ),
        tokenizer=CLIPTokenizer(str(source / "vocab.json"), str(source / "merges.txt"), model_max_length=77),
        **{
            "prediction_type": "depth", "scale_invariant": True, "shift_invariant": True,
            "default_denoising_steps": 2, "default_processing_resolution": 64, **index,
        },
    )  # fmt: skip
    made.save_pretrained(folder, variant=variant)
    return folder
