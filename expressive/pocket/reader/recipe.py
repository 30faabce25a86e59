"""The recipe of the face reader, read from TOML, and its stages, each of which leaves files that the next one reads."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ..scene import STYLES
from ..text import vocabulary
from ..training.collection import ACTION_UNITS
from ..training.device import place
from ..training.loop import Budget
from ..training.provenance import commit
from ..training.sheet import save_sheet
from .augment import AugmentRecipe, degrade
from .drawings import DrawingsConfig, held_out_drawings, training_drawings
from .evaluate import confusion, held_out_figures, reading_rows
from .labels import Labels
from .losses import LossWeights
from .net import FaceReaderNet, ReaderConfig, parameter_count
from .reader import FaceReader
from .train import TrainRecipe, to_pictures, train_reader

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

STAGES = ("drawings", "train", "evaluate", "export")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that `trainers/configs/pocket-reader.toml` says."""

    name: str
    seed: int
    drawings: DrawingsConfig
    net: ReaderConfig
    train: TrainRecipe
    minutes: float
    text: str  # the file itself, for the metadata of the weights

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises FileNotFoundError, or KeyError or TypeError for settings that are missing or do not exist."""
        written = path.read_text(encoding="utf-8")
        found: dict[str, Any] = tomllib.loads(written)
        train = dict(found["train"])
        net: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.get("net", {}).items()}
        return cls(
            name=found["name"],
            seed=found["seed"],
            drawings=DrawingsConfig(**found.get("drawings", {})),
            net=ReaderConfig(**net, vocabulary=len(vocabulary()), action_units=ACTION_UNITS),
            minutes=train.pop("minutes"),
            train=TrainRecipe(
                **train,
                augment=AugmentRecipe(**found.get("augment", {})),
                weights=LossWeights(**found.get("weights", {})),
                seed=found["seed"],
            ),
            text=written,
        )


def make(stage: str, recipe: Recipe, work: Path, models: Path, *, minutes: float | None = None, steps: int = 0) -> None:
    """Run one stage. `minutes` and `steps` replace the recipe's budget of training.

    drawings: draw the training set and the held-out one. train: with checkpoints and a sheet in `work`. evaluate:
    figures.json. export: the file in `models`.
    Raises FileNotFoundError if an earlier stage has not been run.
    """
    torch.manual_seed(recipe.seed)
    if stage == "drawings":
        training_drawings(recipe.drawings, work)
        held_out_drawings(recipe.drawings, work)
    elif stage == "train":
        _train(recipe, work, Budget(recipe.minutes if minutes is None else minutes, steps))
    elif stage == "evaluate":
        net, _ = _trained(recipe, work)
        place(net)
        collection = held_out_drawings(recipe.drawings, work)
        labels = Labels.of(collection)
        figures = {**held_out_figures(net, collection, labels), "taken_for": confusion(net, collection, labels)}
        save_sheet(work / "sheets" / "read.png", reading_rows(net, collection))
        (work / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        log.info("people never trained on: %s", json.dumps(figures, indent=1))
    elif stage == "export":
        file = _export(recipe, work, models)
        log.info("wrote %s, %.1f MB", file, file.stat().st_size / 1e6)
    else:
        raise ValueError(f"There is no stage “{stage}”; the stages are {', '.join(STAGES)}.")


def _train(recipe: Recipe, work: Path, budget: Budget) -> None:
    collection, held_out = training_drawings(recipe.drawings, work), held_out_drawings(recipe.drawings, work)
    few = min(len(held_out), 60 * recipe.drawings.held_out_each)
    watched = replace(
        held_out, **{key: value[:few] for key, value in vars(held_out).items() if key != "plan" and len(value)}
    )
    labels = Labels.of(watched)
    net = FaceReaderNet(recipe.net).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    place(net)
    log.info("%d parameters, %d pictures", parameter_count(net), len(collection))
    generator = torch.Generator().manual_seed(recipe.seed)
    seen = degrade(to_pictures(collection.pictures[:48], torch.device("cpu")), recipe.train.augment, generator)
    pixels = (seen * 255).round().byte().permute(0, 2, 3, 1).numpy()
    save_sheet(work / "sheets" / "seen.png", [pixels[row : row + 12] for row in range(0, len(pixels), 12)])

    def look(step: int) -> None:
        figures = held_out_figures(net, watched, labels)
        log.info("step %d: %s", step, _listed(figures))

    steps = train_reader(net, collection, recipe.train, budget, work / "reader.checkpoint.pt", look)
    torch.save({"net": net.cpu().state_dict(), "steps": steps}, work / "reader.pt")
    (work / "figures.json").unlink(missing_ok=True)  # they were another reader's


def _trained(recipe: Recipe, work: Path) -> tuple[FaceReaderNet, int]:
    file = work / "reader.pt"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is not there yet: run the stage “train” first.")
    saved = torch.load(file, weights_only=True)
    net = FaceReaderNet(recipe.net)
    half = {
        key: value.half().to(value.dtype) if value.is_floating_point() else value for key, value in saved["net"].items()
    }
    net.load_state_dict(half)  # as the exported file holds them, so that the figures are those of the file
    return net.eval(), saved["steps"]


def _export(recipe: Recipe, work: Path, models: Path) -> Path:
    net, steps = _trained(recipe, work)
    figures_file = work / "figures.json"
    if not figures_file.is_file():
        make("evaluate", recipe, work, models)
    metadata = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": recipe.name,
        "modelspec.architecture": "pocket face reader",
        "modelspec.license": "Apache-2.0",
        "modelspec.resolution": f"{recipe.net.size}x{recipe.net.size}",
        "modelspec.description": "Reads drawn faces: who, which emotion and how much of it, landmarks, depth, words.",
        "pocket.recipe": recipe.text,
        "pocket.seed": recipe.seed,
        "pocket.styles": STYLES,
        "pocket.training_seeds": [0, recipe.drawings.people - 1],
        "pocket.steps": steps,
        "pocket.figures": json.loads(figures_file.read_text(encoding="utf-8")),
        "pocket.commit": commit(),
    }
    return FaceReader(net).save(models, recipe.name, metadata)


def _listed(figures: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if isinstance(value, float))
