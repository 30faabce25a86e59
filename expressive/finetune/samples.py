"""Sample sheets while training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ..contact_sheet.sheet import contact_sheet

PICTURES = 2  # sources of the data that are taken where the configuration names no pictures


def save_sheet(rows: Sequence[Tensor], columns: Sequence[str], names: Sequence[str], title: str, file: Path) -> None:
    """Rows of pictures [N,3,H,W] in 0…1 as one sheet. columns: of every row; names: of the rows, or none."""
    pictures = [row.float().movedim(1, -1).cpu() for row in rows]  # n c h w → n h w c
    wanted = len(rows) if names else 0
    page = contact_sheet(pictures, columns, rows=wanted, title=title, row_labels=list(names))
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = (page[0].numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(file)
