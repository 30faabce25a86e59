"""SVG as pixels."""

from __future__ import annotations

import io

import numpy as np


def render(svg: str, size: int = 128) -> np.ndarray:
    """Pixels of an SVG: uint8 [size, size, 3], sRGB. Raises ImportError with the remedy where resvg-py is missing."""
    from PIL import Image

    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(
            "Drawing avatars needs the package resvg-py: pip install resvg-py, then start again."
        ) from error

    png = resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB"))
