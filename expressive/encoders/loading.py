"""Packages and files that may be missing, each with one sentence that says what to do."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from torch import Tensor, nn


def package(name: str, purpose: str, install: str | None = None) -> ModuleType:
    """The imported package. ImportError with what to install (`install`, or the package of the same name) if it is
    missing or does not start; `purpose` goes on “… is needed to”."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        wanted = install or name.partition(".")[0]
        missing = (
            isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == name.partition(".")[0]
        )
        why = "is not installed" if missing else f"does not start here ({error})"
        raise ImportError(
            f"The Python package {wanted} is needed to {purpose}, but it {why}. Install it into ComfyUI's Python: "
            f"pip install {wanted}"
        ) from error


def file(path: Path, purpose: str) -> Path:
    """`path`, if it is a file that is not empty. FileNotFoundError or ValueError otherwise; `purpose` says what the
    file would be: “the POSTER checkpoint”."""
    if not path.is_file():
        raise FileNotFoundError(f"{purpose[0].upper()}{purpose[1:]} is not at {path}. Download it and put it there.")
    if path.stat().st_size == 0:
        raise ValueError(f"{purpose[0].upper()}{purpose[1:]} at {path} is an empty file. Download it again.")
    return path


def all_keys(missing: Iterable[str], unexpected: Iterable[str], purpose: str, path: Path) -> None:
    """ValueError that names up to three of each kind, unless both are empty."""
    missing, unexpected = list(missing), list(unexpected)
    if not missing and not unexpected:
        return
    parts = []
    for keys, text in ((missing, "lacks"), (unexpected, "has in excess")):
        if keys:
            more = ", …" if len(keys) > 3 else ""
            parts.append(f"{text} {len(keys)} weights ({', '.join(keys[:3])}{more})")
    raise ValueError(f"{path.name} is not {purpose}: it {' and '.join(parts)}. Choose another file.")


def freeze(network: nn.Module) -> nn.Module:
    """In eval mode, float32, and without gradients to the weights."""
    return network.eval().float().requires_grad_(False)


def to_network(pictures: Tensor, network: nn.Module) -> Tensor:
    """As float32 on the device of the network's weights."""
    return pictures.to(next(network.parameters()).device).float()
