"""What the recipes of all pocket models share: reading TOML, results that stages leave, metadata of the weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from .provenance import commit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


STEPS = ("steps", "vae_steps", "edit_steps", "base_steps")
"""Entries of the metadata that count steps of training."""


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """A recipe's text and what it says. Raises FileNotFoundError, or ValueError for what is not TOML."""
    text = path.read_text(encoding="utf-8")
    return text, tomllib.loads(text)


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


def described(work: Path, recipe: Any, architecture: str, description: str, **facts: object) -> dict[str, object]:
    """Metadata of weights, by the Model Spec standard and what the pocket world adds.

    recipe: has `name`, `seed` and its own `text`. facts: further entries under "pocket.".
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
        "modelspec.resolution": "128x128",
        "modelspec.description": description,
        **{f"pocket.{key}": value for key, value in {**own, **facts, "commit": commit()}.items()},
    }


def history(start: Path | None, file: str) -> list[dict[str, str]]:
    """What weights went through before, oldest first: of each earlier training its commit, recipe and steps.

    start: the folder that training begins with, or None for random weights; file: the name of the weights' file there.
    """
    if start is None:
        return []
    with safe_open(start / file, "pt") as opened:
        found: dict[str, str] = opened.metadata() or {}
    kept = {key: found[f"pocket.{key}"] for key in ("commit", "recipe", *STEPS) if f"pocket.{key}" in found}
    return [*json.loads(found.get("pocket.history", "[]")), kept]


def listed(figures: Mapping[str, Any]) -> str:
    """The numbers among some figures, in a row."""
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float))
