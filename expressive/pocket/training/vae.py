"""Training of the auto-encoder on drawn faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .. import still
from ..latents import fold_statistics
from .device import bf16, device_of
from .loop import Budget, Checkpoint, train
from .people import People

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_qwenimage import AutoencoderKLQwenImage

# Where a drawing has eyes with brows, and the mouth: left, top, right, bottom as shares of the picture.
EYES = (0.24, 0.32, 0.76, 0.56)
MOUTH = (0.32, 0.60, 0.68, 0.82)


@dataclass(frozen=True)
class VaeRecipe:
    batch: int = 16
    lr: float = 2e-3
    edges: float = 1.0  # weight of the multi-scale gradient loss
    colour: float = 3.0  # weight of the colour loss
    vivid: float = 10.0  # weight of the squared colour loss, for colours that are rare: green eyes, purple hair
    hues: float = 0.5  # share of steps on pictures of other hues, so that no colour is rare
    kl: float = 1e-4  # weight of the KL divergence, mean over latent elements
    features: float = 4.0  # extra weight of eyes and mouth
    average: float = 0.998
    crop: int = 64  # side of the crops that most steps train on: as many pixels as batch / 4 whole pictures
    whole: float = 0.15  # share of steps on whole pictures
    seed: int = 0


def feature_map(size: int, extra: float) -> Tensor:
    """[1,1,size,size]: 1, and 1 + extra at eyes and mouth with soft borders."""
    weight = torch.zeros(1, 1, size, size)
    for left, top, right, bottom in (EYES, MOUTH):
        weight[..., round(top * size) : round(bottom * size), round(left * size) : round(right * size)] = extra
    return 1 + F.avg_pool2d(F.pad(weight, [3, 3, 3, 3], mode="replicate"), 7, stride=1)


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 [B,H,W,3] → float [B,3,H,W] in −1…1, channels last."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pictures(pixels: Tensor) -> np.ndarray:
    """float [B,3,H,W] in −1…1 (clamped) → uint8 [B,H,W,3]."""
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def crop_corner(size: int, crop: int, generator: torch.Generator) -> tuple[int, int]:
    """Left and top of a crop: half of them anywhere, half with an eye or the mouth in their middle."""
    room = size - crop
    left, top = (int(x) for x in torch.randint(room + 1, (2,), generator=generator))
    if float(torch.rand((), generator=generator)) < 0.5:
        x, y = ((0.38, 0.44), (0.62, 0.44), (0.5, 0.71))[int(torch.randint(3, (), generator=generator))]
        jitter = torch.randint(-crop // 8, crop // 8 + 1, (2,), generator=generator)
        left, top = round(x * size - crop / 2) + int(jitter[0]), round(y * size - crop / 2) + int(jitter[1])
    return min(max(left, 0), room), min(max(top, 0), room)


def edges(pixels: Tensor) -> list[Tensor]:
    """Horizontal and vertical differences at scales 1, 2 and 4."""
    found = []
    for _ in range(3):
        found += [pixels[..., :, 1:] - pixels[..., :, :-1], pixels[..., 1:, :] - pixels[..., :-1, :]]
        pixels = F.avg_pool2d(pixels, 2)
    return found


def colour(pixels: Tensor, part: int = 4) -> Tensor:
    """[B,3,H,W] → red−green and yellow−blue [B,2,H/part,W/part], each averaged over part × part pixels."""
    red, green, blue = F.avg_pool2d(pixels, part).unbind(1)
    return torch.stack((red - green, (red + green) / 2 - blue), dim=1)


def other_hues(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """[B,3,H,W] in −1…1 → the same with the hues of each picture turned by an angle of its own; greys stay grey."""
    angle = 2 * math.pi * torch.rand(len(pixels), generator=generator).to(pixels.device)
    along = torch.full((3, 3), 1 / 3, device=pixels.device)  # of the grey axis
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=pixels.device) / math.sqrt(3)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    turned = cos * torch.eye(3, device=pixels.device) + sin * across + (1 - cos) * along  # Rodrigues
    return torch.einsum("bij,bjhw->bihw", turned, pixels).clamp(-1, 1)


def reconstruction_loss(
    found: Tensor, wanted: Tensor, weight: Tensor, edge_share: float, colour_share: float, vivid_share: float = 0.0
) -> Tensor:
    """Charbonnier, edge and colour losses, weighted by `weight` [1,1,H,W] and, per picture, by 1 / features' contrast.

    Without the second weight dark skin, whose features differ from it by little, would be drawn softer than fair skin.
    Without the squares of colours, those that few pictures have would all become grey: a mean of absolute errors
    prefers what is right most of the time.
    """
    inside = (weight > 1.5).expand(1, 3, -1, -1)
    if not bool(inside.any()):  # a crop beside the face
        inside = torch.ones_like(inside)
    contrast = wanted[:, inside[0]].std(dim=1)  # [B]
    per_picture = (contrast.mean() / contrast.clamp(min=0.05)).clamp(0.5, 2.5)[:, None, None, None]
    scale = weight * per_picture / weight.mean()
    loss = (scale * ((found - wanted).square() + 1e-4).sqrt()).mean()
    scales = [scale, scale, *[F.avg_pool2d(scale, 2)] * 2, *[F.avg_pool2d(scale, 4)] * 2]
    loss = loss + colour_share * (F.avg_pool2d(scale, 4) * (colour(found) - colour(wanted)).abs()).mean()
    squares = (colour(found, 2) - colour(wanted, 2)).square()
    loss = loss + vivid_share * (F.avg_pool2d(scale, 2) * squares).mean()
    for a, b, s in zip(edges(found), edges(wanted), scales, strict=True):
        loss = loss + edge_share / 3 * (s[..., : a.shape[-2], : a.shape[-1]] * (a - b).abs()).mean()
    return loss


def train_vae(
    vae: AutoencoderKLQwenImage,
    people: People,
    recipe: VaeRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
    *,
    decoder_only: bool = False,
) -> int:
    """Train in place; at the end the weights are the moving average and the latents have the Wan 2.1 statistics.

    decoder_only: the encoder, and with it what a transformer knows of the latents, stays as it is.
    """
    flat = people.pictures.reshape(-1, *people.pictures.shape[2:])
    size = flat.shape[1]
    device = device_of(vae)
    weight = feature_map(size, recipe.features).to(device)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        crop, batch = recipe.crop, recipe.batch
        if float(torch.rand((), generator=generator)) < recipe.whole:
            crop, batch = size, max(1, round(batch * (crop / size) ** 2))
        left, top = crop_corner(size, crop, generator)
        chosen = torch.randint(len(flat), (batch,), generator=generator).sort().values.numpy()
        wanted = to_tensor(flat[chosen, top : top + crop, left : left + crop]).to(device)
        if float(torch.rand((), generator=generator)) < recipe.hues:
            wanted = other_hues(wanted, generator)
        here = weight[..., top : top + crop, left : left + crop]
        with bf16(device):
            with torch.set_grad_enabled(not decoder_only):
                moments = still.encode(vae, wanted).float()
            mean, log_variance = moments[:, :16], moments[:, 16:].clamp(-14, 4)
            noise = torch.randn(mean.shape, generator=generator).to(device)
            found = still.decode(vae, mean + noise * (0.5 * log_variance).exp()).float()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        fit = reconstruction_loss(found, wanted, here, recipe.edges, recipe.colour, recipe.vivid)
        return {"loss": fit + recipe.kl * kl, "fit": fit, "kl": kl}

    decoder = {"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv}
    steps = train(
        decoder if decoder_only else {"vae": vae}, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, on_save=on_save,
    )  # fmt: skip
    if not decoder_only:
        mean, std = latent_statistics(vae, flat[:: max(1, len(flat) // 1024)])
        fold_statistics(vae, mean, std)
    return steps


@torch.no_grad()
def encode_pictures(vae: AutoencoderKLQwenImage, pictures: np.ndarray, batch: int = 32) -> Tensor:
    """uint8 [N,H,W,3] → latent means [N,16,H/8,W/8], in fp32 (or the surrounding autocast's type), on the CPU."""
    device = device_of(vae)
    parts = [pictures[i : i + batch] for i in range(0, len(pictures), batch)]
    return torch.cat([still.encode(vae, to_tensor(part).to(device))[:, :16].cpu() for part in parts])


@torch.no_grad()
def decode_latents(vae: AutoencoderKLQwenImage, latents: Tensor, batch: int = 32) -> np.ndarray:
    """Latents [N,16,h,w] → uint8 [N,8h,8w,3]."""
    device = device_of(vae)
    return np.concatenate([to_pictures(still.decode(vae, part.to(device))) for part in latents.split(batch)])


def latent_statistics(vae: AutoencoderKLQwenImage, pictures: np.ndarray) -> tuple[Tensor, Tensor]:
    """Per-channel mean [16] and standard deviation [16] of the latents of these pictures."""
    latents = encode_pictures(vae, pictures).double().transpose(0, 1).flatten(1)
    return latents.mean(1), latents.std(1)


def psnr(found: np.ndarray, wanted: np.ndarray, box: tuple[float, float, float, float] | None = None) -> float:
    """Mean peak signal-to-noise ratio in dB of uint8 [N,H,W,3], within a box of shares (default: everywhere)."""
    left, top, right, bottom = (round(x * wanted.shape[1]) for x in box or (0, 0, 1, 1))
    difference = found[:, top:bottom, left:right].astype(np.float64) - wanted[:, top:bottom, left:right]
    return float(np.mean(20 * np.log10(255 / np.sqrt(np.maximum(np.square(difference).mean((1, 2, 3)), 1e-6)))))


def vae_figures(vae: AutoencoderKLQwenImage, held_out: People) -> dict[str, float]:
    """PSNR in dB on people that were never trained on: whole picture, eyes, mouth."""
    flat = held_out.pictures.reshape(-1, *held_out.pictures.shape[2:])
    again = decode_latents(vae, encode_pictures(vae, flat))
    return {"psnr": psnr(again, flat), "psnr_eyes": psnr(again, flat, EYES), "psnr_mouth": psnr(again, flat, MOUTH)}
