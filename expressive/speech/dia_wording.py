"""How an emotion colours a text for Dia, which takes no emotion: sounds, punctuation and interjections.

Dia hears an emotion in what it reads, and in the voice that it follows. What is done here is little on purpose: sounds
that are too many sound false, and exclamation marks become shouting (issue 256 of nari-labs/dia). The choices and their
amounts are this project's design.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..emotion import Emotion
from .dia_text import Turn, seconds
from .markup import NON_VERBALS, without_tags
from .voices import AS_WRITTEN, SOUNDS, WORDINGS

LONG = 8.0
"""Seconds of a part from which on it may have two sounds."""

_EVERY = 2  # parts: only each so manieth has sounds
_LOUD, _ROUSED, _LOW = 0.8, 0.6, 0.5  # intensities from which on two “!”, one “!”, or a “…” fit
_FELT = 0.4  # intensity from which on an interjection fits


@dataclass(frozen=True)
class _Sound:
    """name: of NON_VERBALS. least: the intensity from which on it fits. first: before the words, else after them."""

    name: str
    least: float
    first: bool = True


_OF_CLASS = {
    "anger": (_Sound("groans", 0.7),),
    "disgust": (_Sound("groans", 0.5),),
    "fear": (_Sound("gasps", 0.65), _Sound("inhales", 0.35)),
    "joy": (_Sound("laughs", 0.75, first=False), _Sound("chuckle", 0.4, first=False)),
    "sadness": (_Sound("sniffs", 0.8), _Sound("sighs", 0.35)),
    "surprise": (_Sound("gasps", 0.5),),
}
"""Class of the text classifier → its sounds, the stronger first."""

_INTERJECTIONS = {
    "anger": "Look,",
    "disgust": "Ugh,",
    "fear": "Oh no,",
    "joy": "Oh,",
    "sadness": "Oh,",
    "surprise": "Wow,",
}
_INTERJECTED = re.compile(r"\W*(?:oh|ah|wow|ugh|look|hey|well|no|yes|hm+|ow|yay|ooh)\b", re.IGNORECASE)
_SMALL = frozenset(
    ("the a an it this that these those we you he she they there here my your his her our their what how why when "
     "where who and but so not never all some").split()
)  # fmt: skip
_TAG = re.compile(rf"\((?:{'|'.join(NON_VERBALS)})\)")
_END = re.compile(r"(?:(?<=[a-z]{3})\.+|[!?]+)(?=\s|$)")
"""Of a sentence; “Dr.” is none."""
_STOP = re.compile(r"(?<=[a-z]{3})\.(?=\s|$)|(?<!\.)\.$")


def worded(parts: Sequence[Sequence[Turn]], emotion: Emotion, wording: str = SOUNDS) -> list[tuple[Turn, ...]]:
    """The parts of a text, with what an emotion does to them.

    Every weight of the emotion counts: each class of the text classifier has its sounds, and the two strongest classes
    may be heard. Sounds come in the first part and in every second one after it, at most one, or two in `LONG` parts,
    and not where the text has its own. At most one “!” stays in a part, two where the emotion is very loud; one comes
    where it is loud and there is none, and “...” where it is low. Interjections begin the text. The last sentence of a
    turn gets a full stop if it has no end. `AS_WRITTEN` changes nothing. ValueError for none of `WORDINGS`.
    """
    if wording not in WORDINGS:
        raise ValueError(f"The wording {wording!r} is none of: {', '.join(WORDINGS)}.")
    if wording == AS_WRITTEN:
        return [tuple(part) for part in parts]
    felt = {name: weight for name, weight in emotion.text7().items() if name != "neutral"}
    found = []
    for index, part in enumerate(parts):
        changed = _punctuated(part, felt)
        if index == 0 and wording != SOUNDS:
            changed = [Turn(changed[0].speaker, _interjected(changed[0].text, felt)), *changed[1:]]
        if index % _EVERY == 0:
            changed = _with_sounds(changed, felt)
        found.append(tuple(changed))
    return found


def _with_sounds(part: list[Turn], felt: dict[str, float]) -> list[Turn]:
    if any(_TAG.search(turn.text) for turn in part):
        return part
    most = 2 if sum(seconds(turn.text) for turn in part) >= LONG else 1
    first, *rest = part
    text, added = first.text, []
    for name in sorted(felt, key=lambda name: -felt[name])[:2]:
        sound = next((one for one in _OF_CLASS[name] if felt[name] >= one.least), None)
        if sound is None or sound.name in added or len(added) == most:
            continue
        added.append(sound.name)
        text = f"({sound.name}) {text}" if sound.first else _after_a_sentence(text, f"({sound.name})")
    return [Turn(first.speaker, text), *rest]


def _after_a_sentence(text: str, tag: str) -> str:
    """Behind the first sentence; that is where people laugh."""
    end = _END.search(text)
    if end is None:
        return f"{text} {tag}"
    return f"{text[: end.end()]} {tag}{text[end.end() :]}"


def _punctuated(part: Sequence[Turn], felt: dict[str, float]) -> list[Turn]:
    loud = max(felt["joy"], felt["anger"], felt["surprise"])
    low = max(felt["sadness"], felt["fear"])
    left = 2 if loud >= _LOUD else 1
    found = []
    for turn in part:
        text = turn.text if re.search(r"[.!?\"')]$", turn.text) else f"{turn.text}."
        text = re.sub(r"[!?]*\?[!?]*", "?", re.sub(r"!{2,}", "!", text))
        kept = []
        for index, piece in enumerate(text.split("!")):
            kept.append(piece if index == 0 else (f"!{piece}" if left >= index else f".{piece}"))
        left = max(0, left - (len(kept) - 1))
        found.append(Turn(turn.speaker, "".join(kept)))
    if not any("!" in turn.text for turn in found):
        if loud >= _ROUSED and loud > low:
            found[0] = Turn(found[0].speaker, _STOP.sub("!", found[0].text, count=1))
        elif low >= _LOW:
            found[0] = Turn(found[0].speaker, _STOP.sub("...", found[0].text, count=1))
    return found


def _interjected(text: str, felt: dict[str, float]) -> str:
    """Begun with a word that says what is felt most, unless it begins with such a word."""
    name = max(felt, key=lambda name: felt[name])
    words = without_tags(text)
    if felt[name] < _FELT or _INTERJECTED.match(words) or not words:
        return text
    head = re.match(r"(?:\([^)]*\)\s*)*", text)
    place = head.end() if head else 0
    begun, rest = text[:place], text[place:]
    first = rest.split(maxsplit=1)[0].rstrip(",.;:!?").lower() if rest.strip() else ""
    if first in _SMALL:
        rest = rest[:1].lower() + rest[1:]
    return f"{begun}{_INTERJECTIONS[name]} {rest}"
