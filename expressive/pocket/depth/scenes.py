"""Drawn people with the true depth of every pixel, as arrays on disk."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..scene import Scene, picture
from ..scene.truth import truth
from ..xl.scenes import body_scene, face_scene, held_out_body, held_out_face

QUANTILES = (2.0, 98.0)
"""Percent of a picture's depth that become −1 and 1 (Marigold, §3.3)."""
_WATCHED = 12  # scenes whose pixels and depth name the cache


@dataclass(frozen=True)
class DepthPairs:
    """N pictures, read from disk as needed. pictures: uint8 [N,S,S,3]. depth: float16 [N,S,S], as in `Truth`."""

    pictures: np.ndarray
    depth: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)


def depth_scene(index: int) -> Scene:
    """Scene `index` to train on: faces and upper bodies in turn."""
    return (body_scene if index % 2 else face_scene)(index // 2)


def held_out_scene(index: int) -> Scene:
    """Scene `index` of people that are never trained on: faces and upper bodies in turn."""
    return (held_out_body if index % 2 else held_out_face)(index // 2)


def normalised(depth: np.ndarray) -> np.ndarray:
    """Depth [H,W] → float32 [H,W] in −1…1: an affine map of QUANTILES, and what is beyond them cut off."""
    low, high = np.percentile(depth.astype(np.float32), QUANTILES)
    return np.clip(2 * (depth.astype(np.float32) - low) / max(high - low, 1e-6) - 1, -1, 1).astype(np.float32)


def load_pairs(
    name: str, plan: Callable[[int], Scene], count: int, cache: Path, *, size: int = 128, workers: int = 2
) -> DepthPairs:
    """Draw scenes plan(0) … plan(count − 1), or read them from `cache` where just these have been drawn before.

    plan: a function at the top level of a module, since worker processes call it.
    """
    draw = partial(_drawn, plan, size)
    folder = cache / f"{name}-{count}-{_digest(draw, count)}"
    if not (folder / "done").is_file():
        drawn = folder.with_name(f"{folder.name}.{os.getpid()}")  # two trainings may want the same at once
        drawn.mkdir(parents=True, exist_ok=True)
        pictures = np.lib.format.open_memmap(
            drawn / "pictures.npy", mode="w+", dtype=np.uint8, shape=(count, size, size, 3)
        )
        depth = np.lib.format.open_memmap(drawn / "depth.npy", mode="w+", dtype=np.float16, shape=(count, size, size))
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            rows = tqdm(pool.imap(draw, range(count), chunksize=16), total=count, desc=f"drawing {name}")
            for index, (pixels, far) in enumerate(rows):
                pictures[index], depth[index] = pixels, far
        pictures.flush()
        depth.flush()
        (drawn / "done").touch()
        if folder.is_dir():  # cut off in an earlier version, or the other was quicker
            shutil.rmtree(folder)
        drawn.rename(folder)
    return DepthPairs(*(np.load(folder / f"{key}.npy", mmap_mode="r") for key in ("pictures", "depth")))


def _drawn(plan: Callable[[int], Scene], size: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    scene = plan(index)
    return picture(scene, size), truth(scene, size).depth.astype(np.float16)


def _digest(draw: Callable[[int], tuple[np.ndarray, np.ndarray]], count: int) -> str:
    """Changes with how some scenes spread over the plan come out."""
    digest = hashlib.sha256()
    for index in itertools.islice(range(0, count, max(1, count // _WATCHED)), _WATCHED):
        for array in draw(index):
            digest.update(str(array.shape).encode() + array.tobytes())
    return digest.hexdigest()[:12]
