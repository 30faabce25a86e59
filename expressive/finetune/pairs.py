"""PixelSmile's pairs as tensors: pictures and words go through the frozen parts of a base once, then lie on disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..datasets.ffe import Pair, Target, read_ffe
from .bases import EditBase
from .buckets import Size, bucket_sizes, counted, fit, nearest_bucket
from .cache import DiskCache, file_hash, key_of, weights_hash
from .config import Config
from .pixelsmile import Features, Judges, PairBatch, Side

log = logging.getLogger(__name__)

SUBJECTS = {"human": "person", "anime": "character"}
BUCKET_STEP = 32


def prompt(word: str, domain: str = "human") -> str:
    """PixelSmile's sentence for an expression word or "neutral"."""
    return f"Edit the {SUBJECTS[domain]} to show a {word} expression"


def to_tensor(picture: Image.Image) -> Tensor:
    """RGB picture → float [1,3,H,W] in 0…1."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    return pixels.permute(2, 0, 1)[None].float() / 255  # h w c → 1 c h w


@dataclass(frozen=True)
class _Item:
    pair: Pair
    size: Size


class Pairs:
    """The pairs of a training file, each sample ready for `pair_losses`.

    `prepare` fills the cache; `batch` then reads it and needs the frozen parts of the base no more.
    """

    def __init__(self, config: Config, base: EditBase, judges: Judges, cache: DiskCache) -> None:
        found = read_ffe(config.data.source, on_bad=config.data.bad_rows)
        self._config, self._base, self._judges, self._cache = config, base, judges, cache
        self._model = weights_hash(*base.weights())
        sizes = self._sizes(found.pairs)
        self._items = [_Item(pair, size) for pair, size in zip(found.pairs, sizes, strict=True)]
        self.counted = counted(sizes)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def kinds(self) -> list[Size]:
        """The bucket of each pair, for `Order`."""
        return [item.size for item in self._items]

    def sources(self, count: int) -> list[Path]:
        """The first pictures that are edited, each once."""
        return list(dict.fromkeys(item.pair.source for item in self._items))[:count]

    def _sizes(self, pairs: Sequence[Pair]) -> list[Size]:
        side = self._config.data.size
        if not self._config.data.buckets:
            return [(side, side)] * len(pairs)
        buckets, sizes = bucket_sizes(side, BUCKET_STEP), []
        for pair in pairs:
            with Image.open(pair.source) as picture:
                sizes.append(nearest_bucket(picture.size, buckets))
        return sizes

    def prepare(self, progress: Callable[[], None] | None = None) -> int:
        """Put everything into the cache; returns how many results had to be made. `progress` hears of each pair."""
        before = self._cache.made
        for item in tqdm(self._items, desc="encoding pairs", disable=progress is not None):
            self._source(item)
            for target in item.pair.targets:
                self._texts(item, target.category)
                self._target(item, target)
            if progress is not None:
                progress()
        return self._cache.made - before

    def batch(self, members: Sequence[int]) -> PairBatch:
        """Samples by their numbers, all of one bucket, on the CPU."""
        items = [self._items[index] for index in members]
        sources = torch.cat([self._source(item)["latents"] for item in items])
        return PairBatch(sources, self._side(items, 0), self._side(items, 1))

    def _side(self, items: Sequence[_Item], which: int) -> Side:
        scored = self._config.objective.scored
        texts, targets = [], []
        for item in items:
            target = item.pair.targets[which]
            known = self._texts(item, target.category)
            alpha = target.score if scored else 1.0
            texts.append(known["neutral"] + alpha * (known["target"] - known["neutral"]))  # Eq. 5 at α = the score
            targets.append(self._target(item, target))
        length = max(len(text) for text in texts)
        mask = torch.stack([torch.arange(length) < len(text) for text in texts])
        padded = torch.stack([torch.nn.functional.pad(text, (0, 0, 0, length - len(text))) for text in texts])

        def stacked(name: str) -> Tensor | None:
            return torch.cat([target[name] for target in targets]) if name in targets[0] else None

        latents = stacked("latents")
        assert latents is not None
        whole = None if bool(mask.all()) else mask
        return Side(latents, padded, whole, stacked("contrast"), stacked("identity"))

    def _picture(self, path: Path, size: Size) -> Tensor:
        with Image.open(path) as picture:
            return to_tensor(fit(picture, size))

    def _source(self, item: _Item) -> dict[str, Tensor]:
        key = key_of("latents", file_hash(item.pair.source), item.size, self._model)
        return self._cache.get(
            key, lambda: {"latents": self._base.encode(self._picture(item.pair.source, item.size)).cpu()}
        )

    def _texts(self, item: _Item, word: str) -> dict[str, Tensor]:
        """States [L,D] of the neutral and the target prompt, of one length."""
        domain = self._config.objective.domain
        prompts = [prompt("neutral", domain), prompt(word, domain)]
        seen = (file_hash(item.pair.source), item.size) if self._base.reads_pictures() else ""

        def make() -> dict[str, Tensor]:
            neutral, target = self._base.encode_texts(prompts, self._picture(item.pair.source, item.size))
            if neutral.shape != target.shape:
                raise ValueError(
                    f"“{prompts[1]}” has {len(target)} tokens and the neutral prompt {len(neutral)}; "
                    "PixelSmile's twelve words have one each."
                )
            return {"neutral": neutral.cpu(), "target": target.cpu()}

        return self._cache.get(key_of("texts", *prompts, seen, self._model), make)

    def _target(self, item: _Item, target: Target) -> dict[str, Tensor]:
        """Latents of a true picture, and its features, seen through the decoder as those of a generated one are."""
        objective = self._config.objective
        wanted: list[tuple[str, Features | None, str]] = [
            ("contrast", self._judges.contrast, objective.contrast.encoder),
            ("identity", self._judges.identity, objective.identity.encoder),
        ]
        named = [(name, features, encoder) for name, features, encoder in wanted if features is not None]
        parts = [f"{name}:{encoder}" for name, _, encoder in named]
        key = key_of("target", file_hash(target.image), item.size, self._model, *parts)

        @torch.no_grad()
        def make() -> dict[str, Tensor]:
            latents = self._base.encode(self._picture(target.image, item.size))
            seen = self._base.decode(latents).float() if named else latents
            return {"latents": latents.cpu(), **{name: of(seen).cpu() for name, of, _ in named if of is not None}}

        return self._cache.get(key, make)
