"""A text cut at the ends of its sentences."""

from __future__ import annotations

from ..encoders import loading


def sentences(text: str, language: str = "en") -> list[str]:
    """The sentences of a text without outer blanks, in order; none of them is empty. ImportError without sentencex."""
    segment = loading.package("sentencex", "find the sentences of a text").segment
    return [found for part in segment(language, text) if (found := " ".join(part.split()))]


def cut(text: str, parts: int) -> list[str]:
    """A text in at most so many parts of about as many words each."""
    words = text.split()
    size = -(-len(words) // max(1, parts))
    return [" ".join(words[start : start + size]) for start in range(0, len(words), max(1, size))]
