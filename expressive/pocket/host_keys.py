"""Names of the weights: diffusers' and transformers' ↔ the host's own classes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from . import text

_RESIDUAL = {
    "norm1": "residual.0",
    "conv1": "residual.2",
    "norm2": "residual.3",
    "conv2": "residual.6",
    "conv_shortcut": "shortcut",
}
_ENDS = {"conv_in": "conv1", "norm_out": "head.0", "conv_out": "head.2"}
_MIDDLE = {"resnets.0": "middle.0", "attentions.0": "middle.1", "resnets.1": "middle.2"}
_UP_BLOCK = 4  # three residual blocks and one up-sampler; the last has no up-sampler


def vae_key(name: str) -> str:
    """A weight of diffusers' AutoencoderKLQwenImage → its name in the host's WanVAE.

    Raises KeyError for a name that is not one.
    """
    half, _, rest = name.partition(".")
    if half in ("quant_conv", "post_quant_conv"):
        return f"{'conv1' if half == 'quant_conv' else 'conv2'}.{rest}"
    parts = rest.split(".")
    if parts[0] in _ENDS:
        return ".".join([half, _ENDS[parts[0]], *parts[1:]])
    if parts[0] == "mid_block":
        return ".".join([half, _MIDDLE[".".join(parts[1:3])], *_inside(parts[3:])])
    if parts[0] == "down_blocks":
        return ".".join([half, "downsamples", parts[1], *_inside(parts[2:])])
    if parts[0] == "up_blocks":
        place = int(parts[1]) * _UP_BLOCK + (int(parts[3]) if parts[2] == "resnets" else _UP_BLOCK - 1)
        return ".".join([half, "upsamples", str(place), *_inside(parts[4:])])
    raise KeyError(f"“{name}” is not a weight of AutoencoderKLQwenImage.")


def _inside(parts: list[str]) -> list[str]:
    return [_RESIDUAL.get(parts[0], parts[0]), *parts[1:]]


def vae_for_host(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict of AutoencoderKLQwenImage in the host's names."""
    return {vae_key(name): weight for name, weight in state.items()}


def vae_from_host(state: Mapping[str, Tensor], names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `vae_for_host`; `names` is any mapping with the keys of the module to be loaded."""
    return {name: state[vae_key(name)] for name in names}


def text_for_host(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State dict of transformers' CLIPTextModel in the host's names; buffers of position ids are left out."""
    kept = {name: weight for name, weight in state.items() if not name.endswith("position_ids")}
    return {name if name.startswith("text_model.") else f"text_model.{name}": weight for name, weight in kept.items()}


def text_from_host(state: Mapping[str, Tensor], names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inverse of `text_for_host` for the module whose state dict has the keys `names`."""
    return {name: state[name if name.startswith("text_model.") else f"text_model.{name}"] for name in names}


def with_all_words(state: Mapping[str, Tensor], name: str = "The text encoder") -> dict[str, Tensor]:
    """Text encoders in the host's names with a row for every word of the vocabulary.

    A model that was trained before a word joined the vocabulary reads that word as `<|unknown|>`. Raises ValueError for
    a model that knows more words than the vocabulary has, with the `name` of its file.
    """
    found, words = dict(state), text.vocabulary()
    for key in [key for key in found if key.endswith("token_embedding.weight")]:
        rows = found[key]
        if len(rows) > len(words):
            raise ValueError(
                f"{name} knows {len(rows)} words and this pack's vocabulary has {len(words)}: "
                "the file is from a later version. Update the pack."
            )
        found[key] = torch.cat((rows, rows[words["<|unknown|>"]].expand(len(words) - len(rows), -1)))
    return found
