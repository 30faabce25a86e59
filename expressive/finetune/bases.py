"""What a trainer asks of an editing model, and PocketEdit as one. Qwen-Image-Edit is in `qwen_edit`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ..pocket import still
from ..pocket.latents import denormalise, normalise
from ..pocket.model import PARTS, PocketEdit
from .lora import QWEN_TARGETS


class EditBase(Protocol):
    """A model that edits pictures by flow matching: x_t = (1 − σ) x0 + σ noise, v = noise − x0.

    Pictures are float [B,3,H,W] in 0…1; latents normalised, [B,C,h,w].
    """

    architecture: str  # of the metadata
    naming: str  # of lora.NAMINGS
    targets: tuple[str, ...]  # the layers that LoRA adapts where nobody says

    @property
    def network(self) -> nn.Module:
        """What is adapted."""
        ...

    def use(self, network: nn.Module) -> None:
        """Call this in the place of `network`: a wrapper of it, for several devices."""
        ...

    def weights(self) -> list[Path]:
        """The files that the frozen parts come from."""
        ...

    def reads_pictures(self) -> bool:
        """Whether the text encoder sees the source, so that texts have to be encoded for each source."""
        ...

    def encode_texts(self, prompts: Sequence[str], source: Tensor) -> list[Tensor]:
        """States [L,D] of each prompt for one source picture [1,3,H,W]."""
        ...

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents, without gradient."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures, not clamped, with gradient."""
        ...

    def velocity(self, noisy: Tensor, sigma: Tensor, texts: Tensor, mask: Tensor | None, source: Tensor) -> Tensor:
        """v at σ [B]. texts [B,L,D], mask bool [B,L] or None where all count, source latents [B,C,h,w]."""
        ...

    def sample(self, texts: Tensor, mask: Tensor | None, source: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Latents by the schedule that the shipped workflow uses, without guidance."""
        ...

    def forget_encoder(self) -> None:
        """Free the text encoder, whose work is done once everything is cached."""
        ...


class PocketEditBase:
    """PocketEdit as the trainer sees it."""

    architecture: str = "qwen-image-edit (pocket)/lora"
    naming: str = "diffusers"
    targets: tuple[str, ...] = QWEN_TARGETS

    def __init__(self, folder: Path, name: str = "pocket-edit", device: torch.device | str = "cpu") -> None:
        """Raises FileNotFoundError where a file is missing."""
        self._edit, self._folder, self._name = PocketEdit.load(folder, name), folder, name
        self._device = torch.device(device)
        for net in (self._edit.transformer, self._edit.text_encoder, self._edit.vae):
            nn.Module.to(net, self._device)

    @property
    def network(self) -> nn.Module:
        """The transformer."""
        return self._edit.transformer

    def use(self, network: nn.Module) -> None:
        """Call a wrapper of the transformer from now on."""
        self._edit.transformer = network  # pyright: ignore[reportAttributeAccessIssue]: called like what it wraps

    def weights(self) -> list[Path]:
        """The three files."""
        return [self._folder / f"{self._name}.{part}.safetensors" for part in PARTS]

    def reads_pictures(self) -> bool:
        """False: its text encoder knows words only."""
        return False

    @torch.no_grad()
    def encode_texts(self, prompts: Sequence[str], source: Tensor) -> list[Tensor]:
        """States [L,256] of each prompt; the source does not matter."""
        del source
        return [self._edit.encode_prompts([prompt])[0] for prompt in prompts]

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Normalised latents [B,16,H/8,W/8]."""
        pictures = pictures.to(self._device) * 2 - 1
        return normalise(still.encode(self._edit.vae, pictures)[:, :16])

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,8h,8w]."""
        return (still.decode(self._edit.vae, denormalise(latents)) + 1) / 2

    def velocity(self, noisy: Tensor, sigma: Tensor, texts: Tensor, mask: Tensor | None, source: Tensor) -> Tensor:
        """v at σ [B]; every text has to be whole, since PocketEdit takes no mask."""
        if mask is not None and not bool(mask.all()):
            raise ValueError("PocketEdit takes texts of one length at a time.")
        return self._edit.velocity(noisy, sigma, texts, source)

    def sample(self, texts: Tensor, mask: Tensor | None, source: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Euler steps along the host's `simple` schedule."""
        del mask
        return self._edit.sample(texts, source, noise, steps)

    def forget_encoder(self) -> None:
        """It is small and stays: sample sheets may ask for other words."""
