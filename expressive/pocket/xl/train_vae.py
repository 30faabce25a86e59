"""Training of the 4-channel auto-encoder on faces and upper bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..scene import FRAMES
from ..training.device import bf16, device_of
from ..training.loop import Budget, Checkpoint, train
from ..training.vae import psnr, reconstruction_loss, to_pictures, to_tensor
from .autoencoder import PocketAutoencoder
from .config import AutoencoderConfig

if TYPE_CHECKING:
    from ..training.collection import Collection

# left, top, right, bottom in drawing units: the face, eyes with brows, the mouth
FACE = (32.0, 34.0, 96.0, 106.0)
EYES = (34.5, 44.0, 93.5, 71.0)
MOUTH = (43.5, 75.0, 84.5, 101.0)

Box = tuple[float, float, float, float]


def share_box(box: Box, frame: str) -> Box:
    """A box in drawing units → shares of the picture that shows this frame."""
    left, top, side = FRAMES[frame]
    return (box[0] - left) / side, (box[1] - top) / side, (box[2] - left) / side, (box[3] - top) / side


def feature_map(frame: str, size: int, extra: float) -> Tensor:
    """[1,1,size,size]: 1, and 1 + extra at eyes and mouth with soft borders."""
    weight = torch.zeros(1, 1, size, size)
    for box in (EYES, MOUTH):
        left, top, right, bottom = (round(share * size) for share in share_box(box, frame))
        weight[..., top:bottom, left:right] = extra
    return 1 + F.avg_pool2d(F.pad(weight, [3, 3, 3, 3], mode="replicate"), 7, stride=1)


def crop_corner(frame: str, size: int, crop: int, generator: torch.Generator) -> tuple[int, int]:
    """Left and top of a crop: half of them anywhere, half with an eye or the mouth near their middle."""
    room = size - crop
    chance, jitter_x, jitter_y, x, y = torch.rand(5, generator=generator).tolist()
    if chance < 0.5:
        return round(x * room), round(y * room)
    left, top, right, bottom = share_box((EYES, MOUTH)[chance < 0.7], frame)
    across = 0.25 if x < 0.5 else 0.75
    centre_x, centre_y = left + across * (right - left), (top + bottom) / 2
    corner_x = round(centre_x * size - crop / 2 + (jitter_x - 0.5) * crop / 4)
    corner_y = round(centre_y * size - crop / 2 + (jitter_y - 0.5) * crop / 4)
    return min(max(corner_x, 0), room), min(max(corner_y, 0), room)


@dataclass(frozen=True)
class AutoencoderRecipe:
    batch: int = 4
    lr: float = 3e-3
    edges: float = 1.0  # weight of the multi-scale gradient loss
    colour: float = 1.0  # weight of the colour loss
    features: float = 3.0  # extra weight of eyes and mouth
    noise: float = 0.1  # deviation of the noise on latents, as a share of theirs: neighbours decode alike
    halved: float = 0.3  # share of steps in which halved latents have to decode to halved pictures
    small: float = 1e-4  # weight of the latents' mean square
    average: float = 0.998
    crop: int = 64  # side of the crops that it learns from
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """Pictures of one frame, and how many of the training steps take theirs from here."""

    frame: str
    pictures: np.ndarray
    share: float


def train_vae(
    vae: PocketAutoencoder,
    sources: Sequence[Source],
    recipe: AutoencoderRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train in place; at the end the weights are the moving average and latents have their mean and deviation.

    Halved latents decode to halved pictures (EQ-VAE, Kouzelis et al., 2025): without that, fine patterns in the latents
    mean something, and a diffusion model is slow to learn them.
    """
    size, device = sources[0].pictures.shape[1], device_of(vae)
    weights = {source.frame: feature_map(source.frame, size, recipe.features).to(device) for source in sources}
    shares = torch.tensor([source.share for source in sources])

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        source = sources[int(torch.multinomial(shares, 1, generator=generator))]
        crop = recipe.crop
        left, top = crop_corner(source.frame, size, crop, generator)
        chosen = torch.randint(len(source.pictures), (recipe.batch,), generator=generator).sort().values.numpy()
        wanted = to_tensor(source.pictures[chosen, top : top + crop, left : left + crop]).to(device)
        here = weights[source.frame][..., top : top + crop, left : left + crop]
        with bf16(device):
            latent = vae.encode(wanted)
            spread = latent.detach().std((0, 2, 3), keepdim=True)
            if float(torch.rand((), generator=generator)) < recipe.halved:
                latent, wanted, here = (F.avg_pool2d(x, 2) for x in (latent, wanted, here))
            noise = torch.randn(latent.shape, generator=generator).to(device)
            found = vae.decode(latent + recipe.noise * spread * noise).float()
        fit = reconstruction_loss(found, wanted, here, recipe.edges, recipe.colour)
        size_of = latent.float().square().mean()
        return {"loss": fit + recipe.small * size_of, "fit": fit, "size": size_of}

    steps = train(
        {"vae": vae}, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, on_save=on_save,
    )  # fmt: skip
    some = np.concatenate([source.pictures[:: max(1, len(source.pictures) // 512)] for source in sources])
    vae.statistics(encode_pictures(vae, some))
    return steps


@torch.no_grad()
def encode_pictures(vae: PocketAutoencoder, pictures: np.ndarray, batch: int = 16) -> Tensor:
    """uint8 [N,H,W,3] → latents [N,4,H/r,W/r], unscaled, in fp32, on the CPU."""
    device = device_of(vae)
    parts = [pictures[i : i + batch] for i in range(0, len(pictures), batch)]
    return torch.cat([vae.encode(to_tensor(part).to(device)).float().cpu() for part in parts])


@torch.no_grad()
def decode_latents(vae: PocketAutoencoder, latents: Tensor, batch: int = 16) -> np.ndarray:
    """Unscaled latents [N,4,h,w] → uint8 [N,H,W,3]."""
    device = device_of(vae)
    return np.concatenate([to_pictures(vae.decode(part.to(device))) for part in latents.split(batch)])


def vae_figures(vae: PocketAutoencoder, held_out: dict[str, Collection]) -> dict[str, float]:
    """PSNR in dB on people that were never trained on, for each frame: whole picture, face box, eyes, mouth."""
    figures = {}
    for frame, collection in held_out.items():
        wanted = np.array(collection.pictures)
        found = decode_latents(vae, encode_pictures(vae, wanted))
        figures[f"{frame}_psnr"] = psnr(found, wanted)
        for name, box in {"face": FACE, "eyes": EYES, "mouth": MOUTH}.items():
            figures[f"{frame}_psnr_{name}"] = psnr(found, wanted, share_box(box, frame))
    return figures


@torch.no_grad()
def with_preview(config: AutoencoderConfig, vae: PocketAutoencoder, pictures: np.ndarray) -> AutoencoderConfig:
    """The config with the linear map from scaled latents to colours in −1…1 that fits these pictures best."""
    latents = encode_pictures(vae, pictures) * config.scale
    seen = F.avg_pool2d(to_tensor(pictures), config.ratio)
    known = torch.cat((latents.transpose(0, 1).flatten(1).T, torch.ones(latents[:, 0].numel(), 1)), dim=1)
    found = torch.linalg.lstsq(known, seen.transpose(0, 1).flatten(1).T).solution  # [5,3]
    red_green_blue = [(round(r, 4), round(g, 4), round(b, 4)) for r, g, b in found.tolist()]
    return replace(config, preview=tuple(red_green_blue))
