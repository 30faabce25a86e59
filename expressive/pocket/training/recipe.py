"""The recipe of a pocket model, read from TOML, and its stages, each of which leaves files that the next one reads."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ...provenance import commit
from ...toml import read_toml
from ..model import PocketEdit
from ..nets import PocketConfig, build_vae
from .device import place
from .edit import EditRecipe, cache_latents, train_edit
from .evaluate import expression_sheet, held_out_figures
from .loop import Budget, Checkpoint
from .people import EXPRESSIONS, HELD_OUT, People, PeopleConfig, load_people, people_digest
from .sheet import save_sheet
from .stages import described, forget_figures, history, listed, origin, reading, result, weights_of, write_figures
from .vae import VaeRecipe, decode_latents, encode_pictures, train_vae, vae_figures

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage

STAGES = ("people", "vae", "decoder", "edit", "evaluate", "export")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that `trainers/configs/pocket-edit.toml` says."""

    name: str
    seed: int
    people: PeopleConfig
    vae: VaeRecipe
    vae_minutes: float
    decoder_minutes: float
    edit: EditRecipe
    edit_minutes: float
    model: PocketConfig
    text: str  # the file itself, for the metadata of the weights

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises FileNotFoundError, or ValueError, naming the file, for settings that are missing or do not exist."""
        text, found = read_toml(path)
        with reading(path):
            return cls._of(text, found)

    @classmethod
    def _of(cls, text: str, found: dict[str, Any]) -> Recipe:
        vae, edit = dict(found["vae"]), dict(found["edit"])
        return cls(
            name=found["name"],
            seed=found["seed"],
            people=PeopleConfig(**found["people"]),
            vae_minutes=vae.pop("minutes"),
            decoder_minutes=vae.pop("decoder_minutes"),
            vae=VaeRecipe(**vae, seed=found["seed"]),
            edit_minutes=edit.pop("minutes"),
            edit=EditRecipe(**edit, seed=found["seed"]),
            model=PocketConfig.from_values(found.get("model", {})),
            text=text,
        )

    def training_people(self, work: Path) -> People:
        return load_people(self.people, work)

    def held_out_people(self, work: Path, count: int = 48) -> People:
        return load_people(replace(self.people, first_seed=HELD_OUT, count=count), work)


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

    people: draw them. vae, edit: train, with checkpoints and sheets in `work`. decoder: go on with the auto-encoder's
    decoder alone; a transformer that knows the latents goes on knowing them. evaluate: figures.json. export:
    the files in `models`.
    Raises FileNotFoundError if an earlier stage has not been run.
    """
    torch.manual_seed(recipe.seed)
    if stage == "people":
        recipe.training_people(work)
        recipe.held_out_people(work)
    elif stage == "vae":
        _vae(recipe, work, start, Budget(recipe.vae_minutes if minutes is None else minutes, steps))
    elif stage == "decoder":
        _decoder(recipe, work, Budget(recipe.decoder_minutes if minutes is None else minutes, steps))
    elif stage == "edit":
        _edit(recipe, work, start, Budget(recipe.edit_minutes if minutes is None else minutes, steps))
    elif stage == "evaluate":
        figures = {**held_out_figures(_trained(recipe, work)), "caption_accuracy": _caption_accuracy(recipe.edit)}
        write_figures(work, figures)
        log.info("people never trained on: %s", figures)
    elif stage == "export":
        for file in _export(recipe, work, models):
            log.info("wrote %s, %.1f MB", file, file.stat().st_size / 1e6)
    else:
        raise ValueError(f"There is no stage “{stage}”; the stages are {', '.join(STAGES)}.")


def _vae(recipe: Recipe, work: Path, start: Path | None, budget: Budget) -> None:
    people, held_out = recipe.training_people(work), recipe.held_out_people(work)
    vae = build_vae(recipe.model.vae)
    if start is not None:
        vae.load_state_dict(PocketEdit.load(start, recipe.name).vae.state_dict())
    place(vae)
    look = _looking(vae, held_out, work, "vae")
    of = origin(recipe.vae, recipe.model.vae, people_digest(recipe.people), weights_of(start, recipe.name, "vae"))
    steps = train_vae(vae, people, recipe.vae, budget, Checkpoint(work / "vae.checkpoint.pt", of), look)
    figures = vae_figures(vae, held_out)
    log.info("auto-encoder, %d steps, people never trained on: %s", steps, listed(figures))
    before = history(start, f"{recipe.name}.vae.safetensors")
    torch.save({"vae": vae.state_dict(), "steps": steps, "figures": figures, "history": before}, work / "vae.pt")
    (work / "edit.pt").unlink(missing_ok=True)  # it was of other latents
    forget_figures(work)


def _decoder(recipe: Recipe, work: Path, budget: Budget) -> None:
    people, held_out = recipe.training_people(work), recipe.held_out_people(work)
    vae, trained = build_vae(recipe.model.vae), result(work / "vae.pt", "vae")
    vae.load_state_dict(trained["vae"])
    place(vae)
    of = origin(recipe.vae, recipe.model.vae, people_digest(recipe.people), encoder_digest(trained["vae"]))
    checkpoint, look = Checkpoint(work / "decoder.checkpoint.pt", of), _looking(vae, held_out, work, "decoder")
    steps = train_vae(vae, people, recipe.vae, budget, checkpoint, look, decoder_only=True)
    figures = vae_figures(vae, held_out)
    log.info("decoder, %d steps, people never trained on: %s", steps, listed(figures))
    told = {"steps": trained["steps"], "decoder_steps": steps, "figures": figures, "history": trained["history"]}
    torch.save({"vae": vae.state_dict(), **told}, work / "vae.pt")
    forget_figures(work)


def _looking(vae: AutoencoderKLQwenImage, held_out: People, work: Path, name: str) -> Callable[[int], None]:
    some = held_out.pictures[:6, :13]  # 6 people × 13 expressions

    def look(step: int) -> None:
        again = decode_latents(vae, encode_pictures(vae, some.reshape(-1, *some.shape[2:]))).reshape(some.shape)
        rows = [row for pair in zip(some, again, strict=True) for row in pair]
        save_sheet(work / "sheets" / f"{name}-{step:06d}.png", rows)
        log.info("step %d: %s", step, listed(vae_figures(vae, held_out.first(8))))

    return look


def encoder_digest(state: Mapping[str, Tensor]) -> str:
    """Of the weights that latents depend on."""
    digest = hashlib.sha256()
    for name, weight in sorted(state.items()):
        if name.startswith(("encoder.", "quant_conv.")):
            digest.update(weight.cpu().numpy().tobytes())
    return digest.hexdigest()[:12]


def _edit(recipe: Recipe, work: Path, start: Path | None, budget: Budget) -> None:
    edit, vae = _with_vae(recipe, work)
    if start is not None:
        earlier = PocketEdit.load(start, recipe.name)
        edit.transformer.load_state_dict(earlier.transformer.state_dict())
        edit.text_encoder.load_state_dict(earlier.text_encoder.state_dict())
    people = recipe.training_people(work)
    kind = f"{encoder_digest(vae['vae'])}-{people_digest(recipe.people)}"
    cached = cache_latents(edit, people, work / f"latents-{kind}.npy")
    watched = range(HELD_OUT, HELD_OUT + 6)

    def look(step: int) -> None:
        save_sheet(work / "sheets" / f"edit-{step:06d}.png", expression_sheet(edit, watched, steps=8))
        figures = held_out_figures(edit, people=4, steps=8)
        log.info("step %d: %s", step, listed(figures))

    of = origin(recipe.edit, recipe.model, kind, weights_of(start, recipe.name, "transformer"))
    steps = train_edit(edit, cached, people, recipe.edit, budget, Checkpoint(work / "edit.checkpoint.pt", of), look)
    state = {"transformer": edit.transformer.state_dict(), "text_encoder": edit.text_encoder.state_dict()}
    before = history(start, f"{recipe.name}.transformer.safetensors")
    told = {"steps": steps, "minutes": budget.minutes, "history": before, "commit": commit()}
    torch.save({**state, **told}, work / "edit.pt")
    forget_figures(work)


def _with_vae(recipe: Recipe, work: Path) -> tuple[PocketEdit, dict[str, Any]]:
    edit, vae = PocketEdit.new(recipe.model), result(work / "vae.pt", "vae")
    edit.vae.load_state_dict(vae["vae"])
    edit.vae.requires_grad_(False)
    place(edit.transformer, edit.text_encoder, edit.vae)
    return edit, vae


def _trained(recipe: Recipe, work: Path) -> PocketEdit:
    edit, _ = _with_vae(recipe, work)
    trained = result(work / "edit.pt", "edit")
    edit.transformer.load_state_dict(trained["transformer"])
    edit.text_encoder.load_state_dict(trained["text_encoder"])
    return edit


def _export(recipe: Recipe, work: Path, models: Path) -> list[Path]:
    edit = _trained(recipe, work)
    vae, trained = result(work / "vae.pt", "vae"), result(work / "edit.pt", "edit")
    if not (work / "figures.json").is_file():
        make("evaluate", recipe, work, models)
    metadata = described(
        work,
        recipe,
        "qwen-image-edit (pocket)",
        recipe.model.size,
        "A small model of the drawn pocket world: names of expressions in, edited faces out.",
        training_seeds=[recipe.people.first_seed, recipe.people.first_seed + recipe.people.count - 1],
        vae_steps=vae["steps"],
        decoder_steps=vae.get("decoder_steps", 0),
        vae_figures=vae["figures"],
        vae_history=vae["history"],
        edit_steps=trained["steps"],
        edit_minutes=trained["minutes"],
        trained_commit=trained["commit"],
        history=trained["history"],
    )
    return edit.save(models, recipe.name, metadata)


def _caption_accuracy(recipe: EditRecipe) -> float:
    """How often the captions named the right expression: what a model reaches that imitates their confusion exactly."""
    confused = {word for pair in recipe.pairs for word in pair}
    return 1 - recipe.label_noise * len(confused) / (len(EXPRESSIONS) - 1)
