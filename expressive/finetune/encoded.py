"""Pictures and words as the frozen parts of a base see them: each computed once, then read from disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from ..datasets.pictures import open_picture
from ..datasets.rows import BadRowError
from ..encoders import FacePoints
from ..vision.fitting import Box, Size, fit, fitted_corner, to_tensor
from .bases import EditBase
from .cache import DiskCache, file_hash, key_of
from .config import Pictures
from .painting import PaintBase

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judge:
    """A frozen encoder as a loss uses it.

    key: of what it computes. features: pictures float [B,3,H,W] in 0…1, and where their faces are (None: anywhere) →
    [B,D], differentiable, zero rows where no face was found. find: the faces of true pictures; x̂0 is looked at in the
    same places, since it is too blurred to find any. None: the encoder looks at whole pictures.
    """

    key: str
    features: Callable[[Tensor, FacePoints | None], Tensor]
    find: Callable[[Tensor], FacePoints] | None = None


class Coder(Protocol):
    """What turns pictures into latents and back."""

    device: torch.device
    key: str

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents, without gradient."""
        ...

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures."""
        ...


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


T = TypeVar("T")
U = TypeVar("U")


def usable(rows: Iterable[T], make: Callable[[T], U], pictures: Pictures) -> list[U]:
    """What `make` gives for each row. Where a picture cannot be read, the settings say whether to skip the row.

    Raises BadRowError unless it skips, and ValueError where nothing is left.
    """
    found = []
    for row in rows:
        try:
            found.append(make(row))
        except BadRowError as error:
            if pictures.bad_rows == "refuse":
                raise
            log.warning("left out: %s", error)
    if not found:
        raise ValueError(f"{pictures.source} holds nothing that can be learned from.")
    return found


class Encoded:
    """Latents and features, by way of a cache."""

    def __init__(self, coder: Coder, cache: DiskCache) -> None:
        self._coder, self.cache = coder, cache
        self._seen: tuple[str, Tensor] | None = None  # the last picture through the decoder, for the next judge

    def latents(self, view: View) -> Tensor:
        """[1,C,h,w]"""
        return self._pictured(view)["latents"]

    def placed(self, view: View) -> tuple[tuple[int, int], tuple[int, int]]:
        """(width, height) of the upright file, and (left, top) of the crop in it, scaled as the crop is."""
        width, height, left, top = self._pictured(view)["placed"].tolist()
        return (width, height), (left, top)

    def _pictured(self, view: View) -> dict[str, Tensor]:
        def make() -> dict[str, Tensor]:
            whole = open_picture(view.path)
            corner = fitted_corner(whole.size, view.size, view.box)
            picture = to_tensor(fit(whole, view.size, view.box))
            return {"latents": self._coder.encode(picture), "placed": torch.tensor([*whole.size, *corner])}

        return self.cache.get(key_of("picture", view.key, self._coder.key), make)

    def features(self, judge: Judge | None, views: Sequence[View]) -> tuple[Tensor | None, FacePoints | None]:
        """Features [B,D] of true pictures and where their faces are, as far as a judge asks for them."""
        if judge is None:
            return None, None
        read = [self._read(judge, view) for view in views]
        joined = {name: torch.cat([one[name] for one in read]) for name in read[0]}
        return joined.pop("features"), FacePoints(**joined) if joined else None

    def _read(self, judge: Judge, view: View) -> dict[str, Tensor]:
        """Of one picture, seen through the decoder as a generated one is: `features` [1,D], and the face's fields."""

        @torch.no_grad()
        def make() -> dict[str, Tensor]:
            picture = self._decoded(view)
            faces = judge.find(picture) if judge.find is not None else None
            return {"features": judge.features(picture, faces), **({} if faces is None else vars(faces))}

        return self.cache.get(key_of("features", judge.key, view.key, self._coder.key), make)

    def _decoded(self, view: View) -> Tensor:
        """[1,3,H,W]"""
        if self._seen is None or self._seen[0] != view.key:
            self._seen = view.key, self._coder.decode(self.latents(view).to(self._coder.device)).float()
        return self._seen[1]


class EncodedEdits(Encoded):
    """For a base that edits. Once all texts are there, it needs its text encoder no more."""

    def __init__(self, base: EditBase, cache: DiskCache) -> None:
        super().__init__(base, cache)
        self.base = base

    def texts(self, prompts: Sequence[str], view: View | None) -> list[Tensor]:
        """States [L,D] of each prompt, beside the picture where there is one and the text encoder sees it."""
        beside = view if self.base.reads_pictures() else None
        seen = beside.key if beside is not None else "nothing" if self.base.reads_pictures() else ""

        def one(prompt: str) -> Tensor:
            def make() -> dict[str, Tensor]:
                return {"text": self.base.encode_text(prompt, None if beside is None else beside.open())}

            return self.cache.get(key_of("text", prompt, seen, self.base.key), make)["text"]

        return [one(prompt) for prompt in prompts]


class EncodedCaptions(Encoded):
    """For a base that paints. Once all captions are there, it needs its text encoders no more."""

    def __init__(self, base: PaintBase, cache: DiskCache) -> None:
        super().__init__(base, cache)
        self.base = base

    def caption(self, caption: str) -> tuple[Tensor, Tensor]:
        """What the network hears of a caption; see `PaintBase.encode_caption`."""

        def make() -> dict[str, Tensor]:
            context, pooled = self.base.encode_caption(caption)
            return {"context": context, "pooled": pooled}

        found = self.cache.get(key_of("caption", caption, self.base.hears, self.base.key), make)
        return found["context"], found["pooled"]
