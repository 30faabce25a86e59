"""Reading LoRA files of any maker: one style of names, one scale, and which layers they are for.

The published PixelSmile file mixes two styles (diffusers renames `to_q`, `to_k`, `to_v` and `to_out.0` alone) and holds
no alpha, so programs that look at the first key apply two thirds of it, and all apply it at half of what was trained.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .lora import kohya_stem

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
TEXT_ENCODERS = ("lora_te", "text_encoder", "text_model", "te1_", "te2_")
PIXELSMILE_SCALE = 2.0
"""alpha / rank of the published PixelSmile file, 128 / 64, which it does not tell itself."""


@dataclass(frozen=True)
class LoraFile:
    """Adapters by layer. down: [rank, in, …], up: [out, rank, …]; alpha where the file has one.

    metadata: the file's own.
    """

    down: Mapping[str, Tensor]
    up: Mapping[str, Tensor]
    alpha: Mapping[str, float]
    metadata: Mapping[str, str]
    written: Mapping[str, str]  # each layer's name as the file has it
    mixed_names: bool = False  # two makers' names in one file, as diffusers leaves them

    @property
    def layers(self) -> list[str]:
        """Names of the layers, without the maker's prefix, sorted."""
        return sorted(self.down)

    @property
    def ranks(self) -> str:
        """Inner widths of the adapters, for people: "64", or "8 to 64"."""
        found = {down.shape[0] for down in self.down.values()}
        return f"{min(found)}" if len(found) == 1 else f"{min(found)} to {max(found)}"

    @property
    def published_pixelsmile(self) -> bool:
        """Whether it is as PixelSmile's authors released it: two makers' names, rank 64, no alpha."""
        return self.mixed_names and not self.alpha and self.ranks == "64"

    def trained_scale(self, layer: str) -> float:
        """alpha / rank of a layer as it was trained: the file's own, 2 for PixelSmile's, else 1."""
        if layer in self.alpha:
            return self.alpha[layer] / self.down[layer].shape[0]
        return PIXELSMILE_SCALE if self.published_pixelsmile else 1.0

    def for_host(self, scale: float | None = None, known: Container[str] = ()) -> dict[str, Tensor]:
        """Keys `<layer>.lora_A.weight`, `.lora_B.weight`, `.alpha`, so that at strength 1 each layer counts `scale`.

        scale: None for each layer as it was trained. known: names of layers that the host's model has.
        """
        found: dict[str, Tensor] = {}
        for layer in self.layers:
            names = (f"transformer.{layer}", self.written[layer], f"diffusion_model.{layer}", f"unet.{layer}", layer)
            stem = next((name for name in names if name in known), names[0])
            found[f"{stem}.lora_A.weight"], found[f"{stem}.lora_B.weight"] = self.down[layer], self.up[layer]
            counted = self.trained_scale(layer) if scale is None else scale
            found[f"{stem}.alpha"] = torch.tensor(counted * self.down[layer].shape[0])
        return found


def merge(network: nn.Module, file: LoraFile, scale: float | None = None) -> int:
    """Add a file's adapters to the weights of a network outside of the host; returns how many layers it changed.

    scale: as in `LoraFile.for_host`. Layers are found by their names, or by those that Kohya's trainer gives them.
    Raises ValueError, and changes nothing, where a layer is not there or of another shape.
    """
    layers = dict(network.named_modules())
    layers |= {kohya_stem(name): layer for name, layer in layers.items()}
    updates: dict[str, Tensor] = {}
    for layer in file.layers:
        weight = getattr(layers.get(layer), "weight", None)
        update = file.up[layer].float().flatten(1) @ file.down[layer].float().flatten(1)
        if not isinstance(weight, Tensor) or weight.numel() != update.numel() or len(weight) != len(update):
            raise ValueError(
                f"The network has no layer “{layer}” of {list(update.shape)} weights: the file is another's."
            )
        updates[layer] = update.reshape(weight.shape) * (file.trained_scale(layer) if scale is None else scale)
    with torch.no_grad():
        for layer, update in updates.items():
            weight: Any = layers[layer].weight
            weight += update.to(weight)
    return len(updates)


def read_lora(path: Path) -> LoraFile:
    """A LoRA in safetensors. Raises FileNotFoundError, or ValueError for what is no LoRA or only half of one."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with safe_open(path, "pt") as opened:
            weights = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118  (an opened file cannot be iterated)
            metadata = opened.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path.name} is damaged or not a safetensors file; download it again. ({error})") from error
    return sorted_out(weights, metadata, path.name)


def sorted_out(weights: Mapping[str, Tensor], metadata: Mapping[str, str], name: str) -> LoraFile:
    """The adapters among a file's tensors. Raises ValueError, with `name`, unless all are parts of whole adapters."""
    parts: dict[str, dict[str, Tensor]] = {"down": {}, "up": {}, "alpha": {}}
    styles, written = set(), {}
    for key, value in weights.items():
        suffix = next((end for end in SUFFIXES if key.endswith(end)), None)
        if suffix is None:
            raise ValueError(f"{name} is not a plain LoRA: its key “{key}” is none of an adapter's.")
        stem, part = key.removesuffix(suffix), SUFFIXES[suffix]
        layer = _without_prefix(stem)
        if layer in parts[part]:
            raise ValueError(f"{name} has two adapters for the layer “{layer}”.")
        parts[part][layer] = value
        written[layer] = stem
        if part == "down":
            styles.add(suffix)
    if not parts["down"]:
        raise ValueError(f"{name} holds no adapters.")
    if halves := sorted((parts["down"].keys() ^ parts["up"].keys()) | (parts["alpha"].keys() - parts["down"].keys())):
        raise ValueError(f"{name} holds only a part of the adapter of {len(halves)} layers, such as “{halves[0]}”.")
    if texts := [layer for layer in parts["down"] if layer.startswith(TEXT_ENCODERS)]:
        raise ValueError(
            f"{name} also changes the text encoder ({len(texts)} layers). Load it with the host's own Load LoRA, which "
            "has a CLIP input."
        )
    alphas = {layer: float(value) for layer, value in parts["alpha"].items()}
    return LoraFile(parts["down"], parts["up"], alphas, dict(metadata), written, len(styles) > 1)


def _without_prefix(layer: str) -> str:
    for prefix in PREFIXES:
        layer = layer.removeprefix(prefix)
    return layer
