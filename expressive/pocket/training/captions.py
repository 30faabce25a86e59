"""Captions: an expression's name in PixelSmile's sentence, never its intensity; sometimes that of a similar one."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ...emotion import vocabulary
from .. import text
from .people import EXPRESSIONS

SYNONYM_SHARE = 0.7  # one of the 135 words names an expression if it is at least this much of it


def prompt(word: str, subject: str = "person") -> str:
    """PixelSmile's sentence for an expression word, "neutral" included; subject: 'person' or 'character'."""
    return f"Edit the {subject} to show a {word} expression"


def names(expression: str) -> list[str]:
    """An expression's word, then other single words for it: noun, adjective, those of the 135 that are mostly this."""
    if expression == "neutral":
        return [expression]
    own = vocabulary.entry(f"pixelsmile.{expression}")
    others = [w.word for w in vocabulary.emo135() if w.pixelsmile.get(expression, 0.0) >= SYNONYM_SHARE]
    found = dict.fromkeys([own.word, own.noun, own.adjective, *others])
    return [name for name in found if name in text.vocabulary()]


class Captions:
    """Draws the captions of a batch as token ids.

    pairs: expressions that captions confuse: each is called by the other's name with probability `noise`.
    synonyms: probability of another name than the expression's own word.
    """

    def __init__(self, pairs: Iterable[Iterable[str]], noise: float, synonyms: float) -> None:
        self._other = {a: b for x, y in pairs for a, b in ((x, y), (y, x))}
        unknown = set(self._other) - set(EXPRESSIONS)
        if unknown:
            raise ValueError(f"The config confuses {', '.join(sorted(unknown))}, which no drawing shows.")
        self._noise, self._synonyms = noise, synonyms
        self._names = {e: names(e) for e in EXPRESSIONS}
        self._tokens = {
            (word, subject): text.tokenize(prompt(word, subject))
            for words in self._names.values()
            for word in words
            for subject in ("person", "character")
        }

    def draw(self, expressions: Tensor, character: Tensor, generator: torch.Generator) -> Tensor:
        """Indices into EXPRESSIONS [B] and whether each is a character [B] → token ids [B,14]."""
        chances = torch.rand(len(expressions), 3, generator=generator).tolist()
        rows = []
        for index, drawn, (confuse, other, which) in zip(
            expressions.tolist(), character.tolist(), chances, strict=True
        ):
            expression = EXPRESSIONS[index]
            if confuse < self._noise:
                expression = str(self._other.get(expression, expression))
            words = self._names[expression]
            word = words[1 + int(which * (len(words) - 1))] if other < self._synonyms and len(words) > 1 else words[0]
            rows.append(self._tokens[word, "character" if drawn else "person"])
        return torch.tensor(rows)
