"""Contact sheets to look at while a training runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def save_sheet(path: Path, rows: Sequence[np.ndarray]) -> None:
    """Write a PNG of rows of pictures, each row uint8 [columns, H, W, 3]."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in rows])).save(path)
