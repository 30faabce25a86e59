"""People with several expressions each, as an adapter learns from them."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..datasets.ffe import Pair, Target, read_ffe
from ..datasets.pictures import is_picture
from ..datasets.rows import BadRowError
from ..emotion import vocabulary
from ..encoders import FacePoints
from ..identity.features import Seers
from ..vision.fitting import Size
from .adapter_config import AdapterConfig
from .buckets import counted
from .cache import key_of
from .denoisers import Denoiser, Heard
from .encoded import Judge, View, usable

log = logging.getLogger(__name__)
NEUTRAL = "neutral"


@dataclass(frozen=True)
class Sample:
    """A picture to paint: of which person, and with which expression."""

    view: View
    source: View
    person: str
    word: str
    score: float


@dataclass(frozen=True)
class PeopleBatch:
    """latents [B,C,h,w]; heard: what the network hears of the prompts; identity [B,P,I], appearance [B,P,M,A] and mask
    bool [B,P] of reference pictures; expression [B,E]; told, shown: bool [B], whether these are given. true_identity,
    true_expression: [B,D] of the true pictures, as far as losses count; faces: where they are."""

    latents: Tensor
    heard: Heard
    identity: Tensor
    appearance: Tensor
    mask: Tensor
    expression: Tensor
    told: Tensor
    shown: Tensor
    true_identity: Tensor | None = None
    true_expression: Tensor | None = None
    faces: FacePoints | None = None

    def to(self, device: torch.device) -> PeopleBatch:
        """The same on another device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        faces = self.faces and replace(self.faces, **{k: v.to(device) for k, v in vars(self.faces).items()})
        heard = {name: value.to(device) for name, value in self.heard.items()}
        return replace(self, **moved, faces=faces, heard=heard)


class PeopleSamples:
    """All pictures of all people, each ready for `adapter_losses`."""

    def __init__(
        self, config: AdapterConfig, denoiser: Denoiser, seers: Seers, identity: Judge | None, expression: Judge | None
    ) -> None:
        self._config, self._denoiser, self._seers = config, denoiser, seers
        self._encoded, self._judges = denoiser.encoded, (identity, expression)
        self._size: Size = (config.data.size, config.data.size)
        pairs = {
            str(target.image): (pair, target)
            for pair in read_ffe(config.data.source, on_bad=config.data.bad_rows).pairs
            for target in pair.targets
        }
        self._people = _people_in(config.data.source.parent)
        self._samples = usable(pairs.values(), self._sample, config.data)
        self._foreign = self._references()
        self._index()

    def _sample(self, row: tuple[Pair, Target]) -> Sample:
        pair, target = row
        person = self._people.get(target.image, pair.source.name)
        source = View(pair.source, self._size, pair.box)
        return Sample(View(target.image, self._size, target.box), source, person, target.category, target.score)

    def _references(self) -> dict[str, list[View]]:
        """Further pictures of each expression."""
        folder = self._config.data.references
        if folder is None:
            return {}
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}, which data.references names.")
        found: dict[str, list[View]] = defaultdict(list)
        for path in sorted(folder.rglob("*")):
            if is_picture(path) and path.parent.name in self.words:
                found[path.parent.name].append(View(path, self._size))
        if not found:
            raise ValueError(
                f"{folder} has no folders named after expressions, such as {self.words[1]}, with pictures."
            )
        return found

    def _index(self) -> None:
        of_person: dict[str, dict[Path, View]] = defaultdict(dict)
        self._of_word: dict[str, list[Sample]] = defaultdict(list)
        for sample in self._samples:
            of_person[sample.person] |= {view.path: view for view in (sample.source, sample.view)}
            self._of_word[sample.word].append(sample)
        self._of_person = {person: list(views.values()) for person, views in of_person.items()}

    @property
    def words(self) -> list[str]:
        """Neutral and the twelve."""
        return [NEUTRAL, *(word.word for word in vocabulary.pixelsmile())]

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def kinds(self) -> list[Size]:
        """All are of one size."""
        return [self._size] * len(self._samples)

    @property
    def counted(self) -> str:
        """How many people and expressions."""
        people = len({sample.person for sample in self._samples})
        more = sum(map(len, self._foreign.values()))
        told = f"; {more} further pictures of expressions" if more else ""
        return f"{people} people, {len(self._of_word)} expressions; {counted(self.kinds)}{told}"

    @property
    def key(self) -> str:
        """What is learned from, and through whose eyes."""
        judged = [judge.key if judge else "" for judge in self._judges]
        rows = [f"{one.view.key} {one.source.key} {one.person} {one.word} {one.score}" for one in self._samples]
        foreign = [view.key for views in self._foreign.values() for view in views]
        return key_of(self._denoiser.key, sorted(self._seers.key.items()), *judged, *rows, *foreign)

    def prepare(self, share: tuple[int, int] = (0, 1)) -> list[int]:
        """Put everything into the cache; returns the numbers of samples whose picture cannot be read, or has no face.

        share: (index, count) of the process that does every count-th one. Raises BadRowError unless bad rows are
        skipped.
        """
        index, count = share
        self._denoiser.hear([self._prompt(word) for word in self.words] + [""])
        broken = []
        for number in tqdm(range(index, len(self), count), desc="encoding pictures", disable=index > 0):
            sample = self._samples[number]
            try:
                for view in (sample.view, sample.source):
                    self._who(view)
                    self._face(view)
                self._encoded.latents(sample.view)
                for judge in self._judges:
                    self._encoded.features(judge, [sample.view])
            except (BadRowError, ValueError) as error:
                if self._config.data.bad_rows == "refuse":
                    raise BadRowError(f"{sample.view.path}: {error}") from error
                log.warning("left out: %s: %s", sample.view.path, error)
                broken.append(number)
        self._foreign = {word: self._readable(views) for word, views in self._foreign.items()}
        return broken

    def _readable(self, views: Sequence[View]) -> list[View]:
        found = []
        for view in views:
            try:
                self._face(view)
                found.append(view)
            except (BadRowError, ValueError) as error:
                log.warning("left out: %s: %s", view.path, error)
        return found

    def leave_out(self, numbers: Iterable[int]) -> None:
        """Forget samples by their numbers. Raises ValueError where none is left."""
        out = set(numbers)
        self._samples = [sample for number, sample in enumerate(self._samples) if number not in out]
        if not self._samples:
            raise ValueError(f"{self._config.data.source} has no picture that can be learned from.")
        self._index()

    def prototypes(self) -> dict[str, Tensor]:
        """Neutral, and each expression that there are pictures of → expression features [E] at its full strength.

        Pictures show it more or less: the mean goes on from neutral as far as their mean score is below 1.
        """
        sources = {sample.source.path: sample.source for sample in self._samples}
        neutral = torch.stack([self._face(view) for view in sources.values()]).mean(0)
        found = {NEUTRAL: neutral}
        for word in self.words:
            if seen := [sample for sample in self._of_word.get(word, []) if sample.score > 0]:
                mean = torch.stack([self._face(sample.view) for sample in seen]).mean(0)
                found[word] = neutral + (mean - neutral) * len(seen) / sum(sample.score for sample in seen)
        return found

    def shown(self, people: int) -> list[tuple[Tensor, Tensor]]:
        """Identity [P,I] and appearance [P,M,A] of some people, by their sources, for sample sheets."""
        return [self._who(view) for view in list({one.person: one.source for one in self._samples}.values())[:people]]

    def batch(self, members: Sequence[int], generator: torch.Generator) -> PeopleBatch:
        """Samples by their numbers, on the CPU; generator: which references are seen, and what is left out."""
        how, samples = self._config.data, [self._samples[index] for index in members]
        chances = torch.rand(len(samples), 4, generator=generator)
        seen = [self._seen_of(sample, generator) for sample in samples]
        faces = [self._face(self._face_like(sample, generator)) for sample in samples]
        prompts = [
            self._prompt(NEUTRAL if silent else sample.word)
            for sample, silent in zip(samples, (chances[:, 0] < how.no_words).tolist(), strict=True)
        ]
        true_identity, places = self._encoded.features(self._judges[0], [sample.view for sample in samples])
        true_expression, found = self._encoded.features(self._judges[1], [sample.view for sample in samples])
        identity, appearance, mask = _padded(seen)
        return PeopleBatch(
            latents=torch.cat([self._encoded.latents(sample.view) for sample in samples]),
            heard=self._denoiser.hear(prompts),
            identity=identity,
            appearance=appearance,
            mask=mask,
            expression=torch.stack(faces),
            told=chances[:, 1] >= how.no_identity,
            shown=chances[:, 2] >= how.no_expression,
            true_identity=true_identity,
            true_expression=true_expression,
            faces=places or found,
        )

    def _prompt(self, word: str) -> str:
        return self._config.data.prompt.format(word=word)

    def _seen_of(self, sample: Sample, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Other pictures of the same person: identity [P,I], appearance [P,M,A]."""
        others = [view for view in self._of_person[sample.person] if view.path != sample.view.path] or [sample.view]
        most = min(self._config.data.pictures, len(others))
        count = int(torch.randint(most, (1,), generator=generator)) + 1
        chosen = torch.randperm(len(others), generator=generator)[:count].tolist()
        seen = [self._who(others[index]) for index in chosen]
        return torch.cat([identity for identity, _ in seen]), torch.cat([appearance for _, appearance in seen])

    def _face_like(self, sample: Sample, generator: torch.Generator) -> View:
        """A picture of the same expression, about as strong, of somebody else."""
        foreign, (pick, where) = self._foreign.get(sample.word, []), torch.rand(2, generator=generator).tolist()
        if foreign and where < self._config.data.foreign:
            return foreign[int(pick * len(foreign))]
        others = [other for other in self._of_word[sample.word] if other.person != sample.person]
        others.sort(key=lambda other: abs(other.score - sample.score))
        near = others[: max(1, len(others) // 8)]
        return near[int(pick * len(near))].view if near else sample.view

    def _who(self, view: View) -> tuple[Tensor, Tensor]:
        """Identity [1,I] and appearance [1,M,A] of a picture."""
        keys = {role: self._seers.key[role] for role in ("identity", "appearance")}

        @torch.no_grad()
        def make() -> Mapping[str, Tensor]:
            identity, appearance = self._seers.who(view.open())
            return {"identity": identity, "appearance": appearance}

        found = self._encoded.cache.get(key_of("who", sorted(keys.items()), view.key), lambda: dict(make()))
        return found["identity"], found["appearance"]

    def _face(self, view: View) -> Tensor:
        """Expression features [E] of a picture."""

        @torch.no_grad()
        def make() -> Mapping[str, Tensor]:
            return {"expression": self._seers.face(view.open())}

        key = key_of("face", self._seers.key["expression"], view.key)
        return self._encoded.cache.get(key, lambda: dict(make()))["expression"][0]


def _people_in(folder: Path) -> dict[Path, str]:
    """Picture → whose it is, in one style of drawing, where an identities.json beside the pictures tells it."""
    file = folder / "identities.json"
    if not file.is_file():
        return {}
    told = json.loads(file.read_text(encoding="utf-8"))
    return {folder / name: f"{about['identity']} {about.get('style', '')}" for name, about in told.items()}


def _padded(seen: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Identity [B,P,I], appearance [B,P,M,A] and mask bool [B,P] of people with 1 to P pictures each."""
    most = max(len(identity) for identity, _ in seen)
    mask = torch.stack([torch.arange(most) < len(identity) for identity, _ in seen])
    identity = torch.stack([F.pad(x, (0, 0, 0, most - len(x))) for x, _ in seen])
    appearance = torch.stack([F.pad(x, (0, 0, 0, 0, 0, most - len(x))) for _, x in seen])
    return identity, appearance, mask
