"""Training of the pocket Marigold: the auto-encoder's decoder on depth maps, then the UNet on latents of both.

Marigold trains the UNet alone, since Stable Diffusion's decoder has seen everything. PocketXL's has seen drawings of
people and nothing else, so that it first learns to decode depth; the encoder stays, and with it what the UNet knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..training.device import bf16, device_of
from ..training.loop import Budget, Checkpoint, train
from ..training.vae import edges, to_tensor
from .autoencoder import DepthAutoencoder
from .model import scheduler
from .scenes import DepthPairs, normalised

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

_ENCODED = 32  # pictures at a time


@dataclass(frozen=True)
class DepthRecipe:
    batch: int = 8
    lr: float = 1e-3
    first: float = 0.25  # share of pictures at the step of pure noise, from which every estimate begins
    average: float = 0.999
    decoder: float = 0.12  # share of the time that the decoder is trained
    decoder_batch: int = 8
    decoder_lr: float = 1e-3
    crop: int = 64  # side of the crops that the decoder learns from
    noise: float = 0.1  # on the decoder's latents, as a share of their deviation: the UNet's are not exact
    seed: int = 0


def depth_pictures(depth: np.ndarray) -> Tensor:
    """Depth [B,H,W] → what the auto-encoder sees: each normalised, three times the same, [B,3,H,W] in −1…1."""
    each = torch.from_numpy(np.stack([normalised(one) for one in depth]))
    return each[:, None].expand(-1, 3, -1, -1)


@torch.no_grad()
def cache_latents(vae: DepthAutoencoder, pairs: DepthPairs, file: Path) -> np.ndarray:
    """Scaled latents fp16 [N,8,h,w] of pictures and depth, encoded once; read from `file` if it is there."""
    if not file.is_file():
        count, side = len(pairs), pairs.pictures.shape[1] // vae.shape.ratio
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished, device = file.with_suffix(".partial"), device_of(vae)
        cached = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.float16, shape=(count, 8, side, side))
        for first in tqdm(range(0, count, _ENCODED), desc="encoding pictures and depth"):
            last = min(first + _ENCODED, count)
            both = (to_tensor(pairs.pictures[first:last]), depth_pictures(pairs.depth[first:last]))
            with bf16(device):
                latents = torch.cat([vae.encode(each.to(device)).latents for each in both], dim=1)
            cached[first:last] = (latents.float() * vae.shape.scale).cpu().numpy()
        cached.flush()
        unfinished.replace(file)
    return np.load(file)


def train_decoder(
    vae: DepthAutoencoder,
    pairs: DepthPairs,
    latents: np.ndarray,
    recipe: DepthRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
) -> int:
    """Train the decoder in place, on crops; latents: of `cache_latents`. Returns the number of steps done."""
    device, ratio = device_of(vae), vae.shape.ratio
    side = pairs.depth.shape[1]
    crop = min(recipe.crop, side)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        chosen = torch.randint(len(pairs), (recipe.decoder_batch,), generator=generator).sort().values.numpy()
        left, top = (ratio * torch.randint((side - crop) // ratio + 1, (2,), generator=generator)).tolist()
        wanted = depth_pictures(pairs.depth[chosen])[..., top : top + crop, left : left + crop].to(device)
        rows, columns = slice(top // ratio, (top + crop) // ratio), slice(left // ratio, (left + crop) // ratio)
        clean = torch.from_numpy(latents[chosen, 4:, rows, columns]).float()
        noisy = clean + recipe.noise * torch.randn(clean.shape, generator=generator)
        with bf16(device):
            found = vae.decode(noisy.to(device) / vae.shape.scale)[0].float()
        sharp = torch.stack([(a - b).abs().mean() for a, b in zip(edges(found), edges(wanted), strict=True)]).mean()
        level = (found - wanted).abs().mean()
        return {"loss": level + sharp, "level": level, "edges": sharp}

    vae.net.decoder.requires_grad_(True)
    steps = train(
        {"decoder": vae.net.decoder}, loss_of, budget, checkpoint,
        lr=recipe.decoder_lr, average=recipe.average, seed=recipe.seed,
    )  # fmt: skip
    vae.net.decoder.requires_grad_(False)
    return steps


def train_unet(
    unet: UNet2DConditionModel,
    states: Tensor,
    latents: np.ndarray,
    recipe: DepthRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train in place: v-prediction of noisy depth latents, beside the picture's. Returns the number of steps done.

    states: [2,D] of the empty prompt. latents: of `cache_latents`.
    """
    device = device_of(unet)
    schedule: Any = scheduler()  # diffusers says that it takes none but IntTensor
    last = schedule.config["num_train_timesteps"] - 1
    known = torch.from_numpy(latents)
    context = states.to(device)[None].expand(recipe.batch, -1, -1)
    pure = round(recipe.first * recipe.batch)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        chosen = torch.randint(len(known), (recipe.batch,), generator=generator)
        seen, clean = known[chosen].float().to(device).chunk(2, dim=1)  # b (2 4) h w → b 4 h w, twice
        noise = torch.randn(clean.shape, generator=generator).to(device)
        spread = recipe.batch - pure
        strata = (torch.arange(spread) + torch.rand(spread, generator=generator)) / max(1, spread)
        time = torch.cat(((strata * (last + 1)).long().clamp(max=last), torch.full((pure,), last))).to(device)
        noisy, wanted = schedule.add_noise(clean, noise, time), schedule.get_velocity(clean, noise, time)
        with bf16(device):
            found = unet(torch.cat((seen, noisy), dim=1), time, context, return_dict=False)[0]
        errors = (found.float() - wanted).square().mean((1, 2, 3))
        told = {"pure": errors[spread:].detach().mean()} if pure else {}
        return {"loss": errors.mean(), **told}

    unet.requires_grad_(True)
    steps = train(
        {"unet": unet}, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, on_save=on_save,
    )  # fmt: skip
    unet.requires_grad_(False)
    return steps


@torch.no_grad()
def again(vae: DepthAutoencoder, depth: np.ndarray) -> Tensor:
    """Depth [N,H,W] encoded and decoded: float32 [N,H,W] in 0…1 of its normalised range, the best that is possible."""
    device = device_of(vae)
    found = []
    for part in np.array_split(depth, max(1, len(depth) // _ENCODED)):
        decoded = vae.decode(vae.encode(depth_pictures(part).to(device)).latents)[0]
        found.append((decoded.float().mean(1).clamp(-1, 1).cpu() + 1) / 2)
    return torch.cat(found)
