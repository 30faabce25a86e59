"""What is computed once from pictures and words, kept on disk under a key of everything it was made from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

_ENDS = 1 << 20  # bytes at each end of a large weight file that name it


class DiskCache:
    """Named tensors in one safetensors file for each key; a file is there whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0  # how many were not there

    def get(self, key: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """The tensors of a key (see `key_of`), made and written if they are not there; on the CPU."""
        from safetensors.torch import load_file, save_file

        path = self.folder / key[:2] / f"{key}.safetensors"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.partial")  # several processes may make the same
            save_file({name: value.detach().cpu().contiguous() for name, value in make().items()}, partial)
            partial.replace(path)
            self.made += 1
        return load_file(path)


def key_of(*parts: object) -> str:
    """A key of everything that a result depends on; each part by its text."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]


def file_hash(path: Path) -> str:
    """SHA-256 of a picture's bytes. Raises FileNotFoundError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def weights_hash(*files: Path) -> str:
    """A hash of weight files by their names, sizes and first and last megabyte: quick for files of 40 GB."""
    digest = hashlib.sha256()
    for path in sorted(files):
        size = path.stat().st_size
        digest.update(f"{path.name}\x1f{size}".encode())
        with path.open("rb") as opened:
            digest.update(opened.read(_ENDS))
            opened.seek(max(0, size - _ENDS))
            digest.update(opened.read(_ENDS))
    return digest.hexdigest()
