"""Texts that Dia takes: who says what, sounds that it knows, and parts of a length at which it speaks well.

The rules are those of the README of nari-labs/dia: a text begins with [S1], speakers take turns, sounds are a few known
words in round brackets, five to twenty seconds are spoken at once, and the tag of the second-to-last speaker stands at
the end.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .markup import NON_VERBALS, without_tags
from .sentences import cut, sentences

LONGEST = 14.0
"""Seconds that are spoken at once, about: beyond twenty Dia hurries, and a voice to follow wants room as well."""

MOST_BYTES = 1024
"""Of a text, with its tags, as UTF-8."""

_WORDS, _LETTERS = 2.8, 14.0  # that Dia speaks in a second
_DIGIT = 4  # letters that it takes to say one
_STOP, _SOUND = 0.25, 0.8  # seconds of a pause between sentences, and of a sound

_OTHER_NAMES = {
    "laughs": ("laugh", "laughing", "laughter", "lol", "haha"),
    "chuckle": ("chuckles", "chuckling", "giggle", "giggles", "giggling", "snickers"),
    "clears throat": ("clear throat", "clears his throat", "clears her throat", "clearing throat", "throat clearing"),
    "sighs": ("sigh", "sighing"),
    "gasps": ("gasp", "gasping"),
    "coughs": ("cough", "coughing"),
    "mumbles": ("mumble", "mumbling", "mutters"),
    "groans": ("groan", "groaning", "moans"),
    "sniffs": ("sniff", "sniffles", "sniffling", "sobs", "sobbing", "cries", "crying"),
    "claps": ("clap", "clapping"),
    "screams": ("scream", "screaming"),
    "inhales": ("inhale", "inhaling", "breathes in", "deep breath", "takes a deep breath"),
    "exhales": ("exhale", "exhaling", "breathes out"),
    "humming": ("hum", "hums"),
    "sneezes": ("sneeze", "sneezing"),
    "whistles": ("whistle", "whistling"),
    "burps": ("burp", "burping"),
}
_NAMES = {name: name for name in NON_VERBALS} | {
    other: name for name, others in _OTHER_NAMES.items() for other in others
}

_SPEAKER = re.compile(r"\[\s*s(?:peaker)?\s*(\d+)\s*\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\*+([^*\n]+)\*+")
_SOUND_TAG = re.compile(rf"(\((?:{'|'.join(NON_VERBALS)})\))")
_PLAIN = str.maketrans(dict.fromkeys("‘’‛ʼ`´", "'") | dict.fromkeys("“”„«»", '"') | {"‐": "-", "‑": "-"})
_MARKUP = str.maketrans(dict.fromkeys("()[]{}*_#<>|~^\\", " "))
_KEPT = ("L", "N", "P", "Sc", "Sm")  # categories of signs that are read


@dataclass(frozen=True)
class Turn:
    """What a speaker, 1 or 2, says."""

    speaker: int
    text: str


def turns(text: str) -> tuple[Turn, ...]:
    """Who says what, in order: the first is speaker 1, and each other than the one before.

    Tags [S1] and [S2] are read in any spelling; without them all is said by one. Sounds in brackets get the names that
    Dia knows; another word in brackets is a stage direction and is left out, several are said between commas. Signs
    that are not read, such as emoji, go. Raises ValueError: nothing to say, a third speaker, or another script.
    """
    before, *rest = _SPEAKER.split(text)
    found: list[Turn] = []
    for number, said in [("1", before), *zip(rest[::2], rest[1::2], strict=True)]:
        words = cleaned(said)
        if int(number) not in (1, 2):
            raise ValueError(f"Dia knows two speakers, [S1] and [S2], but the text has [S{number}]. Use these two.")
        if words:
            found.append(Turn(int(number), words))
    letters = [sign for turn in found for sign in without_tags(turn.text) if sign.isalnum()]
    if not letters:
        raise ValueError("There is nothing to say: the text has no words. Write what is to be said.")
    if sum(sign.isascii() for sign in letters) < len(letters) / 2:
        raise ValueError("Dia speaks English alone, but the text is in another script. Translate it first.")
    return started(found)


def started(said: Sequence[Turn]) -> tuple[Turn, ...]:
    """The same with neighbouring turns of one speaker as one, and both renamed if the first is not speaker 1."""
    named = said if said[0].speaker == 1 else [Turn(3 - turn.speaker, turn.text) for turn in said]
    return _joined(named)


def cleaned(text: str) -> str:
    """What one speaker says, as `turns` describes it, on one line."""
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    text = re.sub(r"(?m)^\s*[-•*+]\s+", ", ", text)  # items of a list
    text = _BRACKETS.sub(_said, text)
    text = re.sub(r"(?<=\d)[–—](?=\d)", "-", text)
    text = re.sub(r"\s*(?:[–—―]|\s-+(?=\s)|-{2,})\s*", ", ", text)
    parts = _SOUND_TAG.split(text)  # every other one is a sound
    parts[::2] = [part.translate(_MARKUP) for part in parts[::2]]
    text = "".join(sign if unicodedata.category(sign).startswith(_KEPT) else " " for sign in "".join(parts))
    text = re.sub(r"\s+(?=[,.;:!?])", "", " ".join(text.split()))
    text = re.sub(r"[,;:]+(?=[,.;:!?])|(?<=[.!?]),+", "", text)
    return text.lstrip(" ,.;:!?").rstrip(" ,;:")


def seconds(text: str) -> float:
    """About how long Dia takes for a text; tags of speakers take no time."""
    words = without_tags(text)
    letters = sum(_DIGIT if sign.isdigit() else sign.isalnum() for sign in words)
    stops = len(re.findall(r"[.!?]+(?=\s|$)", words))
    return max(len(words.split()) / _WORDS, letters / _LETTERS) + _STOP * stops + _SOUND * len(_SOUND_TAG.findall(text))


def chunks(said: Sequence[Turn], longest: float = LONGEST) -> list[tuple[Turn, ...]]:
    """The turns in as few parts of up to `longest` seconds as will do, of lengths as equal as sentences let them be.

    Parts end where sentences end; a sentence that is too long alone is cut at its commas, or else between words.
    """
    pieces = [
        Turn(turn.speaker, piece)
        for turn in said
        for sentence in _sentences(turn.text)
        for piece in _fitting(sentence, longest)
    ]
    lengths = [seconds(piece.text) for piece in pieces]
    aim = sum(lengths) / max(1, -(-sum(lengths) // longest))
    best, ends = [0.0], [0]  # the cost of the pieces before each one, and where the last part among them begins
    for end in range(1, len(pieces) + 1):
        costs = {}
        for begin in range(end - 1, -1, -1):
            length = sum(lengths[begin:end])
            if length > longest and begin < end - 1:
                break
            costs[begin] = best[begin] + (length - aim) ** 2
        ends.append(min(costs, key=lambda begin: costs[begin]))
        best.append(costs[ends[-1]])
    found: list[tuple[Turn, ...]] = []
    end = len(pieces)
    while end:
        found.append(_joined(pieces[ends[end] : end]))
        end = ends[end]
    return found[::-1]


def written(said: Sequence[Turn], voice: Sequence[Turn] = ()) -> str:
    """Turns as Dia reads them: “[S1] … [S2] … [S1]”, behind those of the voice that it is to go on with.

    Raises ValueError for more than `MOST_BYTES`.
    """
    every = started([*voice, *said])
    text = f"{tagged(every)} [S{3 - every[-1].speaker}]"
    size = len(text.encode())
    if size > MOST_BYTES:
        raise ValueError(
            f"Dia reads {MOST_BYTES} bytes at once, but the text has {size}, {len(written(voice)) if voice else 0} of "
            "them the voice's transcript. Speak shorter parts, or take a shorter voice."
        )
    return text


def tagged(said: Sequence[Turn]) -> str:
    """Turns with their speakers' tags, on one line."""
    return " ".join(f"[S{turn.speaker}] {turn.text}" for turn in said)


def _said(brackets: re.Match[str]) -> str:
    """What a part in brackets becomes."""
    aside, direction, starred = brackets.groups()
    inner = next(part for part in (aside, direction, starred) if part is not None)
    words = re.findall(r"[^\W\d_]+", inner.lower())
    manner = all(word.endswith("ly") for word in words[1:])
    sound = _NAMES.get(" ".join(words)) or (_NAMES.get(words[0]) if words and manner else None)
    if sound:
        return f" ({sound}) "
    if starred is not None:
        return inner
    if direction is not None or len(inner.split()) < 2:
        return " "
    return f", {inner.strip(' ,.;:')}, "


def _sentences(text: str) -> list[str]:
    """Of a turn; sounds on their own belong to the sentence before, or to the first."""
    found: list[str] = []
    for sentence in sentences(text):
        if found and not (_worded(found[0]) and _worded(sentence)):
            found[-1] += f" {sentence}"
        else:
            found.append(sentence)
    return found


def _worded(text: str) -> bool:
    return any(sign.isalnum() for sign in without_tags(text))


def _fitting(sentence: str, longest: float) -> list[str]:
    if seconds(sentence) <= longest:
        return [sentence]
    whole = _SOUND_TAG.sub(lambda tag: tag[0].replace(" ", "_"), sentence)  # a sound is not cut
    found: list[str] = []
    for clause in re.split(r"(?<=[,;:])\s+", whole):
        length = seconds(clause)
        found += [clause] if length <= longest else cut(clause, int(1.3 * length / longest) + 1)
    return [part.replace("_", " ") for part in found]


def _joined(pieces: Sequence[Turn]) -> tuple[Turn, ...]:
    """Neighbouring pieces of one speaker as one turn; who speaks stays."""
    found: list[Turn] = []
    for piece in pieces:
        if found and found[-1].speaker == piece.speaker:
            found[-1] = Turn(piece.speaker, f"{found[-1].text} {piece.text}")
        else:
            found.append(piece)
    return tuple(found)
