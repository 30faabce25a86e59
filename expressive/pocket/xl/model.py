"""The text-to-picture bases outside of a host: load, encode prompts, sample, decode, save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from ...weights import write_weights
from ..host_keys import with_all_words
from . import keys
from .autoencoder import PocketAutoencoder
from .config import BaseConfig
from .nets import build_text_encoder, build_unet
from .prompts import paddings, token_rows
from .sampling import euler

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from typing_extensions import Self


class Prompted(NamedTuple):
    """What a UNet hears of prompts: context [B,77,width]; pooled [B,width] for sdxl, else None."""

    context: Tensor
    pooled: Tensor | None

    def rows(self, which: Any) -> Prompted:
        """Some of the prompts, by anything that indexes a batch."""
        return Prompted(self.context[which], None if self.pooled is None else self.pooled[which])


@dataclass
class PocketBase(ABC):
    """The networks of one base. Latents here are scaled, [B,4,H/r,W/r] with unit deviation, as the UNet sees them."""

    config: BaseConfig
    unet: UNet2DConditionModel
    text_encoders: list[nn.Module]
    vae: PocketAutoencoder

    @classmethod
    def new(cls, config: BaseConfig) -> Self:
        """Random weights, for training; the text encoders get a row for each word of today's vocabulary."""
        encoders = [build_text_encoder(shape, projected=index == 1) for index, shape in enumerate(config.encoders)]
        return cls(config, build_unet(config), list(encoders), PocketAutoencoder(config.vae))

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """From the pack's weight files. Raises FileNotFoundError where one is missing."""
        states, config = {}, BaseConfig()
        for part in ("unet", "text_encoder"):
            states[part], config = read_part(folder, name, part)
        states["vae"], of_vae = read_part(folder, config.vae_of or name, "vae")
        base = cls.new(replace(config, vae=of_vae.vae))
        base.unet.load_state_dict(keys.unet_from_host(states["unet"], base.unet.state_dict(), config))
        texts = with_all_words(states["text_encoder"])
        for index, encoder in enumerate(base.text_encoders):
            encoder.load_state_dict(keys.text_from_host(texts, encoder.state_dict(), index))
        base.vae.load_state_dict(states["vae"])
        for net in base.modules().values():
            net.eval().requires_grad_(False)
        return base

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> list[Path]:
        """Write the files in fp16 and in the host's names. Values of `metadata` that are not text become JSON.

        A base that uses another's auto-encoder (`config.vae_of`) writes none.
        """
        states = {
            "unet": keys.unet_for_host(self.unet.state_dict(), self.config),
            "text_encoder": keys.text_for_host([encoder.state_dict() for encoder in self.text_encoders]),
        }
        if not self.config.vae_of:
            states["vae"] = self.vae.state_dict()
        return [write_part(folder, name, part, state, self.config, metadata) for part, state in states.items()]

    def modules(self) -> dict[str, nn.Module]:
        """All networks by name."""
        encoders = {f"text_encoder_{index + 1}": encoder for index, encoder in enumerate(self.text_encoders)}
        return {"unet": self.unet, **encoders, "vae": self.vae}

    def tokens(self, prompts: Sequence[str]) -> list[Tensor]:
        """Token ids [B,77] for each text encoder."""
        return [token_rows(prompts, padding) for padding in paddings(len(self.text_encoders))]

    def encode_prompts(self, prompts: Sequence[str]) -> Prompted:
        """Prompts of any number of words up to 75, all at once."""
        return self.encode_tokens([rows.to(self.unet.device) for rows in self.tokens(prompts)])

    @abstractmethod
    def encode_tokens(self, tokens: Sequence[Tensor]) -> Prompted:
        """Token ids [B,77], one tensor for each text encoder."""

    def conditions(self, prompted: Prompted, sizes: Tensor | None = None) -> dict[str, Any] | None:
        """The UNet's `added_cond_kwargs`; `sizes` [B,6] as SDXL takes them, default: a whole sharp picture."""
        del prompted, sizes

    def predict(self, noisy: Tensor, time: Tensor, prompted: Prompted, sizes: Tensor | None = None) -> Tensor:
        """ε of `noisy` [B,4,h,w] (unit variance) at training steps `time` [B]."""
        added = self.conditions(prompted, sizes)
        return self.unet(noisy, time, prompted.context, added_cond_kwargs=added, return_dict=False)[0]

    @torch.no_grad()
    def sample(
        self,
        prompted: Prompted,
        noise: Tensor,
        steps: int = 12,
        cfg: float = 4.0,
        negative: Prompted | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Latents by Euler steps from unit `noise`, guided away from `negative` (default: the empty prompt)."""
        if cfg == 1.0:
            return euler(lambda x, time: self.predict(x, time, prompted), noise, steps, progress)
        other = negative or self.encode_prompts([""]).rows(torch.zeros(len(noise), dtype=torch.long))
        pooled = None
        if prompted.pooled is not None and other.pooled is not None:
            pooled = torch.cat((prompted.pooled, other.pooled))
        both = Prompted(torch.cat((prompted.context, other.context)), pooled)

        def guided(x: Tensor, time: Tensor) -> Tensor:
            with_prompt, without = self.predict(torch.cat((x, x)), torch.cat((time, time)), both).float().chunk(2)
            return without + cfg * (with_prompt - without)

        return euler(guided, noise, steps, progress)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Scaled latents → pictures [B,3,H,W], nominally in −1…1, not clamped."""
        return self.vae.decode(latents / self.config.vae.scale)

    @torch.no_grad()
    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B,3,H,W] in −1…1 → scaled latents [B,4,H/r,W/r]."""
        return self.vae.encode(pictures) * self.config.vae.scale


class PocketXL(PocketBase):
    """Shaped as SDXL: two text encoders, pooled text, size conditioning."""

    def encode_tokens(self, tokens: Sequence[Tensor]) -> Prompted:
        """The second to last layers of both encoders side by side, and the second one's projected end-of-text state."""
        first, second = (
            encoder(ids, output_hidden_states=True) for encoder, ids in zip(self.text_encoders, tokens, strict=True)
        )
        return Prompted(torch.cat((first.hidden_states[-2], second.hidden_states[-2]), dim=-1), second.text_embeds)

    def conditions(self, prompted: Prompted, sizes: Tensor | None = None) -> dict[str, Any]:
        """`sizes`: original height and width, top and left of the crop, target height and width."""
        pooled = prompted.pooled
        if sizes is None:
            sizes = torch.tensor([whole_picture(self.config)], device=prompted.context.device)
        return {"text_embeds": pooled, "time_ids": sizes.expand(len(prompted.context), -1)}


class PocketVideo(PocketBase):
    """Shaped as Stable Diffusion 1.5: one text encoder, its last layer after the norm."""

    def encode_tokens(self, tokens: Sequence[Tensor]) -> Prompted:
        (encoder,), (ids,) = self.text_encoders, tokens
        return Prompted(encoder(ids).last_hidden_state, None)


def whole_picture(config: BaseConfig) -> tuple[float, ...]:
    """Size conditioning of an uncropped, sharp picture as the host gives it: it counts 8 pixels per latent pixel."""
    side = 8.0 * config.size / config.vae.ratio
    return (side, side, 0.0, 0.0, side, side)


def new_base(config: BaseConfig | None = None) -> PocketBase:
    """A base with random weights of the config's architecture; default: PocketXL's."""
    config = config or BaseConfig()
    return (PocketXL if config.architecture == "sdxl" else PocketVideo).new(config)


def load_base(folder: Path, name: str) -> PocketBase:
    """The base of this name, of whichever architecture its files say. Raises FileNotFoundError."""
    config = read_part(folder, name, "unet")[1]
    return (PocketXL if config.architecture == "sdxl" else PocketVideo).load(folder, name)


def read_part(folder: Path, name: str, part: str) -> tuple[dict[str, Tensor], BaseConfig]:
    """Weights in fp32 and the host's names, and the config, of one file. Raises FileNotFoundError."""
    from safetensors import safe_open

    file = folder / f"{name}.{part}.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"{file.name} is not in {folder}; build it with: python run.py pocket {_command(name)}")
    with safe_open(file, "pt") as opened:
        config = BaseConfig.from_json((opened.metadata() or {})["pocket.config"])
        return {key: opened.get_tensor(key).float() for key in opened.keys()}, config  # noqa: SIM118


def write_part(
    folder: Path, name: str, part: str, state: Mapping[str, Tensor], config: BaseConfig, metadata: Mapping[str, object]
) -> Path:
    """Write one file in fp16, whole or not at all."""
    half = {key: weight.half() for key, weight in state.items()}
    described = {**metadata, "pocket.part": part, "pocket.config": config.to_json()}
    return write_weights(folder / f"{name}.{part}.safetensors", half, described)


def _command(name: str) -> str:
    return name.removeprefix("pocket-")
