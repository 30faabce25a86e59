"""A model's folder as Hugging Face publishes it: config.json, weights, the tokenizer's files. Nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from . import loading

_UNUSED = ("pooler.", "embeddings.position_ids", "embeddings.mask_token")
"""Weights that some folders have and some lack, and that are not used here."""


def read_config(folder: Path, kinds: Sequence[str], family: str) -> dict[str, Any]:
    """config.json of a model of one of these kinds. FileNotFoundError or ValueError otherwise; family: for people."""
    path = folder / "config.json"
    if not path.is_file():
        raise FileNotFoundError(f"There is no config.json in {folder}. Download the whole {family} model folder.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON. Download the {family} model folder again.") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in kinds:
        raise ValueError(f"{folder} holds a model of kind {kind!r}, but {family} is one of {', '.join(kinds)}.")
    return config


def load_tokenizer(auto: Any, folder: Path, words: int) -> Callable[..., Any]:
    """The folder's tokenizer. FileNotFoundError or ValueError if it has none for this model."""
    needed = ("tokenizer.json",), ("vocab.json", "merges.txt")
    # transformers itself would make do with an empty vocabulary
    if not any(all((folder / name).is_file() for name in names) for names in needed):
        raise FileNotFoundError(
            f"The tokenizer's files (tokenizer.json, or vocab.json and merges.txt) are not in {folder}. Download the "
            "whole model folder."
        )
    try:
        tokenizer = auto.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # the tokenizers package raises plain Exceptions
        raise ValueError(f"The tokenizer's files in {folder} are damaged. Download the model folder again.") from error
    if len(tokenizer) > words:
        raise ValueError(
            f"The tokenizer in {folder} knows {len(tokenizer)} tokens, but its model {words}. Download the whole model "
            "folder again."
        )
    return tokenizer


def load_network(model: Any, folder: Path, purpose: str, pickled: bool = False, **rest: Any) -> nn.Module:
    """The frozen network, every weight of it from the folder's safetensors.

    pickled: pytorch_model.bin will do where there are none; torch reads the tensors of it and runs nothing.
    """
    from pickle import UnpicklingError

    from safetensors import SafetensorError

    safe = any(folder.glob("*.safetensors"))
    if not safe and not (pickled and any(folder.glob("pytorch_model*.bin"))):
        raise FileNotFoundError(
            f"There is no model.safetensors in {folder}. Download the safetensors files of the model."
        )
    try:
        network, info = model.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=safe,
            weights_only=True,
            output_loading_info=True,
            **rest,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError, UnpicklingError) as error:
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"{purpose[0].upper()}{purpose[1:]} in {folder} cannot be loaded: {line}") from error
    missing, unexpected = (
        [key for key in info[kind] if not any(part in key for part in _UNUSED)]
        for kind in ("missing_keys", "unexpected_keys")
    )
    loading.all_keys(missing, unexpected, purpose, folder)
    return loading.freeze(network)
