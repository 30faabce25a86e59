"""Whom the user wants to see: gender and age out of free words (MAVAGEN §3.1, "Generate a Y-year-old [G] avatar").

A message is read clause by clause. A clause counts where it asks ("make him 52", "I'd like a woman of thirty") or is
nothing but a description ("male, mid-forties"); talk about other people ("my mother is 60 and ill") does not. Once
gender and age are known, a bare description counts only if it gives both, so that "thirty years" may be small talk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .ages import PLAUSIBLE, age_at, words_of
from .avatar_words import (
    ARTICLES,
    AVATARS,
    BREAKS,
    DENIALS,
    FILLERS,
    FORMS_OF_ADDRESS,
    LETTERS,
    MARKS,
    MODALS,
    NARROW,
    NOUNS,
    ORDERS,
    PEOPLE,
    POLITE,
    POSSESSIVES,
    PRONOUNS,
    RELATIVES,
    SUBJECTS,
    WISHES,
)
from .history import Turn

ADULTS = (18, 100)
"""Years of people who can be shown, both included: HaGRID's subjects are adults."""

_ADJECTIVES = 3  # unknown words between an article and its noun
_LETTER_DOTS = re.compile(r"\b(y)\s*\.\s*(o)\b\.?|\b(yrs?|mrs?|ms|dr)\.", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[!?;\n…]+|(?<!\d)\.+|\.+(?!\d)"
    r"|,?\s+(?:and|but|because|since|so|as|though|while)\s+(?=(?:i|i['’](?:m|ve|d)|my|we|our)\b)"
    r"|,\s+(?=(?:i|i['’](?:m|ve|d)|my|we|our)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AvatarRequest:
    """What is known of the avatar: gender (one of `GENDERS`) and age in years (within `ADULTS`), None if not said."""

    gender: str | None = None
    age: int | None = None

    @property
    def complete(self) -> bool:
        return self.gender is not None and self.age is not None

    @property
    def missing(self) -> str:
        """For people: "gender and age", "gender", "age", ""."""
        return " and ".join(name for name in ("gender", "age") if getattr(self, name) is None)

    @property
    def described(self) -> str:
        """For people: "a woman of 30", "a man", "somebody of 30", "somebody"."""
        who = f"a {self.gender}" if self.gender else "somebody"
        return who if self.age is None else f"{who} of {self.age}"


@dataclass(frozen=True)
class Reading:
    """What one message asks for.

    refused: an age that cannot be shown. rest: what else is said, without greetings.
    """

    gender: str | None = None
    age: int | None = None
    refused: int | None = None
    rest: str = ""

    def added_to(self, known: AvatarRequest) -> AvatarRequest:
        """What is said now replaces what was known."""
        return AvatarRequest(self.gender or known.gender, known.age if self.age is None else self.age)


@dataclass(frozen=True)
class _Description:
    """weak: only a pronoun tells the gender."""

    gender: str | None
    age: int | None
    weak: bool


def read(message: str, known: AvatarRequest | None = None, asked: bool = False) -> Reading:
    """What a message asks for. known: so far. asked: the assistant has just asked for it, so that more counts."""
    complete = known is not None and known.complete
    text = _LETTER_DOTS.sub(lambda found: found[3] or f"{found[1]}{found[2]}", message)
    reading = Reading()
    rest: list[tuple[int, int]] = []
    goes_on = False
    for start, end in _clauses(text):
        words = words_of(text[start:end])
        described = _described(words, complete, asked)
        if described is not None:
            reading = _with(reading, described)
        other = described is None and any(word not in FILLERS and word not in MARKS for word in words)
        if other:
            rest.append((rest.pop()[0] if goes_on else start, end))
        goes_on = other
    return replace(reading, rest=" ".join(text[start:end] for start, end in rest))


def request_of(history: Sequence[Turn]) -> tuple[AvatarRequest, bool]:
    """What the user has asked for so far, and whether the last turn asked for what is missing, or for another age."""
    known, asked, refused = AvatarRequest(), False, False
    for turn in history:
        if turn.role == "user":
            reading = read(turn.text, known, asked)
            known, refused = reading.added_to(known), reading.refused is not None
        asked = turn.role == "assistant" and (refused or not known.complete)
    return known, asked


def _with(found: Reading, described: _Description) -> Reading:
    gender = described.gender or found.gender
    if described.age is None:
        return replace(found, gender=gender)
    if ADULTS[0] <= described.age <= ADULTS[1]:
        return replace(found, gender=gender, age=described.age, refused=None)
    return replace(found, gender=gender, refused=described.age)


def _clauses(text: str) -> list[tuple[int, int]]:
    """Start and end of each clause, its mark included: cut where sentences end and users go on about themselves."""
    clauses, start = [], 0
    for cut in _CLAUSE.finditer(text):
        marked = not cut[0].strip(".!?…")
        clauses.append((start, cut.end() if marked else cut.start()))
        start = cut.end()
    clauses.append((start, len(text)))
    trimmed = [(end - len(text[start:end].lstrip(" ,;\n")), end) for start, end in clauses]
    return [(start, start + len(text[start:end].rstrip(" ,;\n"))) for start, end in trimmed if start < end]


def _described(words: Sequence[str], complete: bool, asked: bool) -> _Description | None:
    found: _Description | None = None
    for start in _starts(words):
        more = _description(words, start, loose=True)
        if more is not None and found is not None:
            gender = found.gender if more.gender is None or (more.weak and found.gender) else more.gender
            more = _Description(gender, found.age if more.age is None else more.age, found.weak and more.weak)
        found = more or found
    if found is not None:
        return found
    found = _description(words, 0, loose=asked, first=not complete)
    if found is None or (found.weak and not asked):
        return None
    both = None not in (found.gender, found.age)
    told = any(word in AVATARS or word in ("gender", "age", "sex", "instead") for word in words)
    return found if both or told or asked or not complete else None


def _starts(words: Sequence[str]) -> list[int]:
    """The indices behind each verb that asks for what follows."""
    starts = []
    for at, word in enumerate(words):
        before, after = words[max(0, at - 3) : at], list(words[at + 1 : at + 3])
        last = words[at - 1] if at else ""
        if word in WISHES:
            asks = True
        elif word in ORDERS:
            wished = any(one in WISHES or one in ("like", "love", "you") for one in words[:at])
            asks = last not in SUBJECTS and (last != "to" or wished)
        elif word == "be":
            asks = not at or (last in NARROW["be"] and any(one in MODALS or one in WISHES for one in words[:at]))
        elif word in ("for", "with", "about"):
            asks = last in NARROW[word]
        else:
            asks = word in NARROW and (not at or any(one in NARROW[word] for one in before))
        if not asks or any(one in DENIALS for one in before):
            continue
        if after in (["to", "be"], ["to", "become"]):  # "I want to be a good mother" is about the user
            continue
        starts.append(at + 3 if after[:1] == ["to"] and after[1:] and after[1] in NARROW else at + 1)
    return starts


def _description(words: Sequence[str], start: int, loose: bool, first: bool = False) -> _Description | None:
    """The description that the words from `start` on are, or None if there is something else among them.

    loose: behind "with", "who" … anything may follow, and a mere form of address counts. first: anything may follow
    where gender and age are told.
    """
    gender: str | None = None
    pointed: str | None = None
    lettered: str | None = None
    age: int | None = None
    headed = determined = called = denied = False
    unknown: int | None = None  # how many words since an article, None where no noun is to come
    at = start
    while at < len(words):
        word, following = words[at], words[at + 1 : at + 2]
        found = bool(gender or age)
        years = age_at(words, at)
        last = years is not None and years.end >= len(words) and (loose or gender is not None)
        if years is not None and (years.marked or last or years.years in PLAUSIBLE):
            age, denied = age if denied else years.years, False
            if years.marked:
                unknown, determined = 0, True
            at = years.end
            continue
        ended = word in BREAKS if found else headed and word in BREAKS - RELATIVES
        if (loose or (first and gender and age)) and not unknown and (ended or (found and _is_order(words, at))):
            gender, age = _tail(words, at, gender, age)
            break
        if word in NOUNS:
            if not denied:
                other = gender is not None and gender != NOUNS[word] and _either(words, at)
                gender, headed = None if other else NOUNS[word], True
                called = called or (word in FORMS_OF_ADDRESS and not determined)
            denied, unknown = False, None
        elif word in LETTERS:
            lettered, denied = lettered if denied else LETTERS[word], False
        elif word in PRONOUNS:
            pointed, denied = pointed if denied else PRONOUNS[word], False
        elif word in DENIALS or (word == "no" and following and following[0] not in MARKS | ARTICLES):
            denied = True
        elif word in ("instead", "rather") and list(following) in (["of"], ["than"]):
            denied, at = True, at + 1
        elif word in POSSESSIVES:
            if not following or following[0] not in AVATARS:
                return None
        elif word in ARTICLES:
            unknown, determined = 0, True
        elif word in PEOPLE:
            unknown, headed = None, True
        elif word == "," and unknown:
            return None
        elif word not in FILLERS and word not in MARKS and (found or word not in BREAKS):
            if unknown is None or unknown >= _ADJECTIVES:
                return None
            unknown += 1
        at += 1
    if unknown and at >= len(words):  # an article whose noun never came
        return None
    if called and age is None and not (loose and POLITE.isdisjoint(words)):
        return None
    gender = gender or (lettered if age is not None or loose else None)
    if gender is None and age is None and AVATARS.isdisjoint(words):
        return None
    return _Description(gender or pointed, age, gender is None and pointed is not None)


def _is_order(words: Sequence[str], at: int) -> bool:
    return words[at] == "and" and at + 1 < len(words) and words[at + 1] in ORDERS


def _either(words: Sequence[str], at: int) -> bool:
    """The noun is the second of "man or woman"."""
    return any(word in ("or", "/") for word in words[max(0, at - 2) : at])


def _tail(words: Sequence[str], start: int, gender: str | None, age: int | None) -> tuple[str | None, int | None]:
    """gender and age, if not known, from behind commas: "with short hair, female, 30 years old"."""
    for at in range(start + 1, len(words)):
        near = at == start + 2 and words[at - 1] in ("is", "looks")  # "who is 29"
        if words[at - 1] not in (",", ":", "aged") and not near:
            continue
        years = age_at(words, at)
        if age is None and years is not None and years.years in PLAUSIBLE:
            age = years.years
        if gender is None and words[at] in NOUNS and words[at] not in FORMS_OF_ADDRESS:
            gender = NOUNS[words[at]]
    return gender, age
