"""Training of the 4-channel auto-encoder on faces and upper bodies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..scene import FRAMES
from ..training.device import bf16, device_of
from ..training.loop import Budget, train
from ..training.vae import VaeRecipe, psnr, reconstruction_loss, to_pictures, to_tensor
from .config import AutoencoderConfig

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

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
class Source:
    """Pictures of one frame, and how many of the training steps take theirs from here."""

    frame: str
    pictures: np.ndarray
    share: float


def train_vae(
    vae: AutoencoderKL,
    sources: Sequence[Source],
    recipe: VaeRecipe,
    budget: Budget,
    checkpoint: Path,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train in place; at the end the weights are the moving average and scaled latents have unit deviation."""
    size, device = sources[0].pictures.shape[1], device_of(vae)
    weights = {source.frame: feature_map(source.frame, size, recipe.features).to(device) for source in sources}
    shares = torch.tensor([source.share for source in sources])

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        source = sources[int(torch.multinomial(shares, 1, generator=generator))]
        crop, batch = recipe.crop, recipe.batch
        if float(torch.rand((), generator=generator)) < recipe.whole:
            crop, batch = size, max(1, round(batch * (crop / size) ** 2))
        left, top = crop_corner(source.frame, size, crop, generator)
        chosen = torch.randint(len(source.pictures), (batch,), generator=generator).sort().values.numpy()
        wanted = to_tensor(source.pictures[chosen, top : top + crop, left : left + crop]).to(device)
        here = weights[source.frame][..., top : top + crop, left : left + crop]
        with bf16(device):
            latent = vae.encode(wanted, return_dict=False)[0]
            noise = torch.randn(latent.mean.shape, generator=generator).to(device)
            found = decode(vae, latent.mean + latent.std * noise).float()
        mean, log_variance = latent.mean.float(), latent.logvar.float()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        fit = reconstruction_loss(found, wanted, here, recipe)
        return {"loss": fit + recipe.kl * kl, "fit": fit, "kl": kl}

    steps = train(
        {"vae": vae}, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed, on_save=on_save,
    )  # fmt: skip
    some = np.concatenate([source.pictures[:: max(1, len(source.pictures) // 512)] for source in sources])
    fold_scale(vae, encode_pictures(vae, some))
    return steps


@torch.no_grad()
def fold_scale(vae: AutoencoderKL, latents: Tensor) -> None:
    """Change the auto-encoder in place so that each channel has mean 0 and deviation 1 / scaling factor.

    latents: [N,4,h,w] as they are now. The affine map goes into `quant_conv`, its inverse into `post_quant_conv`, both
    1 × 1 convolutions: pictures decode exactly as before.
    """
    flat = latents.double().transpose(0, 1).flatten(1)
    mean, std = flat.mean(1), flat.std(1)
    gain = 1 / (std * vae.config["scaling_factor"])
    into, out_of = vae.quant_conv, vae.post_quant_conv
    if into is None or out_of is None or into.bias is None or out_of.bias is None:
        raise ValueError("This auto-encoder has no 1 × 1 convolutions at its latents, so these cannot be scaled.")
    weight, bias = into.weight.double().cpu(), into.bias.double().cpu()
    weight[:4] *= gain[:, None, None, None]
    bias[:4] = (bias[:4] - mean) * gain
    bias[4:] += 2 * gain.log()  # log-variances of the scaled latents
    into.weight.copy_(weight)
    into.bias.copy_(bias)
    weight, bias = out_of.weight.double().cpu(), out_of.bias.double().cpu()
    out_of.bias.copy_(bias + weight[:, :, 0, 0] @ mean)
    out_of.weight.copy_(weight / gain[None, :, None, None])


@torch.no_grad()
def encode_pictures(vae: AutoencoderKL, pictures: np.ndarray, batch: int = 16) -> Tensor:
    """uint8 [N,H,W,3] → latent means [N,4,H/r,W/r], unscaled, in fp32, on the CPU."""
    device = device_of(vae)
    parts = [pictures[i : i + batch] for i in range(0, len(pictures), batch)]
    return torch.cat(
        [vae.encode(to_tensor(part).to(device), return_dict=False)[0].mean.float().cpu() for part in parts]
    )


def decode(vae: Any, latents: Tensor) -> Tensor:
    """Unscaled latents [N,4,h,w] → pictures [N,3,H,W]; `vae` is an AutoencoderKL, whose types are narrower than it."""
    return vae.decode(latents, return_dict=False)[0]


@torch.no_grad()
def decode_latents(vae: AutoencoderKL, latents: Tensor, batch: int = 16) -> np.ndarray:
    """Unscaled latents [N,4,h,w] → uint8 [N,H,W,3]."""
    device = device_of(vae)
    return np.concatenate([to_pictures(decode(vae, part.to(device))) for part in latents.split(batch)])


def vae_figures(vae: AutoencoderKL, held_out: dict[str, Collection]) -> dict[str, float]:
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
def with_preview(config: AutoencoderConfig, vae: AutoencoderKL, pictures: np.ndarray) -> AutoencoderConfig:
    """The config with the linear map from scaled latents to colours in −1…1 that fits these pictures best."""
    latents = encode_pictures(vae, pictures) * config.scale
    seen = F.avg_pool2d(to_tensor(pictures), config.ratio)
    known = torch.cat((latents.transpose(0, 1).flatten(1).T, torch.ones(latents[:, 0].numel(), 1)), dim=1)
    found = torch.linalg.lstsq(known, seen.transpose(0, 1).flatten(1).T).solution  # [5,3]
    red_green_blue = [(round(r, 4), round(g, 4), round(b, 4)) for r, g, b in found.tolist()]
    return replace(config, preview=tuple(red_green_blue))
