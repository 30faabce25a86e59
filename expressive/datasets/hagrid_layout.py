"""How a folder of HaGRIDv2 is laid out. Light, because a host asks for it whenever it lists its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .splits import TEST, TRAIN, VALIDATION

FOLDERS: Mapping[str, str] = {TRAIN: "train", VALIDATION: "val", TEST: "test"}
"""Split → its folder under `ANNOTATIONS`."""
ANNOTATIONS, IMAGES = "annotations", "images"


def is_hagrid(folder: Path) -> bool:
    """Whether it has annotations."""
    return any((folder / ANNOTATIONS / split).is_dir() for split in FOLDERS.values())


def pictures_of(folder: Path) -> Path:
    """Where its pictures lie."""
    return folder / IMAGES if (folder / IMAGES).is_dir() else folder
