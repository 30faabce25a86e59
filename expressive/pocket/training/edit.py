"""Training of text encoder and transformer: edit a drawn face to the expression that a caption names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ...losses.flow_matching import mixed_noise_levels
from ..latents import normalise
from ..model import PocketEdit
from .captions import Captions
from .coarse import coarse_error
from .device import bf16, device_of
from .loop import Budget, Checkpoint, train
from .people import EXPRESSIONS, People
from .vae import encode_pictures, feature_map


@dataclass(frozen=True)
class EditRecipe:
    batch: int = 64
    lr: float = 1.5e-3
    label_noise: float = 0.25  # the caption names the other expression of a pair this often
    pairs: Iterable[Iterable[str]] = ()
    synonyms: float = 0.2  # the caption uses another name of the expression this often
    neutral_source: float = 0.4  # the source shows the neutral face this often, else any expression at any intensity
    no_source: float = 0.0  # share of batches without a source: the model has to paint a person of its own
    features: float = 2.0  # extra weight of eyes and mouth in the loss
    changed: float = 0.0  # extra weight where source and target differ, for each deviation of the latents
    coarse: float = 0.1  # weight of the error in the clean picture's colours, over all of it and over its parts
    average: float = 0.999
    seed: int = 0


def cache_latents(edit: PocketEdit, people: People, file: Path) -> np.ndarray:
    """Normalised latents fp16 [people, K, 16, h, w] of all pictures, encoded once; read from `file` if it is there."""
    if not file.is_file():
        count, each = people.pictures.shape[:2]
        side = people.pictures.shape[2] // 8
        partial = file.with_suffix(".partial")
        cached = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=(count, each, 16, side, side))
        with bf16(device_of(edit.vae)):  # the cache is fp16 anyway
            for row in tqdm(range(count), desc="encoding pictures"):
                cached[row] = normalise(encode_pictures(edit.vae, people.pictures[row]).float()).numpy()
        cached.flush()
        partial.replace(file)
    return np.load(file)


class Batches:
    """Draws source and target of the same person: normalised latents, the target's expression and style."""

    def __init__(self, cached: np.ndarray, people: People, neutral_source: float) -> None:
        self._latents = torch.from_numpy(cached)
        self._character = torch.from_numpy(people.character)
        self._neutral_source = neutral_source

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(target [B,16,h,w], source [B,16,h,w], expression [B], character [B])."""
        who = torch.randint(len(self._latents), (batch,), generator=generator)
        target = torch.randint(len(EXPRESSIONS), (batch,), generator=generator)
        source = torch.randint(self._latents.shape[1], (batch,), generator=generator)
        source[torch.rand(batch, generator=generator) < self._neutral_source] = 0
        return self._latents[who, target].float(), self._latents[who, source].float(), target, self._character[who]


def train_edit(
    edit: PocketEdit,
    cached: np.ndarray,
    people: People,
    recipe: EditRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train transformer and text encoder in place by flow matching; at the end their weights are the moving average.

    x_t = (1 − σ) x0 + σ noise, and the network predicts v = noise − x0. Eyes and mouth weigh more in the loss, and so
    do what the edit has to change (most of a picture is only copied) and colours over large parts of x̂0 = x_t − σ v.
    """
    batches = Batches(cached, people, recipe.neutral_source)
    captions = Captions(recipe.pairs, recipe.label_noise, recipe.synonyms)
    weight = F.avg_pool2d(feature_map(edit.config.size, recipe.features), 8)
    device = device_of(edit.transformer)
    weight = (weight / weight.mean()).to(device)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        target, source, expression, character = batches.draw(recipe.batch, generator)
        shown = torch.rand(1, generator=generator).item() >= recipe.no_source
        tokens = captions.draw(expression, character, generator)
        noise = torch.randn(target.shape, generator=generator).to(device)
        sigma = mixed_noise_levels(len(target), generator).to(device)
        target, source, tokens = target.to(device), source.to(device), tokens.to(device)
        mixed = torch.lerp(target, noise, sigma[:, None, None, None])
        with bf16(device):
            found = edit.velocity(mixed, sigma, edit.encode_tokens(tokens), source if shown else None)
        error = found.float() - (noise - target)
        changes = (target - source).abs().mean(1, keepdim=True) * shown  # [B,1,h,w]
        where = weight * (1 + recipe.changed * changes)
        flow = (where / where.mean() * error.square()).mean()
        coarse = coarse_error(sigma[:, None, None, None] * error)
        return {"loss": flow + recipe.coarse * coarse, "flow": flow.detach(), "coarse": coarse.detach()}

    modules = {"transformer": edit.transformer, "text_encoder": edit.text_encoder}
    return train(
        modules, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, save_every=420, on_save=on_save,
    )  # fmt: skip
