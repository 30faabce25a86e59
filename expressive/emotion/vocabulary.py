"""The three emotion vocabularies, read from the JSON files beside this module when first asked for.

- `emo135`: 135 nouns in 25 secondary and 6 primary classes (Shaver, Schwartz, Kirson and O'Connor, 1987), as in GenEAva
- `pixelsmile`: the 12 expressions of PixelSmile (arXiv 2603.25728), in its order
- `text7`: the 7 classes of the emotion text classifier, in the order of its ids

Ids such as `emo135.delight` are stable: saved graphs and trained weights name them.
"""

import difflib
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

VOCABULARIES = ("emo135", "pixelsmile", "text7")
"""In the order in which a plain word is looked up."""

REGIONS = ("mouth", "brows", "eyes", "cheeks_nose", "head_gaze")
"""The parts of a face that `Word.description` speaks of."""


@dataclass(frozen=True, eq=False)
class Word:
    """One emotion word. Words are the same object whenever they are asked for, and compare by identity.

    Attributes:
        id: `<vocabulary>.<word>`, stable.
        vocabulary: `emo135`, `pixelsmile` or `text7`.
        index: place in the vocabulary: 1 … 135, 1 … 12, or the classifier's id 0 … 6.
        word: as the vocabulary spells it.
        noun: for "an expression of …".
        adjective: for "a … face".
        aliases: other spellings that `resolve` understands, benchmark labels included.
        description: region (see `REGIONS`) → what is seen there at full intensity; each text continues the region's
            name, as in "brows" + "raised in full arches". Empty for `text7`.
        action_units: FACS code, such as `AU12`, or `AU14L` for the person's own left half → 0 … 1 (1 is FACS E).
        signs: `blush`, `tears`, `sweat` → 0 … 1.
        valence: unpleasant −1 … 1 pleasant.
        arousal: calm −1 … 1 roused.
        pixelsmile: share of each of the 12 expressions that comes closest; the sum is at most 1.
        text7: share of each of the 7 classes; the sum is 1.
        primary: `love`, `joy`, `surprise`, `anger`, `sadness` or `fear`; None outside emo135.
        secondary: one of the 25 inner classes; None outside emo135.
    """

    id: str
    vocabulary: str
    index: int
    word: str
    noun: str
    adjective: str
    aliases: tuple[str, ...]
    description: Mapping[str, str]
    action_units: Mapping[str, float]
    signs: Mapping[str, float]
    valence: float
    arousal: float
    pixelsmile: Mapping[str, float]
    text7: Mapping[str, float]
    primary: str | None
    secondary: str | None


def emo135() -> tuple[Word, ...]:
    """The 135 nouns in the order of the tree."""
    return _read("emo135")


def pixelsmile() -> tuple[Word, ...]:
    """The 12 expressions in the order of PixelSmile's inference code."""
    return _read("pixelsmile")


def text7() -> tuple[Word, ...]:
    """The 7 classes in the order of the text classifier's ids; `neutral` is one of them."""
    return _read("text7")


def primary_classes() -> tuple[str, ...]:
    """The six primary classes of the 135 words: love, joy, surprise, anger, sadness, fear."""
    return tuple(dict.fromkeys(word.primary for word in emo135() if word.primary))


def of_class(name: str) -> tuple[Word, ...]:
    """The words of one primary or secondary class, in the order of the tree.

    A name of both levels (`sadness`, `surprise`) means the primary class.

    Raises:
        ValueError: no such class.
    """
    for level in ("primary", "secondary"):
        words = tuple(word for word in emo135() if getattr(word, level) == name)
        if words:
            return words
    raise ValueError(f"“{name}” is no class of emotions. The primary classes are {', '.join(primary_classes())}.")


def entry(word_id: str) -> Word:
    """The word with a stable id such as `pixelsmile.happy`.

    Raises:
        ValueError: no such id; the message names ids that come close.
    """
    name = word_id.partition(".")[0]
    words = _by_id(name) if name in VOCABULARIES else {}
    if word_id not in words:
        known = [i for name in VOCABULARIES for i in _by_id(name)]
        raise ValueError(f"There is no emotion id “{word_id}”.{_close(word_id, known)}")
    return words[word_id]


def resolve(word: str) -> Word:
    """The word that someone typed: an id, one of the 135 nouns or its aliases, then the 12 expressions and the labels
    of their benchmark, then the 7 classes. Case and outer blanks do not matter.

    Raises:
        ValueError: unknown word; the message names words that come close.
    """
    spelling = word.strip().lower()
    if spelling.partition(".")[0] in VOCABULARIES and "." in spelling:
        return entry(spelling)
    for name in VOCABULARIES:
        found = _by_spelling(name).get(spelling)
        if found is not None:
            return found
    known = dict.fromkeys(s for name in VOCABULARIES for s in _by_spelling(name))
    raise ValueError(f"“{word.strip()}” is not an emotion word known here.{_close(spelling, list(known))}")


def _close(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=4, cutoff=0.6)
    if close:
        return f" Did you mean {' or '.join(close)}?"
    return " Use one of the 135 nouns (such as delight, grief, dread) or the 12 PixelSmile words (such as happy, shy)."


@functools.cache
def _by_id(name: str) -> dict[str, Word]:
    return {word.id: word for word in _read(name)}


@functools.cache
def _by_spelling(name: str) -> dict[str, Word]:
    words = {alias: word for word in _read(name) for alias in word.aliases}
    return words | {word.word: word for word in _read(name)}


@functools.cache
def _read(name: str) -> tuple[Word, ...]:
    text = Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")
    return tuple(_word(name, fields) for fields in json.loads(text)["entries"])


def _word(vocabulary: str, fields: dict[str, Any]) -> Word:
    if vocabulary == "pixelsmile":  # its own vocabulary maps to itself; the noun and the benchmark's label are aliases
        fields = fields | {
            "pixelsmile": {fields["word"]: 1.0},
            "aliases": list(dict.fromkeys([fields["noun"], fields["benchmark_label"].lower(), fields["adjective"]])),
        }
    if vocabulary == "text7":  # a class looks like the expressions it maps to
        fields = fields | {
            "text7": {fields["word"]: 1.0},
            "action_units": _blend("action_units", fields["pixelsmile"]),
            "signs": _blend("signs", fields["pixelsmile"]),
        }
    return Word(
        id=fields["id"],
        vocabulary=vocabulary,
        index=fields["index"],
        word=fields["word"],
        noun=fields.get("noun", fields["word"]),
        adjective=fields["adjective"],
        aliases=tuple(fields.get("aliases", ())),
        description=MappingProxyType(fields.get("description", {})),
        action_units=MappingProxyType(fields["action_units"]),
        signs=MappingProxyType(fields["signs"]),
        valence=fields["valence"],
        arousal=fields["arousal"],
        pixelsmile=MappingProxyType(fields["pixelsmile"]),
        text7=MappingProxyType(fields["text7"]),
        primary=fields.get("primary"),
        secondary=fields.get("secondary"),
    )


def _blend(what: str, shares: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for word, share in shares.items():
        for key, value in getattr(_by_id("pixelsmile")[f"pixelsmile.{word}"], what).items():
            total[key] = total.get(key, 0.0) + share * value
    return total
