"""What a Hugging Face image processor does to a picture, in torch, so that gradients flow through it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_MODES = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}  # PIL's numbers


@dataclass(frozen=True)
class Preprocessing:
    """shortest: side to which the shorter edge is brought, or None. size: (height, width) to which both are, or None.
    crop: (height, width) cut from the middle, or None. mode: interpolation. mean, deviation: per channel, RGB."""

    shortest: int | None
    size: tuple[int, int] | None
    crop: tuple[int, int] | None
    mode: str
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    @classmethod
    def read(cls, folder: Path) -> Preprocessing:
        """From the folder's preprocessor_config.json. FileNotFoundError or ValueError with one sentence."""
        path = folder / "preprocessor_config.json"
        if not path.is_file():
            raise FileNotFoundError(f"preprocessor_config.json is not in {folder}. Download the whole model folder.")
        try:
            return cls.from_config(json.loads(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} does not say how pictures are prepared ({type(error).__name__}: {error}). Download the model "
                "folder again."
            ) from error

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """From the JSON's content. KeyError, TypeError or ValueError if it lacks something."""
        shortest, size = _sides(config["size"]) if config.get("do_resize", True) else (None, None)
        # a bare number is the shorter edge for a model that crops, and both edges for one that does not
        if shortest is not None and isinstance(config["size"], int) and not config.get("do_center_crop", False):
            shortest, size = None, (shortest, shortest)
        crop = None
        if config.get("do_center_crop", False):
            edge, both = _sides(config["crop_size"])
            crop = both or (edge, edge) if edge else both
        if config.get("do_normalize", True):
            mean, deviation = _three(config["image_mean"]), _three(config["image_std"])
        else:
            mean, deviation = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        return cls(shortest, size, crop, _MODES[config.get("resample", 3)], mean, deviation)

    @property
    def side(self) -> int | None:
        """The height that the network sees, where it is fixed."""
        fixed = self.crop or self.size
        return fixed[0] if fixed else None

    def __call__(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 → what the network takes. Same as the processor, but not rounded to 256 levels."""
        height, width = pictures.shape[-2:]
        target = self.size
        if self.shortest is not None:
            short, long = sorted((height, width))
            longer = int(self.shortest * long / short)
            target = (self.shortest, longer) if height <= width else (longer, self.shortest)
        if target is not None and target != (height, width):
            antialias = self.mode in ("bilinear", "bicubic")
            corners = {"align_corners": False} if antialias else {}
            pictures = F.interpolate(pictures, size=target, mode=self.mode, antialias=antialias, **corners)
        if self.crop is not None:
            pictures = _middle(pictures, *self.crop)
        mean, deviation = (
            torch.tensor(values, dtype=pictures.dtype, device=pictures.device)[:, None, None]
            for values in (self.mean, self.deviation)
        )
        return (pictures - mean) / deviation


def _middle(pictures: Tensor, height: int, width: int) -> Tensor:
    """The middle height × width, with black where the picture is smaller."""
    missing = (max(0, height - pictures.shape[-2]), max(0, width - pictures.shape[-1]))
    if any(missing):
        above, before = missing[0] // 2, missing[1] // 2
        pictures = F.pad(pictures, (before, missing[1] - before, above, missing[0] - above))
    top, left = (pictures.shape[-2] - height) // 2, (pictures.shape[-1] - width) // 2
    return pictures[..., top : top + height, left : left + width]


def _sides(size: Any) -> tuple[int | None, tuple[int, int] | None]:
    """(shorter edge, None) or (None, (height, width)) from the forms that the JSON knows."""
    if isinstance(size, int):
        return size, None
    if "shortest_edge" in size:
        return int(size["shortest_edge"]), None
    return None, (int(size["height"]), int(size["width"]))


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
