"""The recipe of the pocket Marigold, read from TOML, and its stages, each leaving files that the next one reads."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...metrics.depth import depth_errors
from ...provenance import commit
from ...toml import read_toml
from ...vision.depth import Marigold, coloured, estimate
from ..training.device import place
from ..training.loop import Budget, Checkpoint
from ..training.sheet import save_sheet
from ..training.stages import described, forget_figures, history, listed, origin, reading, result, write_figures
from ..xl.config import BaseConfig
from ..xl.model import PocketBase, load_base
from .autoencoder import DepthAutoencoder
from .model import STEPS, depth_unet, empty_prompt, scheduler, write_folder
from .scenes import DepthPairs, depth_scene, held_out_scene, load_pairs, normalised
from .train import DepthRecipe, again, cache_latents, train_decoder, train_unet

STAGES = ("drawings", "train", "evaluate", "export")
FOLDER = "marigold"  # in the folder of the pack's models
BEFORE = 0.1
"""For AbsRel and δ1 the drawn depth, 0 at the nearest pixel and 1 at the wall, needs a viewer: so far before the
nearest pixel. The wall is then eleven times as far away as that, about as much as in photographed rooms."""
_SHOWN = 12  # columns of a sheet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that `trainers/configs/pocket-depth.toml` says."""

    name: str
    seed: int
    base: str  # the text-to-picture base that it begins with
    pictures: int
    judged: int  # held-out pictures
    train: DepthRecipe
    minutes: float
    text: str  # the file itself, for the metadata of the weights

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises FileNotFoundError, or ValueError, naming the file, for settings that are missing or do not exist."""
        text, found = read_toml(path)
        with reading(path):
            how = dict(found["train"])
            return cls(
                name=found["name"],
                seed=found["seed"],
                base=found["base"],
                pictures=found["pictures"],
                judged=found["judged"],
                minutes=how.pop("minutes"),
                train=DepthRecipe(**how, seed=found["seed"]),
                text=text,
            )

    def drawings(self, cache: Path, size: int) -> DepthPairs:
        """Training pictures with their depth."""
        return load_pairs("depth", depth_scene, self.pictures, cache, size=size)

    def held_out(self, cache: Path, size: int) -> DepthPairs:
        """Pictures of people that are never trained on."""
        return load_pairs("depth-held-out", held_out_scene, self.judged, cache, size=size)


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
    """Run one stage; the base's files have to be in `models`. `minutes` and `steps` replace the recipe's budget.

    start: folder of finished files whose Marigold the training goes on from, in place of the base.

    drawings: draw people and their depth into the folder beside `work`. train: decoder, then UNet, with checkpoints and
    sheets in `work`. evaluate: figures.json and a sheet, of people never trained on. export: the folder in `models`.
    Raises FileNotFoundError if an earlier stage has not been run, and ValueError for another training's checkpoint.
    """
    torch.manual_seed(recipe.seed)
    cache, base = work.parent / "drawings", load_base(models, recipe.base)
    size = base.config.size
    if stage == "drawings":
        recipe.drawings(cache, size)
        recipe.held_out(cache, size)
    elif stage == "train":
        _train(recipe, work, cache, models, base, start, Budget(recipe.minutes if minutes is None else minutes, steps))
    elif stage == "evaluate":
        found = _figures(recipe, _trained(recipe, work, base), recipe.held_out(cache, size), work / "sheets")
        write_figures(work, found)
        log.info("people never trained on: %s", listed(found))
    elif stage == "export":
        folder = _export(recipe, work, models, base)
        log.info("wrote %s, %.1f MB", folder, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6)
    else:
        raise ValueError(f"There is no stage “{stage}”; the stages are {', '.join(STAGES)}.")


def _train(
    recipe: Recipe, work: Path, cache: Path, models: Path, base: PocketBase, start: Path | None, budget: Budget
) -> None:
    pairs, how = recipe.drawings(cache, base.config.size), recipe.train
    unet, vae, states = depth_unet(base), DepthAutoencoder(base.config.vae), empty_prompt(base)
    vae.net.load_state_dict(base.vae.state_dict())
    if start is not None:
        earlier = Marigold.load(start / FOLDER / recipe.name)
        unet.load_state_dict(earlier.unet.state_dict())
        vae.net.load_state_dict(earlier.vae.net.state_dict())
        states = earlier.text[0]
    vae.eval().requires_grad_(False)
    place(unet, vae)
    # of the weights themselves, not of their files: a copy of a file is the same beginning
    digest = hashlib.sha256(pairs.pictures[:: max(1, len(pairs) // 16)].tobytes())
    for weight in vae.state_dict().values():
        digest.update(weight.cpu().numpy().tobytes())
    kind = f"{len(pairs)}-{digest.hexdigest()[:12]}"
    for weight in unet.state_dict().values():
        digest.update(weight.cpu().numpy().tobytes())
    of = origin(how, digest.hexdigest())
    latents = cache_latents(vae, pairs, work / f"latents-{kind}.npy")
    decoder_steps = 0
    if how.decoder > 0:
        share, kept = budget.part(how.decoder), Checkpoint(work / "decoder.checkpoint.pt", of)
        decoder_steps = train_decoder(vae, pairs, latents, how, share, kept)

    def look(step: int) -> None:
        held_out = recipe.held_out(cache, base.config.size)
        found = _marigold(recipe, unet, vae, states, base.config)
        save_sheet(work / "sheets" / f"depth-{step:06d}.png", _sheet(found, held_out))

    share, kept = budget.part(1 - how.decoder), Checkpoint(work / "unet.checkpoint.pt", of)
    unet_steps = train_unet(unet, states, latents, how, share, kept, look)
    told = {"steps": unet_steps, "decoder_steps": decoder_steps, "minutes": budget.minutes, "commit": commit()}
    before = _history(models, recipe, start)
    torch.save(
        {"unet": unet.state_dict(), "vae": vae.net.state_dict(), "states": states, "history": before, **told},
        work / "depth.pt",
    )
    forget_figures(work)


def _history(models: Path, recipe: Recipe, start: Path | None) -> list[dict[str, str]]:
    if start is None:
        return history(models, f"{recipe.base}.unet.safetensors")
    return history(start / FOLDER / recipe.name / "unet", "diffusion_pytorch_model.safetensors")


def _marigold(recipe: Recipe, unet: nn.Module, vae: DepthAutoencoder, states: Tensor, base: BaseConfig) -> Marigold:
    """What `Marigold.load` gives of the finished folder, from the networks as they are."""
    return Marigold(recipe.name, unet, vae, scheduler(), states[None], STEPS, base.size)


def _trained(recipe: Recipe, work: Path, base: PocketBase) -> Marigold:
    found = result(work / "depth.pt", "train")
    unet, vae = depth_unet(base), DepthAutoencoder(base.config.vae)
    unet.load_state_dict(found["unet"])
    vae.net.load_state_dict(found["vae"])
    for net in (unet, vae):
        net.eval().requires_grad_(False)
    return _marigold(recipe, unet, vae, found["states"], base.config)


def _figures(recipe: Recipe, marigold: Marigold, pairs: DepthPairs, sheets: Path) -> dict[str, float]:
    """Errors over held-out pictures, of all and of the person alone; those of the auto-encoder; seconds a picture."""
    place(marigold.unet, marigold.vae)
    begin = time.monotonic()
    found = _estimated(marigold, pairs.pictures)
    seconds = (time.monotonic() - begin) / len(pairs)
    depth = torch.from_numpy(np.array(pairs.depth)).float()
    far, person = depth + BEFORE, depth < 0.999
    figures = {"pictures": float(len(pairs)), "steps": float(STEPS), "seconds_per_picture": seconds}
    for name, rows in {"face": slice(0, None, 2), "upper_body": slice(1, None, 2)}.items():
        if not len(depth[rows]):
            continue
        errors = {"": depth_errors(found[rows], far[rows])}
        errors["person_"] = depth_errors(found[rows], far[rows], person[rows])
        errors["vae_"] = depth_errors(again(marigold.vae, np.array(pairs.depth)[rows]), far[rows])
        figures |= {f"{name}_{of}{key}": value for of, each in errors.items() for key, value in each.items()}
    save_sheet(sheets / "finished.png", _sheet(marigold, pairs))
    return figures


def _estimated(marigold: Marigold, pictures: np.ndarray) -> Tensor:
    """Depth float32 [N,H,W] of pictures uint8 [N,H,W,3]."""
    return estimate(marigold, torch.from_numpy(np.array(pictures)).float() / 255).depth


def _sheet(marigold: Marigold, pairs: DepthPairs) -> list[np.ndarray]:
    """Rows: pictures, their true depth, what is found."""
    pictures = np.array(pairs.pictures[:_SHOWN])
    true = torch.from_numpy(np.stack([(normalised(one) + 1) / 2 for one in pairs.depth[:_SHOWN]]))
    maps = (true, _estimated(marigold, pictures).clamp(0, 1))
    return [pictures, *((coloured(each) * 255).round().byte().numpy() for each in maps)]


def _export(recipe: Recipe, work: Path, models: Path, base: PocketBase) -> Path:
    trained = result(work / "depth.pt", "train")
    if not (work / "figures.json").is_file():
        make("evaluate", recipe, work, models)
    marigold = _trained(recipe, work, base)
    size = base.config.size
    metadata = described(
        work,
        recipe,
        "marigold-depth-v1-1 (pocket)",
        size,
        "A small Marigold of the drawn pocket world: a picture of a person in, its depth out.",
        training_seeds=[0, (recipe.pictures + 1) // 2 - 1],
        steps=trained["steps"],
        decoder_steps=trained["decoder_steps"],
        minutes=trained["minutes"],
        trained_commit=trained["commit"],
        history=trained["history"],
    ) | {"modelspec.title": "Expressive Avatars pocket Marigold", "modelspec.prediction_type": "v"}
    folder = models / FOLDER / recipe.name
    return write_folder(folder, marigold.unet, marigold.vae, trained["states"], size, metadata)
