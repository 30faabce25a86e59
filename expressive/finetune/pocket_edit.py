"""PocketEdit, the bundled editing model, as a base of the trainer."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from ..pocket import still
from ..pocket.latents import denormalise, normalise
from ..pocket.model import PocketEdit
from .cache import weights_hash
from .lora import QWEN_TARGETS


class PocketEditBase:
    """PocketEdit as the trainer sees it."""

    architecture: str = "qwen-image-edit (pocket)"
    naming: str = "diffusers"
    targets: tuple[str, ...] = QWEN_TARGETS

    def __init__(self, folder: Path, name: str = "pocket-edit", device: torch.device | str = "cpu") -> None:
        """Raises FileNotFoundError where a file is missing."""
        self._edit, self.device = PocketEdit.load(folder, name), torch.device(device)
        self.key = weights_hash(*(folder / f"{name}.{part}.safetensors" for part in ("text_encoder", "vae")))
        self.network_key = weights_hash(folder / f"{name}.transformer.safetensors")
        for net in (self._edit.transformer, self._edit.text_encoder, self._edit.vae):
            nn.Module.to(net, self.device)

    @property
    def network(self) -> nn.Module:
        """The transformer."""
        return self._edit.transformer

    def use(self, network: nn.Module) -> None:
        """Call a wrapper of the transformer from now on."""
        self._edit.transformer = network  # pyright: ignore[reportAttributeAccessIssue]: called like what it wraps

    def reads_pictures(self) -> bool:
        """False: its text encoder knows words only."""
        return False

    @torch.no_grad()
    def encode_text(self, prompt: str, picture: Tensor | None) -> Tensor:
        """States [L,256] of a prompt; the picture does not matter."""
        del picture
        return self._edit.encode_prompts([prompt])[0]

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Normalised latents [B,16,H/8,W/8]."""
        pictures = pictures.to(self.device) * 2 - 1
        return normalise(still.encode(self._edit.vae, pictures)[:, :16])

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,8h,8w]."""
        return (still.decode(self._edit.vae, denormalise(latents)) + 1) / 2

    def velocity(
        self, noisy: Tensor, sigma: Tensor, texts: Tensor, mask: Tensor | None, source: Tensor | None
    ) -> Tensor:
        """v at σ [B]; every text has to be whole, since PocketEdit takes no mask."""
        if mask is not None and not bool(mask.all()):
            raise ValueError("PocketEdit takes texts of one length at a time.")
        return self._edit.velocity(noisy, sigma, texts, source)

    def sample(self, texts: Tensor, mask: Tensor | None, source: Tensor | None, noise: Tensor, steps: int) -> Tensor:
        """Euler steps along the host's `simple` schedule."""
        del mask
        return self._edit.sample(texts, source, noise, steps)

    def forget_encoder(self) -> None:
        """It is small and stays: sample sheets may ask for other words."""
