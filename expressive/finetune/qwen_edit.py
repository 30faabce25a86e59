"""Qwen-Image-Edit (2509, 2511), from a folder in diffusers' layout, as a base of the trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor, nn

from .diffusers_folder import DiffusersFolder
from .lora import QWEN_TARGETS


class QwenEditBase(DiffusersFolder):
    """The text encoder sees the picture as it is learned from, without the pipeline's own smaller copy, as PixelSmile's
    released trainer has it.
    """

    architecture: str = "qwen-image-edit"
    naming: str = "diffusers"
    targets: tuple[str, ...] = QWEN_TARGETS
    name = "Qwen/Qwen-Image-Edit-2511"
    parts = ("model_index.json", "scheduler", "text_encoder", "tokenizer", "processor", "transformer", "vae")
    encoders = ("text_encoder",)
    network_part = "transformer"

    def __init__(self, folder: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.bfloat16) -> None:
        """Raises FileNotFoundError, with what is missing, for a folder that is not one of this model."""
        super().__init__(folder, device, dtype)

    def _read_pipeline(self, absent: dict[str, None]) -> Any:
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import QwenImageEditPlusPipeline

        return QwenImageEditPlusPipeline.from_pretrained(
            self._folder, **absent, torch_dtype=self._dtype, use_safetensors=True
        )

    def _read_network(self) -> nn.Module:
        from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel

        return QwenImageTransformer2DModel.from_pretrained(
            self._folder / self.network_part, torch_dtype=self._dtype, use_safetensors=True
        )

    def _read_encoder(self, part: str) -> nn.Module:
        from transformers import Qwen2_5_VLForConditionalGeneration

        return Qwen2_5_VLForConditionalGeneration.from_pretrained(
            self._folder / part, dtype=self._dtype, use_safetensors=True
        )

    def reads_pictures(self) -> bool:
        """True: its text encoder is a vision-language model."""
        return True

    @torch.no_grad()
    def encode_text(self, prompt: str, picture: Tensor | None) -> Tensor:
        """States [L,3584] of a prompt beside a picture [1,3,H,W]; those of the picture's tokens are among them.

        Raises RuntimeError once the text encoder was freed.
        """
        seen = None
        if picture is not None:
            seen = [Image.fromarray(rearrange(picture[0], "c h w -> h w c").mul(255).round().byte().cpu().numpy())]
        return self._with_encoders().encode_prompt([prompt], seen, self.device)[0][0]

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Normalised latents [B,16,H/8,W/8]."""
        frames = (pictures * 2 - 1).to(self.device, self._dtype)[:, :, None]  # b c h w → b c 1 h w
        mean, std = self._statistics()
        return ((self._vae.encode(frames).latent_dist.mode() - mean) / std)[:, :, 0]

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,8h,8w]."""
        mean, std = self._statistics()
        frames = latents[:, :, None].to(self._dtype) * std + mean  # b c h w → b c 1 h w
        return (self._vae.decode(frames).sample[:, :, 0] + 1) / 2

    def velocity(
        self, noisy: Tensor, sigma: Tensor, texts: Tensor, mask: Tensor | None, source: Tensor | None
    ) -> Tensor:
        """v at σ [B]; the source's tokens stand after the target's."""
        height, width = noisy.shape[-2:]
        pictures = [noisy] if source is None else [noisy, source]
        shapes = [(1, picture.shape[-2] // 2, picture.shape[-1] // 2) for picture in pictures]
        tokens = torch.cat([_tokens(picture) for picture in pictures], dim=1).to(self._dtype)
        found = (self._called or self.network)(
            hidden_states=tokens,
            encoder_hidden_states=texts.to(self._dtype),
            encoder_hidden_states_mask=mask,
            timestep=sigma.to(self._dtype),
            img_shapes=[shapes] * len(noisy),
            return_dict=False,
        )[0]
        return _latents(found[:, : height * width // 4], height, width)

    def sample(self, texts: Tensor, mask: Tensor | None, source: Tensor | None, noise: Tensor, steps: int) -> Tensor:
        """Euler steps along the folder's own schedule, as its pipeline takes them."""
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_shift

        scheduler, x = self._pipeline.scheduler, noise
        known = {
            name: scheduler.config[name]
            for name in ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift")
        }
        shift = calculate_shift(
            noise.shape[-2] * noise.shape[-1] // 4, known["base_image_seq_len"], known["max_image_seq_len"],
            known["base_shift"], known["max_shift"],
        )  # fmt: skip
        scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), device=self.device, mu=shift)
        for time in scheduler.timesteps:
            v = self.velocity(x, (time / scheduler.config.num_train_timesteps).expand(len(x)), texts, mask, source)
            x = scheduler.step(v, time, x, return_dict=False)[0]
        return x

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each latent channel, [1,C,1,1,1]."""
        config = self._vae.config
        values = torch.tensor([config.latents_mean, config.latents_std], device=self.device, dtype=self._dtype)
        mean, std = rearrange(values, "two c -> two 1 c 1 1 1")
        return mean, std


def _tokens(latents: Tensor) -> Tensor:
    return rearrange(latents, "b c (h p) (w q) -> b (h w) (c p q)", p=2, q=2)


def _latents(tokens: Tensor, height: int, width: int) -> Tensor:
    return rearrange(tokens, "b (h w) (c p q) -> b c (h p) (w q)", h=height // 2, w=width // 2, p=2, q=2)
