"""LoRA adapters: put into a network, read out in names that the host knows, and checked to fit before a file is kept.

The host skips keys that it does not know with a warning nobody reads, so a file with a wrong prefix does nothing at
all. Here every key of a file is matched with a layer of the network, and every adapted layer with its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..weights import write_weights
from .trained import trained

if TYPE_CHECKING:
    from peft import LoraConfig

QWEN_TARGETS = (
    "to_q", "to_k", "to_v", "to_out.0",
    "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
    "img_mlp.net.0.proj", "img_mlp.net.2", "txt_mlp.net.0.proj", "txt_mlp.net.2",
)  # fmt: skip
"""The twelve layers of each block of Qwen-Image that PixelSmile adapts: 720 in the 60 blocks of the real one."""

UNET_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
"""The attention layers of a UNet."""


@dataclass(frozen=True)
class LoraShape:
    """rank: inner width. alpha: the update counts alpha / rank times. targets: ends of the names of adapted layers."""

    rank: int = 64
    alpha: float = 128.0
    dropout: float = 0.0
    targets: tuple[str, ...] = QWEN_TARGETS

    def peft(self) -> LoraConfig:
        """The same for peft, with the Gaussian start of PixelSmile: A random, B zero."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # pyright: ignore[reportArgumentType]: any number works
            lora_dropout=self.dropout,
            init_lora_weights="gaussian",
            target_modules=list(self.targets),
        )


def add_lora(network: nn.Module, shape: LoraShape) -> list[str]:
    """Freeze the network, put adapters into it in place, and return the names of the adapted layers, sorted.

    Raises ValueError where a target matches no layer: a misspelt one would otherwise train nothing.
    """
    from peft import inject_adapter_in_model

    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    for target in shape.targets:
        if not any(name == target or name.endswith("." + target) for name in layers):
            raise ValueError(f"No layer of the network is called “{target}”, so LoRA cannot adapt it.")
    network.requires_grad_(False)
    inject_adapter_in_model(shape.peft(), network)
    for parameter in trained(network).values():
        parameter.data = parameter.data.float()  # small, and updates of bf16 weights would round away
    return adapted(network)


def adapted(network: nn.Module) -> list[str]:
    """Names of the layers with adapters, sorted, as they were before."""
    return sorted(name for name, module in network.named_modules() if hasattr(module, "lora_A"))


def set_scale(network: nn.Module, scale: float) -> None:
    """How much the adapters count: 1 as trained, 0 for the network without them."""
    for module in network.modules():
        if hasattr(module, "lora_A"):
            module.set_scale("default", scale)  # pyright: ignore[reportCallIssue]: peft's own layers


def lora_state(network: nn.Module) -> dict[str, Tensor]:
    """Adapters as `<layer>.lora_A.weight` [rank, in] and `<layer>.lora_B.weight` [out, rank], on the CPU in fp32."""
    found = {}
    for name, module in network.named_modules():
        if hasattr(module, "lora_A"):
            for half in ("lora_A", "lora_B"):
                weight: Tensor = getattr(module, half)["default"].weight
                found[f"{name}.{half}.weight"] = weight.detach().float().cpu().clone()
    return found


def diffusers_stem(layer: str) -> str:
    """The name of a transformer's layer in a file, as diffusers writes it and the host reads it."""
    return f"transformer.{layer}"


_KOHYA = {"text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
"""Part of `hearing.HearingUNet` → how Kohya's trainer calls it."""


def kohya_stem(layer: str) -> str:
    """The name of a layer in a file, as Kohya's trainer writes it; the host finds no other for attention.

    layer: of a UNet, or of `hearing.HearingUNet`.
    """
    part, _, inside = layer.partition(".")
    if part in _KOHYA:
        return f"{_KOHYA[part]}_text_model_{inside.removeprefix('text_model.').replace('.', '_')}"
    return "lora_unet_" + layer.removeprefix("unet.").replace(".", "_")


@dataclass(frozen=True)
class Naming:
    """How a file names the two halves of each adapter."""

    stem: Callable[[str], str]
    down: str
    up: str


NAMINGS = {
    "diffusers": Naming(diffusers_stem, "lora_A.weight", "lora_B.weight"),
    "kohya": Naming(kohya_stem, "lora_down.weight", "lora_up.weight"),
}


def for_host(state: Mapping[str, Tensor], alpha: float, naming: str, dtype: torch.dtype) -> dict[str, Tensor]:
    """`lora_state` in a file's names, each layer with its alpha, without which the host would take alpha = rank."""
    how, found = NAMINGS[naming], {}
    for key, weight in state.items():
        layer, _, half = key.removesuffix(".weight").rpartition(".")
        stem = how.stem(layer)
        found[f"{stem}.{how.down if half == 'lora_A' else how.up}"] = weight.to(dtype).contiguous()
        found[f"{stem}.alpha"] = torch.tensor(float(alpha))
    return dict(sorted(found.items()))


def check_fit(file: Mapping[str, Tensor], network: nn.Module, naming: str) -> None:
    """Raises ValueError unless every key of a file fits a layer, and no adapted layer lacks one.

    network: with the adapters that the file is of.
    """
    how, layers, left = NAMINGS[naming], dict(network.named_modules()), set(file)
    for layer in adapted(network):
        base = layers[layer].base_layer
        stem = how.stem(layer)
        keys = {part: f"{stem}.{part}" for part in (how.down, how.up, "alpha")}
        if missing := [key for key in keys.values() if key not in file]:
            raise ValueError(f"The file lacks {missing[0]}, so the host would leave this layer as it was.")
        down, up = file[keys[how.down]], file[keys[how.up]]
        out, into = base.weight.shape[0], base.weight.shape[1:].numel()  # pyright: ignore
        if down.flatten(1).shape[1] != into or up.shape[0] != out or down.shape[0] != up.shape[1]:
            raise ValueError(f"{stem}: {list(up.shape)} × {list(down.shape)} does not fit a layer {into} → {out}.")
        left -= set(keys.values())
    if left:
        raise ValueError(f"{len(left)} keys of the file fit no layer, such as {min(left)}.")


def save_lora(
    path: Path, network: nn.Module, shape: LoraShape, naming: str, metadata: Mapping[str, object],
    dtype: torch.dtype = torch.bfloat16,
) -> int:  # fmt: skip
    """Write the network's adapters, whole or not at all, read them back, and return how many layers they are for.

    metadata: values that are not text become JSON. Raises ValueError where what was written does not fit.
    """
    from safetensors.torch import load_file

    state = for_host(lora_state(network), shape.alpha, naming, dtype)
    write_weights(path, state, metadata, lambda written: check_fit(load_file(written), network, naming))
    return len(adapted(network))
