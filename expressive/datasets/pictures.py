"""Picture files of a dataset: found when it is read, opened when one is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .rows import BadRowError, Unexpected, shown

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)  # of EXIF
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def is_picture(path: Path) -> bool:
    """Whether its name says that it is a picture; hidden files, as some systems leave beside pictures, are not."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def open_picture(path: Path) -> Image:
    """The picture upright and in RGB. Raises BadRowError for a missing or broken file."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except FileNotFoundError as error:
        raise BadRowError(f"{path}: expected a picture, got no such file.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadRowError(f"{path}: expected a picture, got a file that cannot be read ({error}).") from error


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height as `open_picture` gives them, without reading the pixels. Raises BadRowError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            return (height, width) if picture.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE else (width, height)
    except FileNotFoundError as error:
        raise BadRowError(f"{path}: expected a picture, got no such file.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadRowError(f"{path}: expected a picture, got a file that cannot be read ({error}).") from error


def resolved(name: str, folder: Path, *, check: bool) -> Path:
    """A picture that a row names: absolute, or relative to `folder`. Raises Unexpected if it is not there."""
    path = folder / Path(name.replace("\\", "/"))
    if check and not path.is_file():
        raise Unexpected("a picture", f"{shown(name)}, which is not there")
    return path
