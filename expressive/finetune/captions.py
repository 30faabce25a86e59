"""Captioned pictures as tensors: a folder of pictures with texts, or Emo135's folders of 135 emotions."""

from __future__ import annotations

import itertools
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..datasets.emo135 import LabelledPicture, read_emo135
from ..datasets.pictures import is_picture, upright_size
from ..datasets.rows import BadRowError
from ..emotion import Emotion
from ..emotion.person import AGES, GENDERS, RACES, UNSPECIFIED, Person, age_group, with_article
from ..emotion.prompts import write_prompts
from ..encoders import FaceFinder
from ..pocket.captions import STYLE_NAMES
from ..vision.face_filter import boxes_of, unfit
from ..vision.fitting import Size
from .buckets import bucket_sizes, counted, nearest_bucket
from .cache import key_of
from .config import Config
from .encoded import EncodedCaptions, Judge, View, usable
from .painting import CaptionBatch

log = logging.getLogger(__name__)

BUCKET_STEP = 64


@dataclass(frozen=True)
class Captioned:
    """A picture with its caption; label: its class, where there are classes."""

    view: View
    caption: str
    label: str = ""


class Captions:
    """The captioned pictures of a folder, each ready for `caption_losses`; all classes are seen equally often."""

    def __init__(
        self, config: Config, encoded: EncodedCaptions, judge: Judge | None, finder: FaceFinder | None
    ) -> None:
        self._config, self._encoded, self._judge, self._finder = config, encoded, judge, finder
        self._items = _with_texts(config) if config.data.kind == "captions" else _of_classes(config)
        self._order = _balanced([item.label for item in self._items])

    def __len__(self) -> int:
        return len(self._order)

    @property
    def kinds(self) -> list[Size]:
        """The bucket of each sample, for `Order`."""
        return [self._items[index].view.size for index in self._order]

    @property
    def counted(self) -> str:
        """How many samples each bucket has, and how many pictures there are of each class."""
        told = f"{len(self._items)} pictures; {counted(self.kinds)}"
        if labels := Counter(item.label for item in self._items if item.label):
            few, many = min(labels.values()), max(labels.values())
            told += f"; {len(labels)} classes of {few} to {many} pictures, each seen {many} times an epoch"
        return told

    @property
    def key(self) -> str:
        """What is learned from, and through whose eyes."""
        judged = self._judge.key if self._judge else ""
        return key_of(self._encoded.base.key, judged, *(f"{item.view.key} {item.caption}" for item in self._items))

    def prompts(self, count: int) -> list[str]:
        """Some captions, each once, from all over the data."""
        found = list(dict.fromkeys(item.caption for item in self._items))
        return found[:: max(1, len(found) // count)][:count]

    def prepare(self, share: tuple[int, int] = (0, 1)) -> list[int]:
        """Put everything into the cache; returns the numbers of pictures that cannot be read or have no usable face.

        share: (index, count) of the process that does every count-th picture. Raises BadRowError for a picture that
        cannot be read, unless the configuration skips bad rows.
        """
        index, count = share
        left_out, reasons = [], Counter[str]()
        self._encoded.caption("")
        for number in tqdm(range(index, len(self._items), count), desc="encoding pictures", disable=index > 0):
            item = self._items[number]
            try:
                reason = self._unusable(item.view)
                if not reason:
                    self._sample(item)
            except BadRowError as error:
                if self._config.data.bad_rows == "refuse":
                    raise
                reason = f"cannot be read ({error})"
            if reason:
                left_out.append(number)
                reasons[reason] += 1
        for reason, times in reasons.most_common():
            log.info("%d pictures left out: %s", times, reason)
        return left_out

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Forget pictures by their numbers. Raises ValueError where none is left."""
        out = set(numbers)
        self._items = [item for number, item in enumerate(self._items) if number not in out]
        if not self._items:
            raise ValueError(f"{self._config.data.source} has no picture that can be learned from.")
        self._order = _balanced([item.label for item in self._items])

    def batch(self, members: Sequence[int], generator: torch.Generator) -> CaptionBatch:
        """Samples by their numbers, all of one bucket, on the CPU; generator: which captions are left empty."""
        items = [self._items[self._order[index]] for index in members]
        empty = (torch.rand(len(items), generator=generator) < self._config.data.dropout).tolist()
        heard = [
            self._encoded.caption("" if left_empty else item.caption)
            for item, left_empty in zip(items, empty, strict=True)
        ]
        expression, faces = self._encoded.features(self._judge, [item.view for item in items])
        return CaptionBatch(
            latents=torch.cat([self._encoded.latents(item.view) for item in items]),
            context=torch.stack([context for context, _ in heard]),
            pooled=torch.stack([pooled for _, pooled in heard]),
            sizes=torch.stack([self._sizes(item.view) for item in items]),
            expression=expression,
            faces=faces,
        )

    def _sample(self, item: Captioned) -> None:
        self._encoded.caption(item.caption)
        self._encoded.latents(item.view)
        self._encoded.features(self._judge, [item.view])

    def _sizes(self, view: View) -> Tensor:
        original, corner = self._encoded.placed(view)
        return torch.tensor(self._encoded.base.sizes(original, corner, view.size))

    def _unusable(self, view: View) -> str:
        """Why a picture is not learned from; empty where it is."""
        if self._finder is None:
            return ""
        picture = view.open()
        wanted = self._config.data.faces
        (boxes,) = boxes_of(self._finder.find_faces(picture))
        return unfit(boxes, (picture.shape[3], picture.shape[2]), wanted.smallest, wanted.border)


def _with_texts(config: Config) -> list[Captioned]:
    """Pictures with a text file of the same name each. Raises FileNotFoundError, or BadRowError for one without."""
    folder = config.data.source
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")

    def captioned(path: Path) -> Captioned:
        text = path.with_suffix(".txt")
        if not text.is_file():
            raise BadRowError(f"{path}: expected a caption in {text.name}, got no such file.")
        return Captioned(_view(path, config), " ".join(text.read_text(encoding="utf-8").split()))

    return usable((path for path in sorted(folder.rglob("*")) if is_picture(path)), captioned, config.data)


def _of_classes(config: Config) -> list[Captioned]:
    """Emo135's pictures with GenEAva's sentences."""
    pictures = read_emo135(config.data.source, config.data.bad_rows).pictures
    wanted = config.data.split

    def captioned(picture: LabelledPicture) -> Captioned:
        return Captioned(_view(picture.path, config), geneava_caption(picture), picture.word.word)

    return usable((picture for picture in pictures if wanted in ("", picture.split)), captioned, config.data)


def geneava_caption(picture: LabelledPicture) -> str:
    """GenEAva's sentence for a labelled picture, with age, gender and race as far as the dataset tells them, the age as
    a group or in years.

    A drawn dataset tells style and background, too, which then stand in the place of “photorealistic” and of “plain
    white”.
    """
    told = dict(picture.about)
    if isinstance(years := told.get("age"), (int, float)) and years >= 0:
        told["age"] = age_group(years)
    about = {
        name: next((value for value in known if value.lower() == str(told.get(name, "")).lower()), UNSPECIFIED)
        for name, known in (("age", AGES), ("gender", GENDERS), ("race", RACES))
    }
    sentence = write_prompts(Emotion.of(picture.word.id), "geneava", Person(**about)).prompt
    style = STYLE_NAMES.get(str(picture.about.get("style", "")), ("photorealistic",))[0]
    sentence = sentence.replace("A photorealistic face", with_article(f"{style} face").capitalize(), 1)
    background = picture.about.get("background")
    return sentence if background is None else sentence.replace("plain white background", f"{background} background", 1)


def _view(path: Path, config: Config) -> View:
    side = config.data.size
    if not config.data.buckets:
        return View(path, (side, side))
    return View(path, nearest_bucket(upright_size(path), bucket_sizes(side, BUCKET_STEP)))


def _balanced(labels: Sequence[str]) -> list[int]:
    """Numbers of items so that each label occurs as often as the most frequent one; small classes go round."""
    members: dict[str, list[int]] = defaultdict(list)
    for number, label in enumerate(labels):
        members[label].append(number)
    most = max(len(numbers) for numbers in members.values())
    return sorted(number for numbers in members.values() for number in itertools.islice(itertools.cycle(numbers), most))
