"""What the recipes of all pocket models share: reading TOML, results that stages leave, metadata of the weights."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from ...provenance import commit

STEPS = ("steps", "vae_steps", "edit_steps", "text_steps", "half_steps", "base_steps")
"""Entries of the metadata that count steps of training."""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Inside, a setting of a recipe that is missing or does not exist is a ValueError that names the file."""
    try:
        yield
    except KeyError as error:
        raise ValueError(f"{path.name} lacks the setting {error}.") from error
    except TypeError as error:
        raise ValueError(f"{path.name} has a setting that does not exist, or lacks one: {error}.") from error


def origin(*parts: object) -> str:
    """What a training is of, in short: of everything that has to be the same for going on from a checkpoint."""
    return hashlib.sha256("\x1f".join(map(repr, parts)).encode()).hexdigest()[:16]


def weights_of(start: Path | None, name: str, part: str) -> str:
    """What tells the weights that a training begins with, for `origin`; empty for random ones."""
    return "" if start is None else hashlib.sha256((start / f"{name}.{part}.safetensors").read_bytes()).hexdigest()


def result(file: Path, stage: str) -> dict[str, Any]:
    """What a stage has left, on the CPU. Raises FileNotFoundError where it has not been run."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there yet: run the stage “{stage}” first.")
    return torch.load(file, weights_only=True, map_location="cpu")


def write_figures(work: Path, figures: Mapping[str, Any]) -> None:
    """Write `figures.json`, which `described` puts into the weights."""
    (work / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")


def forget_figures(work: Path) -> None:
    """Remove `figures.json`: other weights were measured."""
    (work / "figures.json").unlink(missing_ok=True)


def described(
    work: Path, recipe: Any, architecture: str, size: int, description: str, **facts: object
) -> dict[str, object]:
    """Metadata of weights, by the Model Spec standard and what the pocket world adds.

    recipe: has `name`, `seed` and its own `text`. size: pixels of its pictures' sides. facts: further entries under
    "pocket.".
    Raises FileNotFoundError where there are no figures yet.
    """
    file = work / "figures.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there yet: run the stage “evaluate” first.")
    own = {"recipe": recipe.text, "seed": recipe.seed, "figures": json.loads(file.read_text("utf-8"))}
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": recipe.name,
        "modelspec.architecture": architecture,
        "modelspec.license": "Apache-2.0",
        "modelspec.resolution": f"{size}x{size}",
        "modelspec.description": description,
        **{f"pocket.{key}": value for key, value in {**own, **facts, "commit": commit()}.items()},
    }


def history(start: Path | None, file: str) -> list[dict[str, str]]:
    """What weights went through before, oldest first: of each earlier training its commit, recipe and steps.

    start: the folder that training begins with, or None for random weights; file: the name of the weights' file there.
    """
    if start is None:
        return []
    if not (start / file).is_file():
        raise FileNotFoundError(f"{start} has no {file} to begin with.")
    with safe_open(start / file, "pt") as opened:
        found: dict[str, str] = opened.metadata() or {}
    kept = {key: found[f"pocket.{key}"] for key in ("commit", "recipe", *STEPS) if f"pocket.{key}" in found}
    return [*json.loads(found.get("pocket.history", "[]")), kept]


def listed(figures: Mapping[str, Any]) -> str:
    """The numbers among some figures, in a row."""
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float))
