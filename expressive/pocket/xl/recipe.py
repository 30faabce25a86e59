"""The recipe of a text-to-picture base, read from TOML, and its stages, each leaving files that the next one reads."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...provenance import commit
from ...toml import read_toml
from ..judge import text_to_picture
from ..reader.reader import FaceReader
from ..scene import Scene
from ..training.collection import Collection, load_collection
from ..training.device import place
from ..training.loop import Budget, Checkpoint
from ..training.sheet import save_sheet
from ..training.stages import (
    described,
    forget_figures,
    history,
    listed,
    origin,
    reading,
    result,
    weights_of,
    write_figures,
)
from . import evaluate, scenes
from .autoencoder import PocketAutoencoder
from .config import BaseConfig
from .model import PocketBase, load_base, new_base, read_part
from .train import BaseRecipe, cache_latents, train_base
from .train_text import TextRecipe, train_text
from .train_vae import AutoencoderRecipe, Source, decode_latents, encode_pictures, train_vae, vae_figures, with_preview

STAGES = ("drawings", "vae", "text", "base", "evaluate", "export")
PLANS: dict[str, tuple[Callable, Callable]] = {
    "face": (scenes.face_scene, scenes.held_out_face),
    "upper_body": (scenes.body_scene, scenes.held_out_body),
}
"""Frame → the plans of training and of held-out pictures."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that `trainers/configs/pocket-xl.toml` or `pocket-video.toml` says."""

    name: str
    seed: int
    frame: str  # what the base paints: 'face' or 'upper_body'
    pictures: dict[str, int]  # frame → number of drawings
    vae: AutoencoderRecipe
    vae_minutes: float
    words: TextRecipe
    words_minutes: float
    base: BaseRecipe
    base_minutes: float
    model: BaseConfig
    text: str  # the file itself, for the metadata of the weights
    judged: int = 48  # held-out pictures of each frame, for figures and sheets

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises FileNotFoundError, or ValueError, naming the file, for settings that are missing or wrong."""
        text, found = read_toml(path)
        with reading(path):
            return cls._of(path, text, found)

    @classmethod
    def _of(cls, path: Path, text: str, found: dict[str, Any]) -> Recipe:
        vae, words, base = dict(found.get("vae", {})), dict(found["text"]), dict(found["base"])
        if found["frame"] not in PLANS:
            raise ValueError(f"{path.name}: “{found['frame']}” is no frame; there are {', '.join(PLANS)}.")
        pictures = {frame: int(count) for frame, count in found["pictures"].items()}
        if unknown := set(pictures) - set(PLANS):
            raise ValueError(f"{path.name} wants pictures of {', '.join(sorted(unknown))}; frames: {', '.join(PLANS)}.")
        if max(pictures.values()) > scenes.HELD_OUT:
            raise ValueError(f"{path.name} would train on held-out people: at most {scenes.HELD_OUT} pictures a frame.")
        return cls(
            name=found["name"],
            seed=found["seed"],
            frame=found["frame"],
            pictures=pictures,
            vae_minutes=vae.pop("minutes", 0.0),
            vae=AutoencoderRecipe(**vae, seed=found["seed"]),
            words_minutes=words.pop("minutes"),
            words=TextRecipe(**words, seed=found["seed"]),
            base_minutes=base.pop("minutes"),
            base=BaseRecipe(**base, seed=found["seed"]),
            model=BaseConfig.from_values(found.get("model", {})),
            text=text,
        )

    def drawings(self, frame: str, cache: Path) -> Collection:
        """Training pictures of a frame."""
        return load_collection(frame, PLANS[frame][0], self.pictures[frame], cache, with_truth=False)

    def held_out(self, cache: Path) -> dict[str, Collection]:
        """Pictures of people that are never trained on, for each frame of the recipe."""
        return {
            frame: load_collection(f"{frame}-held-out", PLANS[frame][1], self.judged, cache, with_truth=False)
            for frame in self.pictures
        }


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
    """Run one stage. `minutes` and `steps` replace the recipe's budget of a training stage.

    start: folder whose finished files a training begins with, in place of random weights.

    drawings: draw them into the folder beside `work`, for all bases. vae, text, base: train, with checkpoints and
    sheets in `work`; a base that uses another's auto-encoder trains none. evaluate: figures.json, judged by the face
    reader if `models` has it. export: the files in `models`.
    Raises FileNotFoundError if an earlier stage has not been run, and ValueError for another training's checkpoint.
    """
    torch.manual_seed(recipe.seed)
    cache = work.parent / "drawings"
    if stage == "drawings":
        for frame in recipe.pictures:
            recipe.drawings(frame, cache)
        recipe.held_out(cache)
    elif stage == "vae":
        if recipe.model.vae_of:
            log.info("%s uses the auto-encoder of %s", recipe.name, recipe.model.vae_of)
        else:
            _vae(recipe, work, cache, start, Budget(recipe.vae_minutes if minutes is None else minutes, steps))
    elif stage == "text":
        if start is not None:
            log.info("the text encoders begin with those of %s", start)
            return
        _text(recipe, work, Budget(recipe.words_minutes if minutes is None else minutes, steps))
    elif stage == "base":
        _base(recipe, work, cache, models, start, Budget(recipe.base_minutes if minutes is None else minutes, steps))
    elif stage == "evaluate":
        base = _trained(recipe, work, models)
        place(*base.modules().values())
        found = evaluate.figures(base, recipe.frame, _judge(models))
        save_sheet(work / "sheets" / "finished.png", evaluate.sheet(base, recipe.frame))
        write_figures(work, found)
        log.info("people never trained on: %s", found)
    elif stage == "export":
        for file in _export(recipe, work, models):
            log.info("wrote %s, %.1f MB", file, file.stat().st_size / 1e6)
    else:
        raise ValueError(f"There is no stage “{stage}”; the stages are {', '.join(STAGES)}.")


def _vae(recipe: Recipe, work: Path, cache: Path, start: Path | None, budget: Budget) -> None:
    collections, held_out = {f: recipe.drawings(f, cache) for f in recipe.pictures}, recipe.held_out(cache)
    vae = PocketAutoencoder(recipe.model.vae)
    if start is not None:
        vae.load_state_dict(read_part(start, recipe.name, "vae")[0])
    place(vae)
    total = sum(recipe.pictures.values())
    sources = [Source(f, c.pictures, recipe.pictures[f] / total) for f, c in collections.items()]

    def look(step: int) -> None:
        rows = []
        for collection in held_out.values():
            some = collection.pictures[:13]
            rows += [some, decode_latents(vae, encode_pictures(vae, some))]
        save_sheet(work / "sheets" / f"vae-{step:06d}.png", rows)
        log.info("step %d: %s", step, listed(vae_figures(vae, held_out)))

    of = origin(recipe.vae, recipe.model.vae, recipe.pictures, weights_of(start, recipe.name, "vae"))
    steps = train_vae(vae, sources, recipe.vae, budget, Checkpoint(work / "vae.checkpoint.pt", of), look)
    figures = vae_figures(vae, held_out)
    log.info("auto-encoder, %d steps, people never trained on: %s", steps, listed(figures))
    config = with_preview(recipe.model.vae, vae, collections[recipe.frame].pictures[:256])
    model = replace(recipe.model, vae=config).to_json()
    before = history(start, f"{recipe.name}.vae.safetensors")
    found = {"config": model, "steps": steps, "figures": figures, "history": before, "commit": commit()}
    torch.save({"vae": vae.state_dict(), **found}, work / "vae.pt")
    (work / "base.pt").unlink(missing_ok=True)  # it was of other latents
    forget_figures(work)


def _text(recipe: Recipe, work: Path, budget: Budget) -> None:
    base = new_base(recipe.model)
    place(*base.modules().values())
    plan, count = PLANS[recipe.frame][0], recipe.pictures[recipe.frame]
    of = origin(recipe.words, recipe.model.to_json(), recipe.frame, count)
    right = train_text(base, plan, count, recipe.words, budget, Checkpoint(work / "text.checkpoint.pt", of))
    log.info("told from captions, which name some of it: %s", listed(right))
    torch.save(
        {key: net.state_dict() for key, net in base.modules().items() if key.startswith("text")}, work / "text.pt"
    )
    (work / "base.pt").unlink(missing_ok=True)  # it heard other words
    forget_figures(work)


def _with_vae(recipe: Recipe, work: Path, models: Path) -> tuple[PocketBase, dict[str, Any]]:
    """A new base with the trained auto-encoder: its own, or that of another recipe's folder or of the pack's files."""
    other = recipe.model.vae_of
    file = work.parent / other / "vae.pt" if other else work / "vae.pt"
    if other and not file.is_file():
        state, config = read_part(models, other, "vae")
        base = new_base(replace(recipe.model, vae=config.vae))
        base.vae.load_state_dict(state)
        found = {"steps": 0, "figures": {}, "history": history(models, f"{other}.vae.safetensors")}
    else:
        found = result(file, "vae")
        base = new_base(replace(recipe.model, vae=BaseConfig.from_json(found["config"]).vae))
        base.vae.load_state_dict(found["vae"])
    base.vae.eval().requires_grad_(False)
    return base, found


def _base(recipe: Recipe, work: Path, cache: Path, models: Path, start: Path | None, budget: Budget) -> None:
    base, _ = _with_vae(recipe, work, models)
    if start is None:
        for key, state in result(work / "text.pt", "text").items():
            base.modules()[key].load_state_dict(state)
    else:
        earlier = load_base(start, recipe.name).modules()
        for key, net in base.modules().items():
            if key != "vae":
                net.load_state_dict(earlier[key].state_dict())
    place(*base.modules().values())
    collection = recipe.drawings(recipe.frame, cache)
    digest = hashlib.sha256(collection.pictures[:: max(1, len(collection) // 16)].tobytes())
    for weight in base.vae.state_dict().values():
        digest.update(weight.cpu().numpy().tobytes())
    kind = f"{recipe.frame}-{len(collection)}-{digest.hexdigest()[:12]}"
    work.mkdir(parents=True, exist_ok=True)

    def look(step: int) -> None:
        save_sheet(
            work / "sheets" / f"base-{step:06d}.png", evaluate.sheet(base, recipe.frame, 10, min(13, recipe.judged))
        )

    how, half, last = recipe.base, work / "half.checkpoint.pt", work / "base.checkpoint.pt"
    share = 0.0 if start is not None else how.half  # what it begins with has learned the large parts already
    words = "" if start is not None else hashlib.sha256((work / "text.pt").read_bytes()).hexdigest()
    of = origin(how, recipe.model.to_json(), kind, words, weights_of(start, recipe.name, "unet"))
    half_steps = 0
    if share > 0 and not last.is_file():
        halved = cache_latents(base, collection, work / f"latents-half-{kind}.npy", halved=True)
        more = replace(how, batch=2 * how.batch)
        half_steps = train_base(
            base, collection, halved, recipe.frame, more, budget.part(share), Checkpoint(half, of)
        )  # fmt: skip
    elif share > 0 and (saved := Checkpoint(half, of).load()) is not None:
        half_steps = int(saved["step"])
    latents = cache_latents(base, collection, work / f"latents-{kind}.npy")
    rest = budget.part(1 - share)
    steps = train_base(base, collection, latents, recipe.frame, how, rest, Checkpoint(last, of), look)
    nets = {key: net.state_dict() for key, net in base.modules().items() if key != "vae"}
    before = history(start, f"{recipe.name}.unet.safetensors")
    told = {"steps": steps, "half_steps": half_steps, "minutes": budget.minutes, "history": before, "commit": commit()}
    torch.save({**nets, **told}, work / "base.pt")
    forget_figures(work)


def _judge(models: Path) -> Callable[[np.ndarray, Sequence[Scene]], dict[str, float]] | None:
    try:
        return partial(text_to_picture, FaceReader.load(models))
    except FileNotFoundError as error:
        log.info("nobody judges the pictures: %s", error)
        return None


def _trained(recipe: Recipe, work: Path, models: Path) -> PocketBase:
    base, _ = _with_vae(recipe, work, models)
    trained = result(work / "base.pt", "base")
    for key, net in base.modules().items():
        if key != "vae":
            net.load_state_dict(trained[key])
        net.eval().requires_grad_(False)
    return base


def _export(recipe: Recipe, work: Path, models: Path) -> list[Path]:
    base, (_, vae) = _trained(recipe, work, models), _with_vae(recipe, work, models)
    trained = result(work / "base.pt", "base")
    if not (work / "figures.json").is_file():
        make("evaluate", recipe, work, models)
    real = {"sdxl": "stable-diffusion-xl-v1-base", "sd15": "stable-diffusion-v1"}[recipe.model.architecture]
    metadata = described(
        work,
        recipe,
        f"{real} (pocket)",
        recipe.model.size,
        "A small model of the drawn pocket world: words in, pictures of people out.",
        training_seeds=[0, recipe.pictures[recipe.frame] - 1],
        vae_steps=vae["steps"],
        vae_figures=vae["figures"],
        vae_history=vae.get("history", []),
        half_steps=trained["half_steps"],
        base_steps=trained["steps"],
        base_minutes=trained["minutes"],
        trained_commit=trained["commit"],
        history=trained["history"],
    ) | {"modelspec.prediction_type": "epsilon"}
    return base.save(models, recipe.name, metadata)
