"""Reading LoRA files of any maker: one style of names, one scale, and which layers they are for.

The published PixelSmile file mixes two styles (diffusers renames `to_q`, `to_k`, `to_v` and `to_out.0` alone) and holds
no alpha, so programs that look at the first key apply two thirds of it, and all apply it at half of what was trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

SUFFIXES = {
    ".lora_A.weight": "down", ".lora_B.weight": "up",
    ".lora_A.default.weight": "down", ".lora_B.default.weight": "up",
    ".lora.down.weight": "down", ".lora.up.weight": "up",
    ".lora_down.weight": "down", ".lora_up.weight": "up",
    ".lora_linear_layer.down.weight": "down", ".lora_linear_layer.up.weight": "up",
    ".alpha": "alpha",
}  # fmt: skip
"""Ends of the keys of all common makers → which part of an adapter it is."""

PREFIXES = ("base_model.model.", "diffusion_model.", "transformer.", "unet.")
PIXELSMILE = {"rank": 64, "alpha": 128.0}
"""How the published file was trained; it does not say so itself."""


@dataclass(frozen=True)
class LoraFile:
    """Adapters by layer. down: [rank, in, …], up: [out, rank, …]; alpha where the file has one.

    metadata: the file's own.
    """

    down: Mapping[str, Tensor]
    up: Mapping[str, Tensor]
    alpha: Mapping[str, float]
    metadata: Mapping[str, str]

    @property
    def layers(self) -> list[str]:
        """Names of the layers, without the maker's prefix, sorted."""
        return sorted(self.down)

    @property
    def rank(self) -> int:
        """The inner width of the first layer's adapter."""
        return self.down[self.layers[0]].shape[0]

    @property
    def trained_scale(self) -> float:
        """alpha / rank as it was trained: the file's own, else PixelSmile's 2 for its rank of 64, else 1."""
        if self.alpha:
            layer = next(iter(self.alpha))
            return self.alpha[layer] / self.down[layer].shape[0]
        return PIXELSMILE["alpha"] / PIXELSMILE["rank"] if self.rank == PIXELSMILE["rank"] else 1.0

    def for_host(self, scale: float) -> dict[str, Tensor]:
        """Keys `transformer.<layer>.lora_A.weight`, `.lora_B.weight`, `.alpha`, so that strength 1 counts `scale`."""
        found: dict[str, Tensor] = {}
        for layer in self.layers:
            stem = layer if layer.startswith("lora_unet_") else f"transformer.{layer}"
            found[f"{stem}.lora_A.weight"], found[f"{stem}.lora_B.weight"] = self.down[layer], self.up[layer]
            found[f"{stem}.alpha"] = torch.tensor(scale * self.down[layer].shape[0])
        return found


def read_lora(path: Path) -> LoraFile:
    """A LoRA in safetensors. Raises FileNotFoundError, or ValueError for what is no LoRA or only half of one."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with safe_open(path, "pt") as opened:
            weights = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
            metadata = opened.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path.name} is damaged or not a safetensors file; download it again. ({error})") from error
    return sorted_out(weights, metadata, path.name)


def sorted_out(weights: Mapping[str, Tensor], metadata: Mapping[str, str], name: str) -> LoraFile:
    """The adapters among a file's tensors. Raises ValueError, with `name`, unless all are parts of whole adapters."""
    parts: dict[str, dict[str, Tensor]] = {"down": {}, "up": {}, "alpha": {}}
    for key, value in weights.items():
        suffix = next((end for end in SUFFIXES if key.endswith(end)), None)
        if suffix is None:
            raise ValueError(f"{name} is not a plain LoRA: its key “{key}” is none of an adapter's.")
        layer = _without_prefix(key.removesuffix(suffix))
        if layer in parts[SUFFIXES[suffix]]:
            raise ValueError(f"{name} has two adapters for the layer “{layer}”.")
        parts[SUFFIXES[suffix]][layer] = value
    if not parts["down"]:
        raise ValueError(f"{name} holds no adapters.")
    if halves := sorted(parts["down"].keys() ^ parts["up"].keys()):
        raise ValueError(f"{name} holds only half of the adapter of {len(halves)} layers, such as “{halves[0]}”.")
    alphas = {layer: float(value) for layer, value in parts["alpha"].items() if layer in parts["down"]}
    return LoraFile(parts["down"], parts["up"], alphas, dict(metadata))


def _without_prefix(layer: str) -> str:
    for prefix in PREFIXES:
        layer = layer.removeprefix(prefix)
    return layer
