"""Checkpoints that are there whole or not at all, as safetensors, with everything that going on exactly needs."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

State = Mapping[str, Any]
"""Nested dictionaries and lists of tensors, numbers, texts, booleans and None."""

_NAME = re.compile(r"step-(\d{8})\.safetensors")


def save_checkpoint(folder: Path, step: int, state: State, keep: int = 3) -> Path:
    """Write `step-<step>.safetensors` and remove all but the newest `keep`.

    The file appears under its name only when all of it is on the disk, so that a training that is killed at any moment
    leaves its last whole checkpoint as the newest.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    described = _taken_apart(state, "", tensors)
    path = folder / f"step-{step:08d}.safetensors"
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"state": json.dumps(described), "step": str(step)})
    with partial.open("rb+") as opened:
        os.fsync(opened.fileno())
    partial.replace(path)
    for old in _checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the highest step, or None."""
    found = _checkpoints(folder)
    return found[-1] if found else None


def load_checkpoint(path: Path) -> tuple[int, dict[str, Any]]:
    """Step and state as they were saved, on the CPU. Raises ValueError for a file that is no checkpoint of ours."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as opened:
            told = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118  (an opened file cannot be iterated)
        return int(told["step"]), _put_together(json.loads(told["state"]), tensors)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is not a checkpoint, or only a part of one: {error}.") from error


def forget_checkpoints(folder: Path) -> None:
    """Remove the folder with all that is in it."""
    shutil.rmtree(folder, ignore_errors=True)


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*.safetensors") if _NAME.fullmatch(path.name))


def _taken_apart(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """The value as JSON holds it, with {"tensor": name} in the place of each tensor, which goes into `tensors`."""
    if isinstance(value, Tensor):
        tensors[place] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": place}
    if isinstance(value, Mapping):
        pairs = [[key, _taken_apart(inner, f"{place}/{key}", tensors)] for key, inner in value.items()]
        return {"pairs": pairs}  # keys may be numbers, which JSON's own are not
    if isinstance(value, list | tuple):
        return [_taken_apart(inner, f"{place}/{index}", tensors) for index, inner in enumerate(value)]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{place} is a {type(value).__name__}, which a checkpoint does not hold.")


def _put_together(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _put_together(inner, tensors) for key, inner in value["pairs"]}
    return [_put_together(inner, tensors) for inner in value] if isinstance(value, list) else value
