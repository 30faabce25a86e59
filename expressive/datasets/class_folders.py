"""Folders named after the 135 emotions; imports little, so that a host can look for them as it starts."""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ..emotion import vocabulary
from ..emotion.vocabulary import Word
from .splits import known_split


def class_of(folder: str) -> Word:
    """The word of Emo135 that a folder's name means: "delight", "grouchy", "028_happiness", "Hatred-69".

    Raises ValueError if it means none; the message names words that come close.
    """
    name = _plain(folder)
    if name in _spellings():
        return _spellings()[name]
    word = vocabulary.resolve(name or folder)
    if word.vocabulary != "emo135":
        raise ValueError(f"“{name}” is a word of {word.vocabulary}, not one of the 135 nouns.")
    return word


def is_emo135(folder: Path) -> bool:
    """Whether it has a class folder, itself or in a folder named as a split; a folder that cannot be read has none.

    Quick, because a host asks it of all folders whenever it lists its nodes: files are not looked at.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return False
    return any(_plain(name) in _spellings() for name in names) or any(
        is_emo135(folder / name) for name in names if known_split(name)
    )


def _plain(folder: str) -> str:
    """A folder's name in small letters, without a number before or behind it."""
    return re.sub(r"^\d+[\s_.-]*|[\s_.-]*\d+$", "", folder.strip()).lower()


@functools.cache
def _spellings() -> Mapping[str, Word]:
    """Nouns, aliases, and adjectives that belong to one noun alone."""
    words = vocabulary.emo135()
    often = Counter(word.adjective for word in words)
    spellings = {word.adjective: word for word in words if often[word.adjective] == 1}
    for word in words:
        spellings |= {alias: word for alias in word.aliases}
    return spellings | {word.word: word for word in words}
