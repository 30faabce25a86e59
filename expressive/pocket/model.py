"""The pocket editing model outside of a host: load, encode, sample, save."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..weights import write_weights
from . import host_keys, latents, text
from .attention import use_plain_attention
from .nets import PocketConfig, build_text_encoder, build_transformer, build_vae

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage
    from diffusers.models.transformers.transformer_qwenimage import QwenImageTransformer2DModel
    from transformers import CLIPTextModel

PARTS = ("transformer", "text_encoder", "vae")


def schedule(steps: int, shift: float) -> Tensor:
    """Noise levels σ [steps + 1] from 1 to 0: those of the host's `simple` scheduler for its flow models.

    σ = eˢ / (eˢ + 1/t − 1) for t = 1 … 1/steps, then 0 (the time shift of Flux); t is a multiple of 1/10000 as in the
    host's table.
    """
    times = torch.tensor([(10_000 - i * 10_000 // steps) / 10_000 for i in range(steps)], dtype=torch.float64)
    shifted = math.exp(shift) / (math.exp(shift) + 1 / times - 1)
    return torch.cat((shifted, torch.zeros(1, dtype=torch.float64))).float()


@dataclass
class PocketEdit:
    """The three networks of a pocket base. Latents here are normalised (`latents.normalise`), [B,16,H/8,W/8]."""

    config: PocketConfig
    transformer: QwenImageTransformer2DModel
    text_encoder: CLIPTextModel
    vae: AutoencoderKLQwenImage

    @classmethod
    def new(cls, config: PocketConfig) -> PocketEdit:
        """Random weights, for training."""
        words = config.text.vocab_size or len(text.vocabulary())
        edit = cls(
            config, build_transformer(config.transformer), build_text_encoder(config.text, words), build_vae(config.vae)
        )
        use_plain_attention(edit.transformer)
        return edit

    @classmethod
    def load(cls, folder: Path, name: str = "pocket-edit") -> PocketEdit:
        """From the pack's weight files. Raises FileNotFoundError where one is missing."""
        from safetensors import safe_open

        states: dict[str, dict[str, Tensor]] = {}
        config = PocketConfig()
        for part in PARTS:
            file = folder / f"{name}.{part}.safetensors"
            if not file.is_file():
                raise FileNotFoundError(f"{file.name} is not in {folder}; build it with: python run.py pocket edit")
            with safe_open(file, "pt") as opened:
                config = PocketConfig.from_json((opened.metadata() or {})["pocket.config"])
                states[part] = {key: opened.get_tensor(key).float() for key in opened.keys()}  # noqa: SIM118
        words = host_keys.with_all_words(states["text_encoder"])
        edit = cls.new(config)
        edit.transformer.load_state_dict(states["transformer"])
        encoder = edit.text_encoder
        encoder.load_state_dict(host_keys.text_from_host(words, encoder.state_dict()))
        edit.vae.load_state_dict(host_keys.vae_from_host(states["vae"], edit.vae.state_dict()))
        for net in (edit.transformer, edit.text_encoder, edit.vae):
            net.eval().requires_grad_(False)
        return edit

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> list[Path]:
        """Write the three files in fp16 and in the host's names. Values of `metadata` that are not text become JSON."""
        states = {
            "transformer": self.transformer.state_dict(),
            "text_encoder": host_keys.text_for_host(self.text_encoder.state_dict()),
            "vae": host_keys.vae_for_host(self.vae.state_dict()),
        }
        return [
            write_weights(
                folder / f"{name}.{part}.safetensors",
                {key: weight.half() for key, weight in state.items()},
                {**metadata, "pocket.part": part, "pocket.config": self.config.to_json()},
            )
            for part, state in states.items()
        ]

    def encode_prompts(self, prompts: Sequence[str]) -> Tensor:
        """Hidden states [B, tokens, width]. All prompts must have the same number of tokens (ValueError)."""
        tokens = [text.tokenize(prompt) for prompt in prompts]
        if len({len(row) for row in tokens}) > 1:
            raise ValueError("These prompts have different numbers of tokens; encode them one by one.")
        return self.encode_tokens(torch.tensor(tokens))

    def encode_tokens(self, tokens: Tensor) -> Tensor:
        """Token ids [B,N] → hidden states [B,N,width] after the final layer norm."""
        return self.text_encoder(tokens.to(self.text_encoder.device)).last_hidden_state

    def velocity(self, noisy: Tensor, sigma: Tensor, context: Tensor, reference: Tensor | None) -> Tensor:
        """v = noise − x0 at noise level σ [B]; the source picture's latents are reference tokens after the target's.

        Without a reference the model paints a person of its own.
        """
        height, width = noisy.shape[-2:]
        pictures = [latents.pack(x) for x in (noisy, reference) if x is not None]
        shapes = [(1, height // 2, width // 2)] * len(pictures)
        found = self.transformer(
            torch.cat(pictures, dim=1), context, None, sigma, [shapes] * len(noisy), return_dict=False
        )[0]
        return latents.unpack(found[:, : height * width // 4], height, width)

    @torch.no_grad()
    def sample(
        self,
        context: Tensor,
        reference: Tensor | None,
        noise: Tensor,
        steps: int = 12,
        progress: Callable[[int], None] | None = None,
    ) -> Tensor:
        """Latents by Euler steps from `noise` along the host's `simple` schedule, without guidance."""
        x, sigmas = noise, schedule(steps, self.config.shift).to(noise.device)
        for step, (sigma, following) in enumerate(zip(sigmas[:-1], sigmas[1:], strict=True)):
            x = x + (following - sigma) * self.velocity(x, sigma.expand(len(x)), context, reference).float()
            if progress is not None:
                progress(step)
        return x
