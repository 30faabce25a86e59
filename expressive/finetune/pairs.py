"""PixelSmile's pairs as tensors: two confusing expressions of one person, beside the picture that is edited."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from ..conditioning import blend
from ..datasets.ffe import Pair, read_ffe
from ..datasets.pictures import upright_size
from ..datasets.rows import BadRowError
from ..emotion.prompts import pixelsmile_prompt
from ..vision.fitting import Size
from .buckets import bucket_sizes, counted, nearest_bucket
from .cache import key_of
from .config import Config
from .encoded import EncodedEdits, View, usable
from .pixelsmile import Judges, PairBatch, Side

log = logging.getLogger(__name__)

SUBJECTS = {"human": "person", "anime": "character"}
BUCKET_STEP = 32


def prompts_of(word: str, domain: str) -> tuple[str, str]:
    """PixelSmile's neutral sentence and the one of an expression word."""
    return pixelsmile_prompt("neutral", SUBJECTS[domain]), pixelsmile_prompt(word, SUBJECTS[domain])


@dataclass(frozen=True)
class _Item:
    pair: Pair
    source: View
    targets: tuple[View, View]

    @property
    def key(self) -> str:
        scores = [(target.category, target.score) for target in self.pair.targets]
        return key_of(self.source.key, *(target.key for target in self.targets), scores)


class Pairs:
    """The pairs of a training file, each sample ready for `pair_losses`.

    `prepare` fills the cache; `batch` then reads it and needs the frozen parts of the base no more.
    """

    def __init__(self, config: Config, encoded: EncodedEdits, judges: Judges) -> None:
        self._config, self._encoded, self._judges = config, encoded, judges
        found = read_ffe(config.data.source, on_bad=config.data.bad_rows)
        self._items = usable(found.pairs, self._item, config.data)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def kinds(self) -> list[Size]:
        """The bucket of each pair, for `Order`."""
        return [item.source.size for item in self._items]

    @property
    def counted(self) -> str:
        """How many pairs each bucket has."""
        return counted(self.kinds)

    @property
    def key(self) -> str:
        """What is learned from, and through whose eyes."""
        return key_of(self._encoded.base.key, self._judges.key, *(item.key for item in self._items))

    def sources(self, count: int) -> list[View]:
        """The first pictures that are edited, each once."""
        return list({item.source.path: item.source for item in self._items}.values())[:count]

    def _item(self, pair: Pair) -> _Item:
        size = self._size(pair)
        first, second = (View(target.image, size, target.box) for target in pair.targets)
        return _Item(pair, View(pair.source, size, pair.box), (first, second))

    def _size(self, pair: Pair) -> Size:
        side = self._config.data.size
        if not self._config.data.buckets:
            return side, side
        return nearest_bucket(upright_size(pair.source), bucket_sizes(side, BUCKET_STEP))

    def prepare(self, share: tuple[int, int] = (0, 1)) -> list[int]:
        """Put everything into the cache; returns the numbers of pairs with a picture that cannot be read.

        share: (index, count) of the process that does every count-th pair. Raises BadRowError for such a picture unless
        the configuration skips bad rows.
        """
        index, count = share
        mine, broken = range(index, len(self), count), []
        for number in tqdm(mine, desc="encoding pairs", disable=index > 0):
            try:
                self.batch([number])
            except BadRowError as error:
                if self._config.data.bad_rows == "refuse":
                    raise
                log.warning("left out: %s", error)
                broken.append(number)
        return broken

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Forget pairs by their numbers. Raises ValueError where none is left."""
        out = set(numbers)
        self._items = [item for number, item in enumerate(self._items) if number not in out]
        if not self._items:
            raise ValueError(f"{self._config.data.source} has no pair whose pictures can all be read.")

    def batch(self, members: Sequence[int]) -> PairBatch:
        """Samples by their numbers, all of one bucket, on the CPU."""
        items = [self._items[index] for index in members]
        sources = torch.cat([self._encoded.latents(item.source) for item in items])
        return PairBatch(sources, self._side(items, 0), self._side(items, 1))

    def _side(self, items: Sequence[_Item], which: int) -> Side:
        texts = [self._text(item, which) for item in items]
        views = [item.targets[which] for item in items]
        latents = [self._encoded.latents(view) for view in views]
        length = max(len(text) for text in texts)
        mask = torch.stack([torch.arange(length) < len(text) for text in texts])
        padded = torch.stack([torch.nn.functional.pad(text, (0, 0, 0, length - len(text))) for text in texts])
        identity, faces = self._encoded.features(self._judges.identity, views)
        return Side(
            latents=torch.cat(latents),
            texts=padded,
            mask=None if bool(mask.all()) else mask,
            contrast=self._encoded.features(self._judges.contrast, views)[0],
            identity=identity,
            faces=faces,
        )

    def _text(self, item: _Item, which: int) -> Tensor:
        """States [L,D] at α = the score (Eq. 5 and 6), or 1."""
        target = item.pair.targets[which]
        prompts = prompts_of(target.category, self._config.objective.domain)
        neutral, whole = self._encoded.texts(prompts, item.source)
        if neutral.shape != whole.shape:
            raise ValueError(
                f"“{prompts[1]}” has {len(whole)} tokens and the neutral prompt {len(neutral)}; PixelSmile's twelve "
                "words have one each."
            )
        alpha = target.score if self._config.objective.scored else 1.0
        return blend(neutral[None], [whole[None]], [[alpha]])[0]
