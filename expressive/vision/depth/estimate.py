"""Depth of pictures and clips by diffusers' own MarigoldDepthPipeline.

From the papers and from diffusers' guide to Marigold: the denoising, the ensemble and its alignment (all the
pipeline's), the same noise for every frame, and a share of the last frame's latent in it. Ours: that this keeps the
noise's variance, so that the network sees as much noise as it was trained with, and `clip.aligned` afterwards.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from .clip import aligned
from .folder import Marigold
from .maps import DepthMaps

SMOOTHING = 0.1
"""The share that diffusers' guide takes of the last frame's latent."""


def estimate(
    marigold: Marigold,
    pictures: Tensor,
    *,
    steps: int = 0,
    ensemble: int = 1,
    resolution: int = 0,
    seed: int = 0,
    clip: bool = False,
    smoothing: float = SMOOTHING,
    between: Callable[[], None] = lambda: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DepthMaps:
    """Depth of pictures [F,H,W,C] in 0…1, whose first three channels are red, green and blue.

    steps: of denoising; resolution: pixels of the longer side that the network sees, rounded down to what it takes;
    0 for either: what the model asks for. ensemble: predictions that are brought together, by their median. clip: the
    pictures are frames of one clip, see above; else each is taken for itself, and its depth does not depend on the
    others. smoothing: 0…1, of clips. Every picture gets the same noise, which `seed` alone decides.
    between: called before every layer; what it raises stops the work. progress: (done, total) passes of the network.
    Raises ValueError for pictures or settings that cannot be, and where the result is not a number.
    """
    _check(pictures, steps, ensemble, resolution, smoothing)
    steps, resolution = steps or marigold.steps, resolution or marigold.resolution
    schedule = marigold.scheduler.config
    most = schedule.get("original_inference_steps") or schedule.num_train_timesteps  # the first of LCM alone
    if steps > most:
        raise ValueError(f"{marigold.name} takes at most {most} steps of denoising, but here are {steps}.")
    resolution = max(marigold.ratio, resolution - resolution % marigold.ratio)
    pictures = pictures[..., :3].detach().float().cpu().clamp(0, 1)
    generator = torch.Generator().manual_seed(seed)
    shape = latent_size((pictures.shape[1], pictures.shape[2]), resolution, marigold.ratio)
    noise = torch.randn(ensemble, marigold.channels, *shape, generator=generator)
    drawn = generator.get_state()
    pipeline = marigold.pipeline(generator)
    done, total = 0, len(pictures) * ensemble * steps

    def count() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    found, previous = [], None
    with _watched(marigold, between, count):
        for picture in pictures.split(1):
            between()
            generator.set_state(drawn)  # a scheduler that adds noise adds the same to every picture
            latents = blended(noise, previous, smoothing) if clip else noise
            answer = pipeline(
                picture.movedim(-1, 1),  # 1 h w 3 → 1 3 h w
                num_inference_steps=steps,
                ensemble_size=ensemble,
                processing_resolution=resolution,
                latents=latents.to(marigold.device, marigold.dtype),
                output_type="pt",
                output_latent=True,
            )
            previous = answer.latent.float().cpu()  # [E,C,h,w]
            found.append(answer.prediction[:, 0].float().cpu())  # [1,H,W]
    depth = torch.cat(found)
    if not bool(depth.isfinite().all()):
        raise ValueError(f"The depth by {marigold.name} is not a number. Load the model in bf16 or fp32.")
    depth = 1 - depth if marigold.disparity else depth
    return DepthMaps.of(aligned(depth, pictures) if clip else depth, clip)


def blended(noise: Tensor, previous: Tensor | None, share: float) -> Tensor:
    """Where a frame's denoising begins: noise [E,C,h,w] with a share of the last frame's latents [E,C,h,w].

    diffusers' guide adds (1 − share) of the noise; √(1 − share²) keeps the variance of both.
    """
    if previous is None or share == 0:
        return noise
    return (1 - share**2) ** 0.5 * noise + share * previous


def latent_size(picture: tuple[int, int], resolution: int, ratio: int) -> tuple[int, int]:
    """Height and width of the latents of a picture (height, width), as the pipeline scales and pads it.

    Raises ValueError for a picture that is far longer than it is wide, or the other way round.
    """
    longer = max(picture)
    height, width = (side * resolution // longer for side in picture)
    if min(height, width) == 0:
        raise ValueError(
            f"A picture of {picture[1]} × {picture[0]} pixels is too narrow to be seen at {resolution}. Crop it, or "
            "raise the processing resolution."
        )
    return -(-height // ratio), -(-width // ratio)


@contextlib.contextmanager
def _watched(marigold: Marigold, between: Callable[[], None], count: Callable[[], None]) -> Iterator[None]:
    """Inside, `between` is called before each layer of both networks, and `count` after each pass of the UNet."""

    def before(module: nn.Module, inputs: object) -> None:
        between()

    def after(module: nn.Module, inputs: object, output: object) -> None:
        count()

    layers = [layer for network in (marigold.unet, marigold.vae) for layer in _layers(network)]
    handles = [layer.register_forward_pre_hook(before) for layer in layers]
    handles.append(marigold.unet.register_forward_hook(after))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layers(network: nn.Module) -> Sequence[nn.Module]:
    """Blocks, and what they are made of."""
    lists = [module for module in network.modules() if isinstance(module, (nn.ModuleList, nn.Sequential))]
    return [layer for each in lists for layer in each if layer is not None]


def _check(pictures: Tensor, steps: int, ensemble: int, resolution: int, smoothing: float) -> None:
    if pictures.ndim != 4 or pictures.shape[-1] < 3 or 0 in pictures.shape:
        raise ValueError(
            f"Depth is found in pictures [batch, height, width, 3], but here they have {list(pictures.shape)}. Connect "
            "coloured pictures."
        )
    if not bool(pictures.isfinite().all()):
        raise ValueError("The pictures hold NaN or infinite numbers, so no depth can be found in them.")
    if steps < 0 or ensemble < 1 or resolution < 0 or not 0 <= smoothing <= 1:
        raise ValueError(
            "Steps and processing resolution are 0 or more, the ensemble 1 or more, and smoothing is 0 to 1, but they "
            f"are {steps}, {resolution}, {ensemble} and {smoothing}."
        )
