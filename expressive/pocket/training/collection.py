"""Many scenes drawn once, with what is true of them, as arrays on disk."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...emotion import vocabulary
from ..scene import STYLES, Scene, picture
from ..scene.truth import LANDMARKS, truth

DEPTH = 32  # side of the stored depth maps
_WATCHED = 12  # scenes whose pixels and truth name the cache

ACTION_UNITS: tuple[str, ...] = tuple(
    sorted({code for word in (*vocabulary.emo135(), *vocabulary.pixelsmile()) for code in word.action_units})
)
"""The FACS codes that the emotion words use: the order of `Collection.action_units`."""


@dataclass(frozen=True)
class Collection:
    """N drawn pictures; the arrays are on disk and read as needed.

    pictures: uint8 [N,S,S,3]. identity: int64 [N], the seed. style: int64 [N], index into STYLES.
    With truth, else empty: landmarks float16 [N,553,3]; intensities float32 [N,12]; action_units float32
    [N, len(ACTION_UNITS)]; label int64 [N], index into the 135 words or −1; depth float16 [N,32,32]; face_box
    float32 [N,4].
    """

    plan: Callable[[int], Scene]
    pictures: np.ndarray
    identity: np.ndarray
    style: np.ndarray
    landmarks: np.ndarray
    intensities: np.ndarray
    action_units: np.ndarray
    label: np.ndarray
    depth: np.ndarray
    face_box: np.ndarray

    def scene(self, index: int) -> Scene:
        """The scene that picture `index` shows."""
        return self.plan(index)

    def __len__(self) -> int:
        return len(self.pictures)


def load_collection(
    name: str,
    plan: Callable[[int], Scene],
    count: int,
    cache: Path,
    *,
    size: int = 128,
    with_truth: bool = True,
    workers: int = 2,
) -> Collection:
    """Draw scenes plan(0) … plan(count − 1), or read them from `cache` where just these have been drawn before.

    plan: a function at the top level of a module (or a partial of one), since worker processes call it.
    """
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "pictures": ((count, size, size, 3), np.uint8),
        "identity": ((count,), np.int64),
        "style": ((count,), np.int64),
    }
    truths: dict[str, tuple[tuple[int, ...], type]] = {
        "landmarks": ((count, LANDMARKS, 3), np.float16),
        "intensities": ((count, 12), np.float32),
        "action_units": ((count, len(ACTION_UNITS)), np.float32),
        "label": ((count,), np.int64),
        "depth": ((count, DEPTH, DEPTH), np.float16),
        "face_box": ((count, 4), np.float32),
    }
    shapes.update(truths if with_truth else {key: ((0, *shape[1:]), kind) for key, (shape, kind) in truths.items()})
    draw = _Draw(plan, size, with_truth)
    folder = cache / f"{name}-{count}-{_digest(draw, count)}"
    if not (folder / "done").is_file():
        drawn = folder.with_name(f"{folder.name}.{os.getpid()}")  # two trainings may want the same at once
        drawn.mkdir(parents=True, exist_ok=True)
        arrays = {
            key: np.lib.format.open_memmap(drawn / f"{key}.npy", mode="w+", dtype=kind, shape=shape)
            for key, (shape, kind) in shapes.items()
        }
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            rows = tqdm(pool.imap(draw, range(count), chunksize=16), total=count, desc=f"drawing {name}")
            for index, row in enumerate(rows):
                for key, value in row.items():
                    arrays[key][index] = value
        for array in arrays.values():
            array.flush()
        (drawn / "done").touch()
        if folder.is_dir():  # cut off in an earlier version, or the other was quicker
            shutil.rmtree(folder)
        drawn.rename(folder)
    return Collection(plan, **{key: np.load(folder / f"{key}.npy", mmap_mode="r") for key in shapes})


@dataclass(frozen=True)
class _Draw:
    plan: Callable[[int], Scene]
    size: int
    with_truth: bool

    def __call__(self, index: int) -> dict[str, np.ndarray | int]:
        scene = self.plan(index)
        row: dict[str, np.ndarray | int] = {
            "pictures": picture(scene, self.size),
            "identity": scene.identity.seed,
            "style": STYLES.index(scene.style),
        }
        if self.with_truth:
            known = truth(scene, self.size)
            units = known.action_units
            row |= {
                "landmarks": known.landmarks.astype(np.float16),
                "intensities": known.intensities,
                "action_units": np.array([units.get(code, 0.0) for code in ACTION_UNITS], np.float32),
                "label": known.label,
                "depth": _smaller(known.depth),
                "face_box": np.array(known.face_box, np.float32),
            }
        return row


def _smaller(depth: np.ndarray) -> np.ndarray:
    """[S,S] → float16 [32,32], the mean of each block of S/32 × S/32 pixels."""
    side = depth.shape[0] // DEPTH
    return depth.reshape(DEPTH, side, DEPTH, side).mean((1, 3)).astype(np.float16)


def _digest(draw: _Draw, count: int) -> str:
    """Changes with the size, and with how some scenes spread over the plan come out."""
    digest = hashlib.sha256(f"{draw.size} {draw.with_truth}".encode())
    for index in itertools.islice(range(0, count, max(1, count // _WATCHED)), _WATCHED):
        for key, value in draw(index).items():
            digest.update(key.encode() + np.asarray(value).tobytes())
    return digest.hexdigest()[:12]
