"""The assistant that needs no model: it follows MAVAGEN's protocol (§3.1) and answers by what the user feels.

First it asks for gender and age, then "How can I help you today?"; what is said meanwhile is heard all the same. The
wordings stand in script.json. It knows nothing of the world and says so, gives no medical advice, and sends who is in
danger to people.
"""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .avatar_request import ADULTS, AvatarRequest, Reading, read, request_of
from .history import Turn

if TYPE_CHECKING:
    from ..emotion import Emotion

FELT = 0.25
"""Intensity of an emotion below which the answer is neutral."""
SECOND = 0.5
"""What the second emotion must have of the first one's weight to be spoken of."""
SENTENCES = 3

_DANGER = re.compile(
    r"kill(?:ing)? myself|suicid|\bkms\b|unalive|overdos|tak(?:e|ing) my (?:own )?life|wan(?:t to|na) die"
    r"|end(?:ing)? (?:my life|it all|it (?:tonight|now|today)|it\W*$)|goodbye (?:forever|world)|(?:last|final) goodbye"
    r"|wish i (?:was|were|wasn'?t|weren'?t) (?:dead|alive)|(?:better off|rather be) dead|better off without me"
    r"|miss me if i|(?:hurt|harm|cut)(?:ting|ing)? myself|been cutting|self[- ]harm|disappear forever"
    r"|no (?:reason|point) (?:to live|in living)|point (?:of|in) living|(?:isn'?t|not) worth living"
    r"|(?:can'?t|cannot) go on(?: any ?more| like this)?\W*$|never wake up|not wake up again"
    r"|do(?:n'?t| not) (?:want to|wanna) (?:live|be alive|be here|wake up|exist)"
    r"|jump(?:ing)? (?:off (?:the|a) (?:bridge|roof|building|cliff)|in front of)"
    r"|(?:will|to|gonna|wanna|might) (?:kill|murder|stab|shoot|hurt) "
    r"(?:me|us|him|her|them|my \w+|some\w+|people|every\w+)\b"
    r"|\b(?:he|she|husband|wife|boyfriend|girlfriend|partner|father|dad|mother|mom|mum|uncle|brother) "
    r"(?:hits|beats|chokes|choked|abuse[ds]|molested|touche[ds]|raped|threaten(?:s|ed)) me\b|\brap(?:e|ed|ing)\b"
    r"|molest|(?:i'm|im|am|feel) not safe|\bunsafe\b|chest pain|(?:can'?t|cannot) breathe|heart attack"
    r"|(?:too many|a lot of|lots of|all (?:of )?(?:my|the)) (?:\w+ )?(?:pills|tablets)"
)
"""Rather once too often: an idiom is answered with care, too."""
_SHORT = 6  # words of what is said after that, and is still about it
_MEDICINE = re.compile(
    r"\b(?:diagnos\w*|dos(?:e|es|age)|medic(?:ation|ine|ines|al)|pills?|tablets?|prescri\w*|antidepress\w*|painkillers?"
    r"|symptoms?|ibuprofen|paracetamol|aspirin|insulin|antibiotics?|side effects?|therapy|treatment)\b"
)
_ADVICE = re.compile(r"\?|should i|can i|may i|how (?:much|many)|is it safe")
_SMALL_TALK = {  # case of the script → how it is said, in at most so many words
    "goodbye": (
        re.compile(
            r"^\W*(?:(?:ok(?:ay)?|well|thanks?|thank you)\W+)*"
            r"(?:good ?bye|bye|see you|good ?night|farewell|take care(?! of))\b"
        ),
        9,
    ),
    "thanks": (re.compile(r"\b(?:thanks|thank you|thx|cheers)\b(?! for nothing)"), 8),
    "wellbeing": (
        re.compile(r"\bhow (?:are|have) you\b(?! so)|\bhow(?:'s| is) it going\b|\bhow do you do\b|what's up"),
        10,
    ),
    "about": (re.compile(r"\b(?:who|what) are you\b|\bare you (?:a |an )?(?:real|human|robot|bot|ai)\b|your name"), 12),
    "greeting": (re.compile(r"^\W*(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day))\b"), 4),
}


def reply(message: str, history: Sequence[Turn] = (), emotion: Emotion | None = None, seed: int = 0) -> str:
    """What is said to a message, in about one to three sentences; the same for the same seed.

    emotion: what the user feels. An empty message opens the conversation. ValueError for one in the midst of it.
    """
    speaker = _Speaker(message, history, seed)
    if not message.strip():
        if history:
            raise ValueError("The message is empty. Write what the user says.")
        return speaker.say("opening")
    known, asked = request_of(history)
    reading = read(message, known, asked)
    if _in_danger(message, history):
        return speaker.say("danger")
    now = reading.added_to(known)
    heard: list[str] = []
    if reading.rest:
        heard = _answer(speaker, reading.rest, emotion, brief=not now.complete)
    elif reading == Reading() and history:
        heard = _small_talk(speaker, message, brief=not now.complete)
        if not heard and now.complete:
            heard = _answer(speaker, message, emotion, brief=False)
    return " ".join(_protocol(speaker, reading, known, heard, first=not history))


def _protocol(speaker: _Speaker, reading: Reading, known: AvatarRequest, heard: list[str], first: bool) -> list[str]:
    """The sentences that gender and age call for, around those that answer the rest, `heard`."""
    now = reading.added_to(known)
    if reading.refused is not None:
        refusal = speaker.say("refused", age=reading.refused, youngest=ADULTS[0], oldest=ADULTS[1])
        return [*heard[:1], refusal]
    told = reading.gender is not None or reading.age is not None
    if not now.complete:
        if first and not told and not heard:
            return [speaker.say("opening")]
        noted = [speaker.say("noted", who=now.described)] if told else []
        return [*noted, *heard, speaker.say("ask", now.missing)]
    if not told:
        return heard
    case = "same" if now == known else "changed" if known.complete else "complete"
    if heard:
        return [speaker.say("noted" if case == "complete" else case, who=now.described), *heard]
    return [speaker.say(case, who=now.described), speaker.say("help" if case == "complete" else "onward")]


def _answer(speaker: _Speaker, talk: str, emotion: Emotion | None, brief: bool) -> list[str]:
    """Sentences that answer what was said apart from any request. brief: a question for gender or age comes after."""
    plain = _plain(talk)
    if _MEDICINE.search(plain) and _ADVICE.search(plain):
        return [speaker.say("medical")]
    small = _small_talk(speaker, talk, brief)
    if small:
        return small
    mood, second = moods(emotion)
    if mood == "neutral" and plain.endswith("?"):
        return [speaker.say("question", silent=brief)]
    parts = [speaker.say("mood", mood, "heard")]
    if second is not None and _sentences(parts) + 2 <= SENTENCES:
        parts.append(speaker.say("mood", second, "also"))
    if not brief and _sentences(parts) < SENTENCES:
        parts.append(speaker.say("mood", mood, "asks", most=SENTENCES - _sentences(parts)))
    return parts


def _in_danger(message: str, history: Sequence[Turn]) -> bool:
    """Whether somebody may be, by what is said now, or was said just before and is hardly answered."""
    before = [turn.text for turn in history if turn.role == "user"][-1:]
    still = len(message.split()) <= _SHORT and any(_DANGER.search(_plain(text)) for text in before)
    return still or _DANGER.search(_plain(message)) is not None


def _small_talk(speaker: _Speaker, talk: str, brief: bool) -> list[str]:
    """The answer to a greeting, to thanks …, or nothing if it is none."""
    plain = _plain(talk)
    for case, (wording, most) in _SMALL_TALK.items():
        if wording.search(plain) and len(plain.split()) <= most:
            more = [speaker.say("help")] if case == "greeting" and not brief else []
            return [speaker.say(case, silent=brief), *more]
    return []


def moods(emotion: Emotion | None) -> tuple[str, str | None]:
    """The strongest of PixelSmile's twelve expressions in an emotion, or "neutral", and a second one that counts."""
    weights = emotion.pixelsmile() if emotion is not None else {}
    ranked = sorted(weights, key=lambda word: -weights[word])
    if not ranked or sum(weights.values()) < FELT:
        return "neutral", None
    first, second = ranked[:2]
    return first, second if weights[second] >= SECOND * weights[first] and weights[second] > 0 else None


class _Speaker:
    """Chooses wordings by a generator of its own, and none that was used before while there are others."""

    def __init__(self, message: str, history: Sequence[Turn], seed: int) -> None:
        self._generator = random.Random(f"{seed}\n{len(history)}\n{message}")
        self._said = [turn.text for turn in history if turn.role == "assistant"]

    def chance(self) -> float:
        """0 … 1"""
        return self._generator.random()

    def say(self, *case: str, silent: bool = False, most: int | None = None, **words: Any) -> str:
        """A wording of a case of the script. silent: rather none with a question. most: at most so many sentences."""
        found: Any = script()
        for key in case:
            found = found[key]
        wordings = [found] if isinstance(found, str) else list(found)
        if most is not None:
            wordings = [one for one in wordings if _sentences([one]) <= most] or wordings
        if silent:
            wordings = [one for one in wordings if "?" not in one] or wordings
        fresh = [one for one in wordings if not any(_core(one) in text for text in self._said)]
        chosen = self._generator.choice(fresh or wordings)
        if "who" in words:
            words["Who"] = words["who"][0].upper() + words["who"][1:]
        return chosen.format(**words)


@functools.cache
def script() -> dict[str, Any]:
    """The wordings by case."""
    return json.loads(Path(__file__).with_name("script.json").read_text(encoding="utf-8"))


def _core(wording: str) -> str:
    """The longest part of a wording that is the same whatever is put into it."""
    return max((part.strip() for part in re.split(r"\{\w+\}", wording)), key=len)


def _sentences(parts: Sequence[str]) -> int:
    return len(re.findall(r"[.!?]+(?:\s|$)", " ".join(parts)))


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("’", "'").split())
