"""Names of the weights: diffusers' and transformers' ↔ those of Stable Diffusion's own code, which the host uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from .config import BaseConfig, UNetConfig

_RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_ENCODERS = ("clip_l", "clip_g")  # the host's names of SDXL's two text encoders; Stable Diffusion 1.5 has the first


def unet_key(name: str, config: UNetConfig) -> str:
    """A weight of UNet2DConditionModel → its name in the host's UNetModel. Raises KeyError for a name that is none."""
    for theirs, ours in _ENDS.items():
        if name.startswith(theirs + "."):
            return ours + name[len(theirs) :]
    parts = name.split(".")
    if parts[0] == "mid_block":
        place = 1 if parts[1] == "attentions" else 2 * int(parts[2])
        return ".".join(["middle_block", str(place), *_inside(parts[1], parts[3:])])
    level, kind, index, rest = int(parts[1]), parts[2], int(parts[3]), parts[4:]
    if parts[0] == "down_blocks":
        first = 1 + (config.layers + 1) * level
        if kind == "downsamplers":
            return ".".join(["input_blocks", str(first + config.layers), "0.op", *rest[1:]])
        return ".".join(["input_blocks", str(first + index), "01"[kind == "attentions"], *_inside(kind, rest)])
    if parts[0] == "up_blocks":
        first = (config.layers + 1) * level
        if kind == "upsamplers":
            return ".".join(["output_blocks", str(first + config.layers), "12"[config.depths[-1 - level] > 0], *rest])
        return ".".join(["output_blocks", str(first + index), "01"[kind == "attentions"], *_inside(kind, rest)])
    raise KeyError(f"“{name}” is not a weight of UNet2DConditionModel.")


def _inside(kind: str, parts: Sequence[str]) -> list[str]:
    return [_RESIDUAL[parts[0]], *parts[1:]] if kind == "resnets" else list(parts)


def unet_for_host(state: Mapping[str, Tensor], config: BaseConfig) -> dict[str, Tensor]:
    """State dict of UNet2DConditionModel in the host's names."""
    return {unet_key(name, config.unet): weight for name, weight in state.items()}


def unet_from_host(state: Mapping[str, Tensor], names: Mapping[str, Tensor], config: BaseConfig) -> dict[str, Tensor]:
    """Inverse of `unet_for_host`; `names` is any mapping with the keys of the module to be loaded."""
    return {name: state[unet_key(name, config.unet)] for name in names}


def text_for_host(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """State dicts of one or two text encoders as one, in the host's names."""
    return {
        f"{prefix}.transformer.{_text_key(name)}": weight
        for prefix, state in zip(_ENCODERS, states, strict=False)
        for name, weight in state.items()
        if not name.endswith("position_ids")
    }


def text_from_host(state: Mapping[str, Tensor], names: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
    """The state dict of text encoder `index` out of `text_for_host`'s; `names` has the keys of the module."""
    return {name: state[f"{_ENCODERS[index]}.transformer.{_text_key(name)}"] for name in names}


def _text_key(name: str) -> str:
    return name if name.startswith(("text_model.", "text_projection.")) else f"text_model.{name}"
