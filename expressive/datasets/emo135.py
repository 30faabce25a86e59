"""Emo135 (Chen et al., IEEE TAFFC 13(4), 2022): one folder of pictures for each of 135 emotion words.

    <folder>/delight/…jpg        a noun, another spelling of it, or its adjective, with or without a number before it
    <folder>/028_happiness/…png  (numbers are ignored: the dataset's own order is not public)
    <folder>/identities.json     optional: who is on which picture, and in which split; or identities.csv

`identities.json` maps `"<class folder>/<file>"` to `{"identity": …, "split": "train" | "validation" | "test"}`;
`identities.csv` has the columns picture, identity, split. Folders named as splits may stand above the classes.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..emotion import vocabulary
from ..emotion.vocabulary import Word
from .class_folders import class_of
from .pictures import is_picture, open_picture
from .rows import BadRows, Unexpected, mapping, parsed, required, shown, text
from .splits import SPLITS, check_disjoint, known_split

if TYPE_CHECKING:
    from PIL.Image import Image

IDENTITIES = "identities"
"""Name of the file with identities and splits, without its suffix."""


@dataclass(frozen=True)
class LabelledPicture:
    """One picture of Emo135. identity and split are None, about is empty, where the dataset does not say.

    about: whatever else the identity file has on the picture, such as age, gender and race.
    """

    path: Path
    word: Word
    identity: str | None = None
    split: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def open(self) -> Image:
        """RGB. Raises BadRowError for a broken file."""
        return open_picture(self.path)


@dataclass(frozen=True)
class Emo135:
    """A folder in Emo135's layout. pictures: sorted by class, then file. bad: what was left out, and why."""

    pictures: tuple[LabelledPicture, ...]
    bad: BadRows

    @property
    def counts(self) -> dict[str, int]:
        """All 135 words in the order of the tree → number of pictures, 0 included."""
        found = Counter(picture.word.word for picture in self.pictures)
        return {word.word: found[word.word] for word in vocabulary.emo135()}

    def references(self, word: Word, count: int, seed: int, identity: str = "") -> tuple[LabelledPicture, ...]:
        """`count` pictures of one class, drawn by `seed`: of as many people as there are, each once before one again.

        identity: only of this person. Raises ValueError for a class or a person with too few pictures.
        """
        fitting = [
            picture
            for picture in self.pictures
            if picture.word is word and (not identity or picture.identity == identity)
        ]
        if len(fitting) < count:
            there = {0: "no picture", 1: "1 picture"}.get(len(fitting), f"{len(fitting)} pictures")
            whose = f" of {identity}" if identity else ""
            found = Counter(one.word.word for one in self.pictures if not identity or one.identity == identity)
            enough = sorted(name for name, number in found.items() if number >= count)
            others = (
                f" These have enough: {', '.join(enough[:12])}{' …' if len(enough) > 12 else ''}." if enough else ""
            )
            raise ValueError(f"There is {there} of “{word.word}”{whose}, and {count} are asked for.{others}")
        shuffled = random.Random(f"references-{seed}").sample(fitting, len(fitting))
        seen: Counter[str | None] = Counter()
        turns = []
        for picture in shuffled:
            turns.append(seen[picture.identity])
            seen[picture.identity] += picture.identity is not None
        order = sorted(range(len(shuffled)), key=lambda index: turns[index])
        return tuple(shuffled[index] for index in order[:count])

    def of_split(self, split: str) -> tuple[LabelledPicture, ...]:
        """The pictures of `train`, `validation` or `test`."""
        return tuple(picture for picture in self.pictures if picture.split == split)


def read_emo135(folder: Path | str, on_bad: str = "refuse") -> Emo135:
    """All labelled pictures under `folder`; none is opened.

    Malformed: a folder of pictures that no word is known for, a class folder without pictures, a row of the identity
    file that is broken or names a picture that is not there.
    Raises FileNotFoundError; BadRowError if refused; SplitError if an identity stands in two splits.
    """
    folder, bad = Path(folder), BadRows(on_bad)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    found = {
        path.relative_to(folder).as_posix(): LabelledPicture(path, word, split=split)
        for split, parent in _parents(folder)
        for word, path in _classes(parent, bad)
    }
    known = _identities(folder, found, bad)
    pictures = (replace(picture, **known.get(name, {})) for name, picture in found.items())
    read = Emo135(tuple(sorted(pictures, key=lambda one: (one.word.index, one.path.as_posix()))), bad)
    check_disjoint(((picture.identity, picture.split) for picture in read.pictures), str(folder))
    bad.log(str(folder))
    return read


def _parents(folder: Path) -> list[tuple[str | None, Path]]:
    """The folders that hold class folders, with the split that their name says, if any."""
    parts = [(known_split(child.name), child) for child in sorted(folder.iterdir()) if child.is_dir()]
    named = [(split, child) for split, child in parts if split is not None]
    return [*named, *([(None, folder)] if len(named) < len(parts) or not named else [])]


def _classes(parent: Path, bad: BadRows) -> Iterator[tuple[Word, Path]]:
    for child in sorted(parent.iterdir()):
        if not child.is_dir() or child.name.startswith(".") or known_split(child.name):
            continue
        files = sorted(path for path in child.rglob("*") if is_picture(path))
        word = bad.attempt(child, None, _class, child.name, len(files))
        if word is not None:
            yield from ((word, path) for path in files)


def _class(name: str, pictures: int) -> Word:
    try:
        word = class_of(name)
    except ValueError as error:
        raise Unexpected("a folder named after one of the 135 emotions", f"{shown(name)} ({error})") from error
    if not pictures:
        raise Unexpected("pictures (jpg, png, webp)", "a folder without any")
    return word


def _identities(folder: Path, found: Mapping[str, LabelledPicture], bad: BadRows) -> dict[str, dict[str, Any]]:
    """Picture → identity, split and about, from the identity file if there is one."""
    rows = (
        bad.attempt(file, place, _identity, name, row, found) for file, place, name, row in _identity_rows(folder, bad)
    )
    return dict(row for row in rows if row is not None)


def _identity_rows(folder: Path, bad: BadRows) -> Iterator[tuple[Path, int | str, Any, Any]]:
    file = folder / f"{IDENTITIES}.json"
    if file.is_file():
        content = bad.attempt(file, None, lambda: mapping(parsed(file.read_bytes()), "the file"))
        for name, row in (content or {}).items():
            yield file, name, name, row
    file = folder / f"{IDENTITIES}.csv"
    if file.is_file():
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            for row in reader:
                yield file, reader.line_num, row.get("picture"), row


def _identity(name: Any, row: Any, found: Mapping[str, LabelledPicture]) -> tuple[str, dict[str, Any]]:
    picture = text(name, "“picture”").replace("\\", "/")
    if picture not in found:
        raise Unexpected("a picture of the dataset", f"{shown(picture)}, which is not there")
    about = {key: value for key, value in mapping(row, "a row").items() if key != "picture"}
    identity = text(required(about, "identity", "a row"), "“identity”")
    name_of_split = text(required(about, "split", "a row"), "“split”")
    split = known_split(name_of_split)
    if split is None:
        raise Unexpected(f"“split” to be {', '.join(SPLITS)}", shown(name_of_split))
    if found[picture].split not in (None, split):
        raise Unexpected(f"“split” to be {found[picture].split}, as its folder says", shown(split))
    del about["identity"], about["split"]
    return picture, {"identity": identity, "split": split, "about": about}
