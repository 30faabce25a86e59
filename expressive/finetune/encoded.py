"""Pictures and words as the frozen parts of a base see them: each computed once, then read from disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor

from ..datasets.pictures import open_picture
from ..vision.fitting import Box, Size, fit, to_tensor
from .bases import EditBase
from .cache import DiskCache, file_hash, key_of


@dataclass(frozen=True)
class View:
    """A picture file as it is learned from: cut to a size around the face where the box of one is known."""

    path: Path
    size: Size
    box: Box | None = None

    @cached_property
    def key(self) -> str:
        """What it shows, by the file's content as it was when this was first asked."""
        return key_of(file_hash(self.path), self.size, self.box)

    def open(self) -> Tensor:
        """[1,3,H,W] in 0…1. Raises BadRowError for a missing or broken file."""
        return to_tensor(fit(open_picture(self.path), self.size, self.box))


class Encoded:
    """Latents and texts of a base, by way of a cache. Once all are there, the base needs its text encoder no more."""

    def __init__(self, base: EditBase, cache: DiskCache) -> None:
        self.base, self.cache = base, cache

    def latents(self, view: View) -> Tensor:
        """[1,C,h,w]"""
        key = key_of("latents", view.key, self.base.key)
        return self.cache.get(key, lambda: {"latents": self.base.encode(view.open())})["latents"]

    def texts(self, prompts: Sequence[str], view: View) -> list[Tensor]:
        """States [L,D] of each prompt, beside the picture where the text encoder sees it."""
        seen = view.key if self.base.reads_pictures() else ""

        def one(prompt: str) -> Tensor:
            key = key_of("text", prompt, seen, self.base.key)
            return self.cache.get(key, lambda: {"text": self.base.encode_text(prompt, view.open())})["text"]

        return [one(prompt) for prompt in prompts]
