"""Training of text encoders and UNet: ε-prediction on the latents of drawn scenes and their captions."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..captions import caption
from ..training.coarse import coarse_error
from ..training.collection import Collection
from ..training.device import bf16, device_of
from ..training.loop import Budget, Checkpoint, train
from .model import PocketBase, whole_picture
from .nets import TRAIN_STEPS
from .sampling import noise_levels
from .train_vae import encode_pictures, feature_map

UNUSUAL = 16  # of so many pictures one is shown blurred and one is shown cropped, where the base hears sizes


@dataclass(frozen=True)
class BaseRecipe:
    batch: int = 32
    lr: float = 1.5e-3
    dropout: float = 0.1  # share of captions that are left empty, for guidance
    min_snr: float = 5.0  # γ of min-SNR weighting (Hang et al., 2023); 0: all noise levels weigh the same
    noise_offset: float = 0.05  # deviation of noise that is the same all over the picture, as SDXL was trained with
    features: float = 1.0  # extra weight of eyes and mouth in the loss
    coarse: float = (
        0.1  # weight of the error in the clean picture's colours, over all of it and over 2 × 2, 4 × 4 parts
    )
    half: float = 0.0  # share of the budget spent on pictures of half the size before, as SDXL was trained
    average: float = 0.999
    seed: int = 0


def shown(index: int, picture: np.ndarray) -> np.ndarray:
    """Picture `index` as a base that hears sizes sees it: uint8 [S,S,3].

    One in sixteen is enlarged from 3/8 of its size and so blurred; one is a crop out of a picture of 5/4 of its size.
    """
    from PIL import Image

    side, image = len(picture), Image.fromarray(picture)
    if index % UNUSUAL == 7:
        small = image.resize((side * 3 // 8, side * 3 // 8), Image.Resampling.BOX)
        return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    if index % UNUSUAL == 15:
        top, left = _corner(index, side)
        large = image.resize((side * 5 // 4, side * 5 // 4), Image.Resampling.BICUBIC)
        return np.asarray(large)[top : top + side, left : left + side]
    return picture


def size_conditions(index: int, whole: tuple[float, ...], side: int) -> tuple[float, ...]:
    """What SDXL's size conditioning says of `shown(index)`, where `whole` is that of a sharp uncropped picture."""
    if index % UNUSUAL == 7:
        return (whole[0] * 3 / 8, whole[1] * 3 / 8, *whole[2:])
    if index % UNUSUAL == 15:
        unit = whole[0] / side
        return (*whole[:2], *(unit * place for place in _corner(index, side)), *whole[4:])
    return whole


def _corner(index: int, side: int) -> tuple[int, int]:
    rng = random.Random(f"crop-{index}")
    return rng.randint(0, side // 4), rng.randint(0, side // 4)


def cache_latents(base: PocketBase, collection: Collection, file: Path, halved: bool = False) -> np.ndarray:
    """Scaled latents fp16 [N,4,h,w] of all pictures, encoded once; read from `file` if it is there.

    halved: of the pictures at half their size.
    """
    if not file.is_file():
        count, side = len(collection), base.config.size // base.config.vae.ratio // (2 if halved else 1)
        partial = file.with_suffix(".partial")
        cached = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=(count, 4, side, side))
        sized = base.config.architecture == "sdxl"
        for first in tqdm(range(0, count, 64), desc="encoding pictures"):
            part = collection.pictures[first : first + 64]
            seen = np.stack([shown(first + i, p) for i, p in enumerate(part)]) if sized else part
            if halved:
                seen = seen.reshape(len(seen), seen.shape[1] // 2, 2, seen.shape[2] // 2, 2, 3)  # n h 2 w 2 c
                seen = seen.mean((2, 4)).round().astype(np.uint8)
            with bf16(device_of(base.unet)):  # the cache is fp16 anyway
                cached[first : first + len(part)] = (encode_pictures(base.vae, seen) * base.config.vae.scale).numpy()
        cached.flush()
        partial.replace(file)
    return np.load(file)


def loss_weights(time: Tensor, gamma: float) -> Tensor:
    """Min-SNR weights min(SNR, γ) / SNR of the ε loss at training steps `time` [B]; ones for γ = 0."""
    snr = noise_levels()[time] ** -2
    return snr.clamp(max=gamma) / snr if gamma > 0 else torch.ones_like(snr)


class Batches:
    """Draws latents with captions and sizes."""

    def __init__(self, base: PocketBase, collection: Collection, latents: np.ndarray, dropout: float) -> None:
        self._base, self._collection, self._dropout = base, collection, dropout
        self._latents = torch.from_numpy(latents)
        self._share = latents.shape[-1] * base.config.vae.ratio / base.config.size  # of the full width
        self._whole = whole_picture(base.config)

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, list[Tensor], Tensor]:
        """(latents [B,4,h,w], token ids [B,77] for each text encoder, sizes [B,6]).

        Half of the sizes are counted in pixels, the others as the host counts them when nobody says.
        """
        chosen = torch.randint(len(self._latents), (batch,), generator=generator)
        seeds = torch.randint(2**31, (batch,), generator=generator).tolist()
        dropped = (torch.rand(batch, generator=generator) < self._dropout).tolist()
        pixels = torch.rand(batch, generator=generator) < 0.5
        prompts = [
            "" if empty else caption(self._collection.scene(index), random.Random(f"caption-{seed}"))
            for index, seed, empty in zip(chosen.tolist(), seeds, dropped, strict=True)
        ]
        side = self._base.config.size
        sizes = torch.tensor([size_conditions(index, self._whole, side) for index in chosen.tolist()])
        sizes[pixels] *= side / self._whole[0]
        sizes *= self._share
        return self._latents[chosen].float(), self._base.tokens(prompts), sizes


def train_base(
    base: PocketBase,
    collection: Collection,
    latents: np.ndarray,
    frame: str,
    recipe: BaseRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
    save_every: float = 420.0,
) -> int:
    """Train UNet and text encoders in place; at the end their weights are the moving average.

    latents: of whole pictures or of halved ones, see `cache_latents`.
    """
    device = device_of(base.unet)
    batches = Batches(base, collection, latents, recipe.dropout)
    pixels = base.config.size // latents.shape[-1]  # of the full picture, per latent pixel
    weight = F.avg_pool2d(feature_map(frame, base.config.size, recipe.features), pixels).to(device)
    weight = weight / weight.mean()
    levels = noise_levels().to(device)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        clean, tokens, sizes = batches.draw(recipe.batch, generator)
        noise = torch.randn(clean.shape, generator=generator)
        noise = noise + recipe.noise_offset * torch.randn(*clean.shape[:2], 1, 1, generator=generator)
        strata = (torch.arange(recipe.batch) + torch.rand(recipe.batch, generator=generator)) / recipe.batch
        time = (strata * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)
        share = loss_weights(time, recipe.min_snr).to(device)
        clean, noise, time = clean.to(device), noise.to(device), time.to(device)
        sigma = levels[time][:, None, None, None]
        noisy = (clean + sigma * noise) / (1 + sigma**2).sqrt()
        with bf16(device):
            prompted = base.encode_tokens([ids.to(device) for ids in tokens])
            found = base.predict(noisy, time, prompted, sizes.to(device))
        error = found.float() - noise
        errors = (weight * error.square()).mean((1, 2, 3))
        coarse = coarse_error(sigma * error)
        loss = (share * errors).mean() + recipe.coarse * coarse
        return {"loss": loss, "noise": errors.detach().mean(), "coarse": coarse.detach()}

    modules = {name: net for name, net in base.modules().items() if name != "vae"}
    return train(
        modules, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, save_every=save_every, on_save=on_save,
    )  # fmt: skip
