"""Datasets of the artist's own, where the host looks for them, and their pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.utils
import folder_paths
import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from PIL.Image import Image


def dataset_folders(is_one: Callable[[Path], bool]) -> dict[str, Path]:
    """Name → folder of a layout, of the host's input folder and its folders of datasets."""
    parents = {"input": [folder_paths.get_input_directory()], "datasets": folder_paths.get_folder_paths("datasets")}
    return {
        f"{name}/{folder.name}": folder
        for name, places in parents.items()
        for place in map(Path, places)
        if place.is_dir()
        for folder in sorted(place.iterdir())
        if folder.is_dir() and is_one(folder)
    }


def square(picture: Image, size: int) -> Tensor:
    """The middle of a picture, [1,size,size,3] in 0…1."""
    pixels = torch.from_numpy(np.array(picture)).float()[None] / 255  # [1,h,w,3]
    cut = comfy.utils.common_upscale(pixels.movedim(-1, 1), size, size, "lanczos", "center")
    return cut.movedim(1, -1).clamp(0, 1)  # b c h w → b h w c
