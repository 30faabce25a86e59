"""A face that feels something and speaks: whose mouth is it?

While someone speaks, speech owns what opens and shapes the lips; the emotion keeps the corners (a smile stays a smile),
and all of the face above the mouth. In silence the emotion has all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from .mouth import OPENING

KEPT = {
    "AU10": 0.35,
    "AU12": 0.8,
    "AU14": 0.7,
    "AU15": 0.7,
    "AU16": 0.3,
    "AU17": 0.4,
    "AU18": 0.3,
    "AU20": 0.4,
    "AU22": 0.1,
    "AU23": 0.4,
    "AU24": 0.1,
    "AU25": 0.25,
    "AU26": 0.2,
    "AU27": 0.15,
    "AU28": 0.0,
    "AU32": 0.0,
}
"""FACS code → share of the emotion's own intensity that a speaking mouth keeps; all others keep the whole."""


def spoken(
    emotion: Mapping[str, float], mouth: Mapping[str, float], speaking: float, touching: float
) -> dict[str, float]:
    """What to add to an emotion's action units for the mouth to speak: FACS code → change, below 0 where it gives way.

    emotion, mouth: action units of both. speaking, touching: 0 … 1, as `mouth.speaking` and `mouth.contact` tell.
    """
    change = {code: speaking * value for code, value in mouth.items()}
    for code, value in emotion.items():
        bare = code.rstrip("LR")
        kept = 1 - speaking * (1 - KEPT.get(bare, 1.0))
        if bare in OPENING:
            kept *= 1 - speaking * touching
        if kept < 1:
            change[code] = change.get(code, 0.0) - (1 - kept) * value
    return change
