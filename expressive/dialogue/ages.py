"""Ages as people write them: "30-year-old", "52", "mid-forties", "twenty five", "30 to 35", "30-something"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

PLAUSIBLE = range(10, 131)
"""A number without "years" is an age only in here."""

_UNITS = {word: n for n, word in enumerate("one two three four five six seven eight nine".split(), 1)}
_TEENS = {
    word: n
    for n, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), 10
    )
}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)} | {
    "fourty": 40
}
_DECADES = {
    word: 10 * n
    for n, word in enumerate("twenties thirties forties fifties sixties seventies eighties nineties".split(), 2)
} | {"fourties": 40}
_TEENAGE = frozenset({"teen", "teens", "teenage", "teenaged", "teenager"})
_TEENAGER = 16  # stands for all of them
_PARTS = {"early": 2, "mid": 5, "middle": 5, "late": 8}
"""Years into a decade."""
_YEARS = frozenset("year years yr yrs y yo yaer yaers yera yeras yeard yearold yearsold yrold yrsold yeear".split())
_OLD = frozenset({"old", "olds", "ol", "young"})
_JOINERS = frozenset({"-", "to", "or", "until", "till", "through", "/"})

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹣-_"), "-")
_QUOTES = dict.fromkeys(map(ord, "’‘ʼ`´"), "'")
_GLUED = re.compile(
    r"\b(?:(mid|early|late)(?=twent|thirt|fort|fourt|fift|sixt|sevent|eight|ninet)"
    r"|(twenty|thirty|forty|fourty|fifty|sixty|seventy|eighty|ninety)(?=[a-z]))"
)
_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*|[^\s\w]")


@dataclass(frozen=True)
class Age:
    """years: as written, in any range. marked: it says so itself, such as by "years"; otherwise it is a mere number.
    end: index of the first word after it."""

    years: int
    marked: bool
    end: int


def words_of(text: str) -> list[str]:
    """Words, numbers and marks in lower case: "a 30-year-old" → ["a", "30", "-", "year", "-", "old"]."""
    plain = text.lower().translate(_DASHES).translate(_QUOTES)
    return _WORD.findall(_GLUED.sub(lambda found: f"{found[0]} ", plain))


def age_at(words: Sequence[str], start: int) -> Age | None:
    """The age that begins with the word at `start`; of a range the middle. None if there is none."""
    first = _single(words, start)
    if first is None:
        return None
    joiner = words[first.end] if first.end < len(words) else ""
    between = start > 0 and words[start - 1] == "between" and joiner == "and"
    if joiner in _JOINERS or between:
        second = _single(words, first.end + 1)
        if second is not None and second.years > first.years:
            return Age((first.years + second.years + 1) // 2, first.marked or second.marked, second.end)
    return first


def _single(words: Sequence[str], start: int) -> Age | None:
    parts, at = _parts(words, start)
    decade = _decade(words, at)
    if decade is not None:
        years, end = decade
        return Age(years + round(sum(parts) / len(parts)) if parts else years + 5, True, end)
    if at < len(words) and words[at] in _TEENAGE:
        return Age(_TEENAGER, True, at + 1)
    number = _number(words, at)
    if number is None:
        return None
    years, end = number
    if parts:  # "mid 40"
        return Age(years + round(sum(parts) / len(parts)), True, end) if years % 10 == 0 else None
    return _suffixed(words, years, end)


def _suffixed(words: Sequence[str], years: int, end: int) -> Age:
    """The number `years` with what follows it from `end` on."""
    at = _past(words, end)
    word = words[at] if at < len(words) else ""
    if word == "something":
        return Age(years + 5 if years % 10 == 0 else years, True, _past_years(words, at + 1))
    if word in ("ish", "odd", "plus", "+"):
        return Age(years, True, _past_years(words, at + 1))
    after = _past_years(words, end)
    return Age(years, after > end, after)


def _past_years(words: Sequence[str], start: int) -> int:
    """After "-year-old", "years of age", "y/o", "old"; or `start` if there is none of them."""
    at = _past(words, start)
    if at < len(words) and words[at] in _OLD:
        return at + 1
    if at >= len(words) or words[at] not in _YEARS:
        return start
    if list(words[at : at + 3]) == ["y", "/", "o"]:
        return at + 3
    end = at + 1
    at = _past(words, end)
    if at < len(words) and words[at] in _OLD:
        return at + 1
    return at + 2 if list(words[at : at + 2]) == ["of", "age"] else end


def _parts(words: Sequence[str], start: int) -> tuple[list[int], int]:
    """The years into a decade that "early", "mid-to-late" … stand for, and what comes after."""
    parts, at = [], start
    while at < len(words) and words[at] in _PARTS:
        parts.append(_PARTS[words[at]])
        at = _past(words, at + 1)
        joined = _past(words, at + 1)
        if at < len(words) and words[at] in ("to", "or", "/") and joined < len(words) and words[joined] in _PARTS:
            at = joined
    return parts, at


def _decade(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """Of "forties", "40s", "40's": 40, and the index after it."""
    if at < len(words) and words[at] in _DECADES:
        return _DECADES[words[at]], at + 1
    number = _number(words, at)
    if number is None or number[0] % 10 or not 20 <= number[0] <= 90:
        return None
    years, end = number
    end += end < len(words) and words[end] == "'"
    return (years, end + 1) if end < len(words) and words[end] == "s" else None


def _number(words: Sequence[str], at: int) -> tuple[int, int] | None:
    """A number in digits or words, and the index after it."""
    word = words[at] if at < len(words) else ""
    if word[:1].isdecimal():
        return (int(float(word)), at + 1) if len(word) <= 6 else None
    if word == "hundred" or (word in ("a", "one") and list(words[at + 1 : at + 2]) == ["hundred"]):
        end = at + 1 if word == "hundred" else at + 2
        joined = _past(words, end)
        more = _number(words, _past(words, joined + 1)) if list(words[joined : joined + 1]) == ["and"] else None
        return (100 + more[0], more[1]) if more is not None and more[0] < 100 else (100, end)
    if word in _TENS:
        unit = _past(words, at + 1)
        if unit < len(words) and words[unit] in _UNITS:
            return _TENS[word] + _UNITS[words[unit]], unit + 1
        return _TENS[word], at + 1
    if word in _TEENS:
        return _TEENS[word], at + 1
    if word in _UNITS and word != "one":  # which is an article as well
        return _UNITS[word], at + 1
    return None


def _past(words: Sequence[str], at: int) -> int:
    """The next index that is no hyphen."""
    while at < len(words) and words[at] == "-":
        at += 1
    return at
