"""Sample sheets while training: what the shipped workflow would make of some pictures with the LoRA as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..contact_sheet import contact_sheet
from .sweep import Sweep

PICTURES = 2  # sources of the data that are taken where the configuration names no pictures


def write_sheet(sweep: Sweep, alphas: Sequence[float], title: str, file: Path) -> None:
    """A row for each picture and expression, a column for each α, the source before them."""
    rows, names = [], []
    for index, view in enumerate(sweep.views):
        picture = view.open()
        for word in sweep.words:
            made = sweep.edits(index, word, alphas)
            rows.append(torch.cat((picture.to(made), made)).movedim(1, -1).cpu())  # n c h w → n h w c
            names.append(f"{index + 1} {word}")
    columns = ["source", *(f"α {alpha:g}" for alpha in alphas)]
    page = contact_sheet(rows, columns, rows=len(rows), title=title, row_labels=names)
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = (page[0].numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(file)
