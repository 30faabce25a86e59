"""Stable Diffusion XL, from a folder in diffusers' layout, as a base of the trainer."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .cache import weights_hash
from .lora import UNET_TARGETS

FILES = (
    "model_index.json", "scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae",
)  # fmt: skip


class SdxlBase:
    """Text encoders and UNet are read when they are first needed, and never lie side by side; the VAE stays in fp32."""

    architecture: str = "stable-diffusion-xl-v1-base/lora"
    naming: str = "kohya"
    targets: tuple[str, ...] = UNET_TARGETS

    def __init__(self, folder: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.bfloat16) -> None:
        """Raises FileNotFoundError, with what is missing, for a folder that is not one of this model."""
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
        from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

        if missing := [name for name in FILES if not (folder / name).exists()]:
            raise FileNotFoundError(
                f"{folder} is not a folder of SDXL in diffusers' layout: {missing[0]} is missing. Download all of "
                "stabilityai/stable-diffusion-xl-base-1.0 and set base.path to that folder."
            )
        self._folder, self.device, self._dtype = folder, torch.device(device), dtype
        parts = ("text_encoder", "text_encoder_2", "vae")
        files = [file for part in parts for file in sorted((folder / part).glob("*.safetensors"))]
        self.key = f"{weights_hash(*files)} {dtype}"
        self.network_key = weights_hash(*sorted((folder / "unet").glob("*.safetensors")))
        self._pipeline: Any = StableDiffusionXLPipeline.from_pretrained(
            folder, unet=None, text_encoder=None, text_encoder_2=None, torch_dtype=torch.float32, use_safetensors=True
        )
        self._vae = self._pipeline.vae.to(self.device).eval().requires_grad_(False)
        self._scheduler: Any = EulerDiscreteScheduler.from_config(self._pipeline.scheduler.config)
        self.kept = self._scheduler.alphas_cumprod.clone()
        self._network: nn.Module | None = None
        self._called: nn.Module | None = None
        self._forgotten = False

    @property
    def network(self) -> nn.Module:
        """The UNet, in the computer's memory: the training moves it, or parts of it, to the device."""
        if self._network is None:
            self._network = self._read_network()
        return self._network

    def _read_network(self) -> nn.Module:
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        found = UNet2DConditionModel.from_pretrained(
            self._folder / "unet", torch_dtype=self._dtype, use_safetensors=True
        )
        return found.eval().requires_grad_(False)

    def use(self, network: nn.Module) -> None:
        """Call a wrapper of the UNet from now on."""
        self._called = network

    @torch.no_grad()
    def encode_caption(self, caption: str) -> tuple[Tensor, Tensor]:
        """States [77,2048] and pooled [1280]. Raises RuntimeError once the text encoders were freed."""
        if self._forgotten:
            raise RuntimeError("The text encoders were freed already; encode every caption before the training begins.")
        if self._pipeline.text_encoder is None:
            self._read_encoders()
        context, _, pooled, _ = self._pipeline.encode_prompt(
            caption, device=self.device, do_classifier_free_guidance=False
        )
        return context[0], pooled[0]

    def _read_encoders(self) -> None:
        from transformers import CLIPTextModel, CLIPTextModelWithProjection

        for part, kind in (("text_encoder", CLIPTextModel), ("text_encoder_2", CLIPTextModelWithProjection)):
            found = kind.from_pretrained(self._folder / part, dtype=self._dtype, use_safetensors=True)
            setattr(self._pipeline, part, nn.Module.to(found, self.device).eval().requires_grad_(False))

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Latents [B,4,H/8,W/8], the mean of what the encoder says."""
        found = self._vae.encode((pictures * 2 - 1).to(self.device, torch.float32)).latent_dist.mode()
        return found * self._vae.config.scaling_factor

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,8h,8w]."""
        return (self._vae.decode(latents.float() / self._vae.config.scaling_factor).sample + 1) / 2

    def sizes(self, original: tuple[int, int], corner: tuple[int, int], target: tuple[int, int]) -> tuple[float, ...]:
        """Height and width, top and left, height and width."""
        (width, height), (left, top), (wide, high) = original, corner, target
        return tuple(float(value) for value in (height, width, top, left, high, wide))

    def epsilon(self, noisy: Tensor, time: Tensor, context: Tensor, pooled: Tensor, sizes: Tensor) -> Tensor:
        """ε at training steps `time` [B]."""
        added = {"text_embeds": pooled.to(self._dtype), "time_ids": sizes.float()}
        called: Any = self._called or self.network
        return called(noisy.to(self._dtype), time, context.to(self._dtype), added_cond_kwargs=added, return_dict=False)[
            0
        ]

    def sample(self, context: Tensor, pooled: Tensor, sizes: Tensor, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """Euler steps, guided away from the last prompt."""
        count, scheduler = len(noise), self._scheduler
        both = torch.cat((context[:-1], context[-1:].expand(count, -1, -1)))
        pools = torch.cat((pooled[:-1], pooled[-1:].expand(count, -1)))
        scheduler.set_timesteps(steps, device=self.device)
        x = noise * scheduler.init_noise_sigma
        for time in scheduler.timesteps:
            scaled = scheduler.scale_model_input(torch.cat((x, x)), time)
            times = time.expand(2 * count).to(self.device)
            found = self.epsilon(scaled, times, both, pools, sizes.expand(2 * count, -1)).float()
            with_prompt, without = found.chunk(2)
            x = scheduler.step(without + cfg * (with_prompt - without), time, x, return_dict=False)[0]
        return x

    def forget_encoder(self) -> None:
        """Free both text encoders."""
        self._pipeline.text_encoder = self._pipeline.text_encoder_2 = None
        self._forgotten = True
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
