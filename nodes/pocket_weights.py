"""Reading the weight files of the pocket bases, with a sentence for everything that can be wrong with one."""

from __future__ import annotations

from pathlib import Path

import comfy.utils
import torch

from .pocket_files import MODELS


def weights_file(base: str, part: str, folder: Path = MODELS) -> Path:
    """Place of one file of a pocket base. Raises FileNotFoundError with the remedy if it is not there."""
    path = folder / f"{base}.{part}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(
            f"The pocket base “{base}” needs the file {path.name} in {folder}, and it is not there. "
            f"Install the pack again, or build the file with: python run.py pocket {base.removeprefix('pocket-')}"
        )
    return path


def read_described(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """Weights of one file and the JSON that describes its model.

    Raises ValueError for a file that is damaged or is no pocket model.
    """
    try:
        weights, metadata = comfy.utils.load_torch_file(str(path), safe_load=True, return_metadata=True)
    except Exception as error:
        raise ValueError(
            f"{path.name} cannot be read ({error}). It is damaged or incomplete; install the pack again."
        ) from error
    if not metadata or "pocket.config" not in metadata:
        raise ValueError(
            f"{path.name} is not a pocket model of this pack: its header lacks “pocket.config”. Install the pack again."
        )
    return weights, metadata["pocket.config"]


def same_keys(weights: dict[str, torch.Tensor], wanted: set[str], name: str) -> None:
    """Raises ValueError, naming one, if the file lacks weights that its model wants or has others."""
    found = set(weights)
    if wanted != found:
        example = sorted(wanted ^ found)[0]
        raise ValueError(
            f"{name} does not fit its own description: {len(wanted - found)} weights are missing "
            f"and {len(found - wanted)} are unknown, “{example}” for one. "
            "The file is damaged or from another version; install the pack again."
        )
