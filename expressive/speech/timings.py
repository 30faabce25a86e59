"""The timings of a speech as JSON, for animation programs and for people."""

from __future__ import annotations

import json
from typing import Any

from ..pocket.talking.visemes import parts
from .spoken import Speech, Timed

_DECIMALS = 4  # of seconds


def timings(speech: Speech) -> dict[str, Any]:
    """`seconds`, `words`, `phonemes` (IPA, pauses are "") and `visemes`, each with `start` and `end` in seconds.

    Visemes are `expressive.pocket.talking.VISEMES`, two of a diphthong, with a `strength` of 0 … 1. Without phonemes
    there are none.
    """
    return {
        "seconds": round(speech.seconds, _DECIMALS),
        "words": [_told("text", word) for word in speech.words],
        "phonemes": [_told("text", phoneme) for phoneme in speech.phonemes],
        "visemes": _visemes(speech),
    }


def timings_json(speech: Speech) -> str:
    """`timings` as one line of JSON."""
    return json.dumps(timings(speech), ensure_ascii=False)


def _visemes(speech: Speech) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for phoneme in speech.phonemes:
        start, length, shapes = phoneme.start, phoneme.end - phoneme.start, parts(phoneme.text)
        for index, part in enumerate(shapes):
            end = start + part.share * length if index + 1 < len(shapes) else phoneme.end
            found.append({**_told("viseme", Timed(part.viseme, start, end)), "strength": round(part.strength, 2)})
            start = end
    return found


def _told(name: str, timed: Timed) -> dict[str, Any]:
    return {name: timed.text, "start": round(timed.start, _DECIMALS), "end": round(timed.end, _DECIMALS)}
