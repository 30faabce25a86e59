"""A small Marigold out of PocketXL, in the layout of the real one.

Marigold's UNet (Ke et al., 2024, §3.2) is Stable Diffusion's with twice the input channels: latents of the picture, and
then of the depth. PocketXL's is shaped as SDXL's, which also hears pooled text and sizes. Both are the same in every
picture here, so that what they add to the time embedding is a constant and goes into its bias: nothing is lost.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...weights import write_weights
from ..xl.model import PocketBase
from ..xl.nets import BETAS, TRAIN_STEPS
from .autoencoder import KIND, DepthAutoencoder

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from transformers import CLIPTextModel

STEPS = 4  # of denoising, as marigold-depth-v1-1 asks for
_START, _END = "<|startoftext|>", "<|endoftext|>"
_LENGTH = 77


@torch.no_grad()
def depth_unet(base: PocketBase) -> UNet2DConditionModel:
    """A UNet that takes [B,8,h,w] and gives [B,4,h,w]; at first what `base` predicts of the mean of both halves.

    As in the paper, the first convolution's weights are there twice and halved.
    """
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    described = {key: value for key, value in base.unet.config.items() if not key.startswith("_")}
    described["in_channels"] = 2 * base.unet.config["in_channels"]
    for key in ("addition_embed_type", "addition_time_embed_dim", "projection_class_embeddings_input_dim"):
        described[key] = None
    state = {key: value for key, value in base.unet.state_dict().items() if not key.startswith("add_embedding.")}
    state["conv_in.weight"] = torch.cat((state["conv_in.weight"], state["conv_in.weight"]), dim=1) / 2
    prompted = base.encode_prompts([""])
    if (added := base.conditions(prompted)) is not None:
        bias = state["time_embedding.linear_2.bias"]
        constant = base.unet.get_aug_embed(bias[None], prompted.context, added)  # [1,T]
        if constant is not None:
            state["time_embedding.linear_2.bias"] = bias + constant[0]
    unet = UNet2DConditionModel(**described)
    unet.load_state_dict(state)
    return unet


@torch.no_grad()
def empty_prompt(base: PocketBase) -> Tensor:
    """[2,D]: what the base hears of the empty prompt, in Marigold's two tokens: its start, and the mean of the rest."""
    context = base.encode_prompts([""]).context[0].float().cpu()  # [77,D]
    return torch.stack((context[0], context[1:].mean(0)))


@torch.no_grad()
def text_encoder(states: Tensor) -> CLIPTextModel:
    """A text encoder without layers that says just these states [2,D] of start and end of a text.

    Its last norm makes the tokens ±1, of mean 0 and deviation 1, into mean ± half the difference of the states.
    Raises ValueError for an odd width.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    width = states.shape[1]
    if width % 2:
        raise ValueError(f"A text encoder cannot say states of an odd width, but these have {width}.")
    made = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=2,
            hidden_size=width,
            intermediate_size=width,
            projection_dim=width,
            num_hidden_layers=0,
            num_attention_heads=1,
            max_position_embeddings=_LENGTH,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )
    inner: Any = getattr(made, "text_model", made)  # transformers before version 5 wraps it
    signs = torch.tensor([1.0, -1.0]).repeat(width // 2)
    inner.embeddings.token_embedding.weight.copy_(torch.stack((signs, -signs)))
    inner.embeddings.position_embedding.weight.zero_()
    inner.final_layer_norm.weight.copy_((states[0] - states[1]) / 2 * signs)
    inner.final_layer_norm.bias.copy_(states.mean(0))
    return made.eval().requires_grad_(False)


def scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise schedule with Marigold's v-prediction, so that few steps do.

    It ends at noise alone (Lin et al., 2024), and an estimate begins there (“trailing”: Garcia et al., 2025).
    """
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    return DDIMScheduler(
        num_train_timesteps=TRAIN_STEPS,
        beta_start=BETAS[0],
        beta_end=BETAS[1],
        beta_schedule="scaled_linear",
        clip_sample=False,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
    )


def write_folder(
    folder: Path,
    unet: UNet2DConditionModel,
    vae: DepthAutoencoder,
    states: Tensor,
    resolution: int,
    metadata: Mapping[str, object],
) -> Path:
    """Write the folder that `expressive.vision.depth.Marigold` loads, weights in fp16, whole or not at all.

    states: [2,D], see `empty_prompt`. resolution: pixels of the pictures' longer side.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    weights = {key: value.half() for key, value in unet.state_dict().items()}
    write_weights(partial / "unet" / "diffusion_pytorch_model.safetensors", weights, metadata)
    unet.save_config(partial / "unet")
    vae.save(partial / "vae", metadata)
    scheduler().save_pretrained(str(partial / "scheduler"))
    text_encoder(states).half().save_pretrained(str(partial / "text_encoder"))
    _write_tokenizer(partial / "tokenizer")
    index = {
        "_class_name": "MarigoldDepthPipeline",
        "default_denoising_steps": STEPS,
        "default_processing_resolution": resolution,
        "prediction_type": "depth",
        "scale_invariant": True,
        "shift_invariant": True,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["expressive", KIND],
    }
    _write_json(partial / "model_index.json", index)
    shutil.rmtree(folder, ignore_errors=True)
    return partial.rename(folder)


def _write_tokenizer(folder: Path) -> None:
    """CLIP's tokenizer with two words: the empty prompt is all that it is asked."""
    folder.mkdir()
    _write_json(folder / "vocab.json", {_START: 0, _END: 1})
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    special = {"bos_token": _START, "eos_token": _END, "unk_token": _END, "pad_token": _END}
    _write_json(folder / "special_tokens_map.json", special)
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": _LENGTH, "add_prefix_space": False, **special},
    )


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
