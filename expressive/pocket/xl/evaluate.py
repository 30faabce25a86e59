"""Pictures of a base to look at and to be judged: of prompts, and of the captions of people that it never saw."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..captions import caption, full_caption
from ..scene import Scene, picture
from ..training.device import bf16, device_of
from ..training.vae import to_pictures
from .model import PocketBase
from .scenes import EXPRESSIONS, held_out_body, held_out_face

SITTERS = (
    "photorealistic portrait of a young white woman, {} expression, long and straight red hair, no glasses",
    "flat cartoon of a middle aged black man, {} expression, round glasses, hair short and spiky",
)


@torch.no_grad()
def generate(
    base: PocketBase, prompts: Sequence[str], seeds: Sequence[int], steps: int = 12, cfg: float = 4.0, batch: int = 16
) -> np.ndarray:
    """Pictures uint8 [N,S,S,3] of prompts, each from the noise of its own seed."""
    device, side = device_of(base.unet), base.config.size // base.config.vae.ratio
    made = []
    for first in range(0, len(prompts), batch):
        part = seeds[first : first + batch]
        noise = torch.stack([torch.randn(4, side, side, generator=torch.Generator().manual_seed(s)) for s in part])
        with bf16(device):
            prompted = base.encode_prompts(prompts[first : first + batch])
            latents = base.sample(prompted, noise.to(device), steps, cfg)
        made.append(to_pictures(base.decode(latents)))
    return np.concatenate(made)


def held_out_scenes(frame: str, count: int) -> list[Scene]:
    """Scenes of people that are never trained on."""
    return [(held_out_face if frame == "face" else held_out_body)(index) for index in range(count)]


def sheet(base: PocketBase, frame: str, steps: int = 12, people: int = 13) -> list[np.ndarray]:
    """Rows of up to 13: drawn held-out people, pictures of their captions, each sitter with neutral and the 12."""
    scenes = held_out_scenes(frame, people)
    captions = [caption(scene, random.Random(f"sheet-{index}")) for index, scene in enumerate(scenes)]
    rows = [np.stack([picture(scene, base.config.size) for scene in scenes])]
    rows.append(generate(base, captions, range(people), steps))
    words = EXPRESSIONS[:people]
    rows += [generate(base, [sitter.format(word) for word in words], [7] * len(words), steps) for sitter in SITTERS]
    return rows


def figures(
    base: PocketBase,
    frame: str,
    judge: Callable[[np.ndarray, Sequence[Scene]], dict[str, float]] | None = None,
    count: int = 104,
    steps: int = 12,
) -> dict[str, float]:
    """Figures over captions of held-out people that name all there is to name.

    judge: reads pictures [N,S,S,3] beside the scenes that they are of.

    seconds_per_picture: with guidance and decoding, in batches of 16, on this machine.
    """
    scenes = held_out_scenes(frame, count)
    captions = [full_caption(scene) for scene in scenes]
    start = time.monotonic()
    pictures = generate(base, captions, range(count), steps)
    found = {"pictures": float(count), "steps": float(steps), "seconds_per_picture": (time.monotonic() - start) / count}
    return found | (judge(pictures, scenes) if judge is not None else {})
