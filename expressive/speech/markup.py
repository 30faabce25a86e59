"""What a text for Dia holds beside words: tags of speakers and sounds that are no words."""

from __future__ import annotations

import re

NON_VERBALS = (
    *("laughs", "clears throat", "sighs", "gasps", "coughs", "singing", "sings", "mumbles", "beep", "groans", "sniffs"),
    *("claps", "screams", "inhales", "exhales", "applause", "burps", "humming", "sneezes", "chuckle", "whistles"),
)
"""The sounds that Dia knows, each in round brackets within a text (README of nari-labs/dia)."""

_TAG = rf"\[S\d+\]|\((?:{'|'.join(NON_VERBALS)})\)"
_BEFORE_POINT = re.compile(rf"(?:\s*(?:{_TAG}))+\s*(?=[,.;:!?…])", re.IGNORECASE)
_ANY = re.compile(_TAG, re.IGNORECASE)


def without_tags(text: str) -> str:
    """The words and punctuation alone: without "[S1]", "[S2]" and `NON_VERBALS`, on one line with single blanks.

    What else is in brackets stays.
    """
    return " ".join(_ANY.sub(" ", _BEFORE_POINT.sub("", text)).split())
