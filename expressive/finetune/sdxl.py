"""Stable Diffusion XL, from a folder in diffusers' layout, as a base of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..weights import write_weights
from .cache import weights_hash
from .diffusers_folder import DiffusersFolder
from .hearing import HearingUNet
from .lora import UNET_TARGETS


class SdxlBase(DiffusersFolder):
    """texts: its text encoders are trained, too. exact: the UNet is read in fp32, whatever `dtype` says.

    The auto-encoder stays in fp32: SDXL's overflows in half precision.
    """

    architecture: str = "stable-diffusion-xl-v1-base"
    naming: str = "kohya"
    targets: tuple[str, ...] = UNET_TARGETS
    name = "stabilityai/stable-diffusion-xl-base-1.0"
    encoders = ("text_encoder", "text_encoder_2")
    parts = ("model_index.json", "scheduler", *encoders, "tokenizer", "tokenizer_2", "unet", "vae")
    network_part = "unet"

    def __init__(
        self,
        folder: Path,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.bfloat16,
        texts: bool = False,
        exact: bool = False,
    ) -> None:
        """Raises FileNotFoundError, with what is missing, for a folder that is not one of this model."""
        from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

        super().__init__(folder, device, dtype)
        self._scheduler: Any = EulerDiscreteScheduler.from_config(self._pipeline.scheduler.config)
        self.kept: Tensor = self._scheduler.alphas_cumprod.clone()
        self._texts, self._exact = texts, exact
        if texts:
            self.targets = HearingUNet.targets
            self.network_key = weights_hash(*self._files(self.network_part, *self.encoders))

    @property
    def hears(self) -> str:
        """What `encode_caption` gives: “states”, or “tokens” where the text encoders are trained."""
        return "tokens" if self._texts else "states"

    def _read_pipeline(self, absent: dict[str, None]) -> Any:
        from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

        return StableDiffusionXLPipeline.from_pretrained(
            self._folder, **absent, torch_dtype=torch.float32, use_safetensors=True
        )

    def _read_network(self) -> nn.Module:
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        unet = UNet2DConditionModel.from_pretrained(
            self._folder / self.network_part,
            torch_dtype=torch.float32 if self._exact else self._dtype,
            use_safetensors=True,
        )
        return HearingUNet(unet, *map(self._read_encoder, self.encoders)) if self._texts else unet

    def _read_encoder(self, part: str) -> nn.Module:
        from transformers import CLIPTextModel, CLIPTextModelWithProjection

        kind = CLIPTextModel if part == self.encoders[0] else CLIPTextModelWithProjection
        return kind.from_pretrained(self._folder / part, dtype=self._dtype, use_safetensors=True)

    @torch.no_grad()
    def encode_caption(self, caption: str) -> tuple[Tensor, Tensor]:
        """States [77,2048] and pooled [1280]; or token ids [2,77] and nothing, where the text encoders are trained.

        Raises RuntimeError once the text encoders were freed.
        """
        if self._texts:
            tokenizers = (self._pipeline.tokenizer, self._pipeline.tokenizer_2)
            how: dict[str, Any] = {"padding": "max_length", "max_length": 77, "truncation": True}
            return torch.tensor([tokenizer(caption, **how).input_ids for tokenizer in tokenizers]), torch.zeros(0)
        context, _, pooled, _ = self._with_encoders().encode_prompt(
            caption, device=self.device, do_classifier_free_guidance=False
        )
        return context[0], pooled[0]

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
        if self._texts:
            return (self._called or self.network)(noisy.to(self._dtype), time, context, pooled, sizes)
        added = {"text_embeds": pooled.to(self._dtype), "time_ids": sizes.float()}
        called: Any = self._called or self.network
        return called(noisy.to(self._dtype), time, context.to(self._dtype), added_cond_kwargs=added, return_dict=False)[
            0
        ]

    def sample(self, context: Tensor, pooled: Tensor, sizes: Tensor, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """Euler steps, guided away from the last prompt."""
        count, scheduler = len(noise), self._scheduler
        if isinstance(self.network, HearingUNet):
            context, pooled = self.network.hear(context)
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

    def save_network(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write the UNet in diffusers' names, which the host's Load Diffusion Model reads, in fp16."""
        state = {key: value.half() for key, value in self.network.state_dict().items()}
        return write_weights(folder / f"{name}.safetensors", state, metadata)
