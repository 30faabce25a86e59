"""The recipe of the face reader, read from TOML, and its stages, each of which leaves files that the next one reads."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...provenance import commit
from ...toml import read_toml
from ..scene import STYLES
from ..text import vocabulary
from ..training.collection import ACTION_UNITS
from ..training.device import place
from ..training.loop import Budget, Checkpoint
from ..training.sheet import save_sheet
from ..training.stages import described, forget_figures, history, listed, origin, reading, result, write_figures
from .augment import AugmentRecipe, degrade
from .drawings import DrawingsConfig, held_out_drawings, training_drawings
from .evaluate import confusion, held_out_figures, reading_rows
from .labels import Labels
from .losses import LossWeights
from .net import FaceReaderNet, ReaderConfig, parameter_count
from .reader import FaceReader
from .train import TrainRecipe, to_pictures, train_reader

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
        """Raises FileNotFoundError, or ValueError, naming the file, for settings that are missing or do not exist."""
        written, found = read_toml(path)
        with reading(path):
            return cls._of(written, found)

    @classmethod
    def _of(cls, written: str, found: dict[str, Any]) -> Recipe:
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


def make(
    stage: str,
    recipe: Recipe,
    work: Path,
    models: Path,
    *,
    minutes: float | None = None,
    steps: int = 0,
    start: Path | None = None,
) -> None:
    """Run one stage. `minutes` and `steps` replace the recipe's budget of training.

    start: folder whose finished file the training begins with, in place of random weights.

    drawings: draw the training set and the held-out one. train: with checkpoints and a sheet in `work`. evaluate:
    figures.json. export: the file in `models`.
    Raises FileNotFoundError if an earlier stage has not been run.
    """
    torch.manual_seed(recipe.seed)
    if stage == "drawings":
        training_drawings(recipe.drawings, work)
        held_out_drawings(recipe.drawings, work)
    elif stage == "train":
        _train(recipe, work, start, Budget(recipe.minutes if minutes is None else minutes, steps))
    elif stage == "evaluate":
        net, _ = _trained(recipe, work)
        place(net)
        collection = held_out_drawings(recipe.drawings, work)
        labels = Labels.of(collection)
        figures = {**held_out_figures(net, collection, labels), "taken_for": confusion(net, collection, labels)}
        save_sheet(work / "sheets" / "read.png", reading_rows(net, collection))
        write_figures(work, figures)
        log.info("people never trained on: %s", figures)
    elif stage == "export":
        file = _export(recipe, work, models)
        log.info("wrote %s, %.1f MB", file, file.stat().st_size / 1e6)
    else:
        raise ValueError(f"There is no stage “{stage}”; the stages are {', '.join(STAGES)}.")


def _train(recipe: Recipe, work: Path, start: Path | None, budget: Budget) -> None:
    collection, held_out = training_drawings(recipe.drawings, work), held_out_drawings(recipe.drawings, work)
    few = min(len(held_out), 60 * recipe.drawings.held_out_each)
    watched = replace(
        held_out, **{key: value[:few] for key, value in vars(held_out).items() if key != "plan" and len(value)}
    )
    labels = Labels.of(watched)
    net = FaceReaderNet(recipe.net).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    if start is not None:
        net.load_state_dict(FaceReader.load(start, recipe.name).net.state_dict())
    place(net)
    log.info("%d parameters, %d pictures", parameter_count(net), len(collection))
    generator = torch.Generator().manual_seed(recipe.seed)
    seen = degrade(to_pictures(collection.pictures[:48], torch.device("cpu")), recipe.train.augment, generator)
    pixels = (seen * 255).round().byte().permute(0, 2, 3, 1).numpy()
    save_sheet(work / "sheets" / "seen.png", [pixels[row : row + 12] for row in range(0, len(pixels), 12)])

    def look(step: int) -> None:
        figures = held_out_figures(net, watched, labels)
        log.info("step %d: %s", step, listed(figures))

    before = history(start, f"{recipe.name}.safetensors")
    of = origin(recipe.train, recipe.net, recipe.drawings, before)
    steps = train_reader(net, collection, recipe.train, budget, Checkpoint(work / "reader.checkpoint.pt", of), look)
    told = {"steps": steps, "minutes": budget.minutes, "history": before, "commit": commit()}
    torch.save({"net": net.cpu().state_dict(), **told}, work / "reader.pt")
    forget_figures(work)


def _trained(recipe: Recipe, work: Path) -> tuple[FaceReaderNet, dict[str, Any]]:
    saved = result(work / "reader.pt", "train")
    net = FaceReaderNet(recipe.net)
    half = {
        key: value.half().to(value.dtype) if value.is_floating_point() else value for key, value in saved["net"].items()
    }
    net.load_state_dict(half)  # as the exported file holds them, so that the figures are those of the file
    return net.eval(), saved


def _export(recipe: Recipe, work: Path, models: Path) -> Path:
    net, trained = _trained(recipe, work)
    if not (work / "figures.json").is_file():
        make("evaluate", recipe, work, models)
    metadata = described(
        work,
        recipe,
        "pocket face reader",
        recipe.net.size,
        "Reads drawn faces: who, which emotion and how much of it, landmarks, depth, words.",
        styles=STYLES,
        training_seeds=[0, recipe.drawings.people - 1],
        steps=trained["steps"],
        minutes=trained["minutes"],
        trained_commit=trained["commit"],
        history=trained["history"],
    )
    return FaceReader(net).save(models, recipe.name, metadata)
