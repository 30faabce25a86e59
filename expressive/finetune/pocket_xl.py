"""PocketXL, the bundled text-to-face model, as a base of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..pocket.xl import load_base
from ..pocket.xl.model import PocketBase, Prompted
from ..pocket.xl.sampling import noise_levels
from .cache import weights_hash
from .hearing import HearingUNet
from .lora import UNET_TARGETS

HOST_PIXELS = 8
"""Pixels that the host counts for each latent pixel, whatever the auto-encoder does."""


class PocketXLBase:
    """PocketXL as the trainer sees it. texts: its text encoders are trained, too."""

    architecture: str = "stable-diffusion-xl-v1-base (pocket)"
    naming: str = "kohya"
    targets: tuple[str, ...] = UNET_TARGETS

    def __init__(
        self, folder: Path, name: str = "pocket-xl", device: torch.device | str = "cpu", texts: bool = False
    ) -> None:
        """Raises FileNotFoundError where a file is missing."""
        self._base: PocketBase = load_base(folder, name)
        self.device = torch.device(device)
        for net in self._base.modules().values():
            nn.Module.to(net, self.device)
        self.key = weights_hash(*(folder / f"{name}.{part}.safetensors" for part in ("text_encoder", "vae")))
        self.network_key = weights_hash(folder / f"{name}.unet.safetensors")
        self._hearing: HearingUNet | None = None
        if texts:
            first, second = self._base.text_encoders
            self._hearing, self.targets = HearingUNet(self._base.unet, first, second), HearingUNet.targets
        self._unet = self._base.unet
        self._called: Any = self.network
        self.kept = 1 / (1 + noise_levels().double() ** 2).float()
        self._ratio = self._base.config.vae.ratio

    @property
    def network(self) -> nn.Module:
        """The UNet, with the text encoders where these are trained, too."""
        return self._hearing or self._base.unet

    @property
    def hears(self) -> str:
        """What `encode_caption` gives: “states”, or “tokens” where the text encoders are trained."""
        return "tokens" if self._hearing else "states"

    def use(self, network: nn.Module) -> None:
        """Call a wrapper of the network from now on."""
        self._called = network
        if self._hearing is None:
            self._base.unet = self._called

    @torch.no_grad()
    def encode_caption(self, caption: str) -> tuple[Tensor, Tensor]:
        """States [77,D] and pooled [P]; or token ids [2,77] and nothing, where the text encoders are trained."""
        if self._hearing is not None:
            return torch.cat(self._base.tokens([caption])), torch.zeros(0)
        found = self._base.encode_tokens([row.to(self.device) for row in self._base.tokens([caption])])
        return found.context[0], found.context.new_zeros(0) if found.pooled is None else found.pooled[0]

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Latents [B,4,H/4,W/4]."""
        return self._base.encode(pictures.to(self.device) * 2 - 1)

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,4h,4w]."""
        return (self._base.vae.decode(latents / self._base.config.vae.scale) + 1) / 2

    def sizes(self, original: tuple[int, int], corner: tuple[int, int], target: tuple[int, int]) -> tuple[float, ...]:
        """Height and width, top and left, height and width, as the host counts them."""
        share = HOST_PIXELS / self._ratio
        (width, height), (left, top), (wide, high) = original, corner, target
        return tuple(share * value for value in (height, width, top, left, high, wide))

    def epsilon(self, noisy: Tensor, time: Tensor, context: Tensor, pooled: Tensor, sizes: Tensor) -> Tensor:
        """ε at training steps `time` [B]."""
        if self._hearing is not None:
            return self._called(noisy, time, context, pooled, sizes)
        return self._base.predict(noisy, time, Prompted(context, pooled), sizes)

    def sample(self, context: Tensor, pooled: Tensor, sizes: Tensor, noise: Tensor, steps: int, cfg: float) -> Tensor:
        """Euler steps along the host's `simple` schedule."""
        del sizes  # a whole sharp picture, as the host says when nobody does
        many = len(noise)
        if self._hearing is not None:
            context, pooled = self._hearing.hear(context)
        negative = Prompted(context[-1:].expand(many, -1, -1), pooled[-1:].expand(many, -1))
        return self._base.sample(Prompted(context[:-1], pooled[:-1]), noise, steps, cfg, negative)

    def forget_encoder(self) -> None:
        """They are small and stay."""

    def save_network(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write the whole base as three pocket files, which go into the pack's `models`; the UNet's."""
        self._base.unet = self._unet  # not the wrapper that several devices need
        return self._base.save(folder, name, metadata)[0]
