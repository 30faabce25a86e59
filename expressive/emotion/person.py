"""Whom a prompt speaks of: age group, gender, one of the seven race groups that GenEAva balances, and free words."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

UNSPECIFIED = "unspecified"

AGES = ("child", "teenage", "young adult", "middle-aged", "elderly")
GENDERS = ("woman", "man")
RACES = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino")
"""The groups of FairFace."""

_NOUNS = {
    UNSPECIFIED: {UNSPECIFIED: "person", "woman": "woman", "man": "man"},
    "child": {UNSPECIFIED: "child", "woman": "girl", "man": "boy"},
    "teenage": {UNSPECIFIED: "teenager", "woman": "teenage girl", "man": "teenage boy"},
}
_AGE_ADJECTIVES = {"young adult": "young", "middle-aged": "middle-aged", "elderly": "elderly"}


_OLDEST = {"child": 12, "teenage": 19, "young adult": 39, "middle-aged": 59}  # years that each group ends with


def age_group(years: float) -> str:
    """One of `AGES`. Raises ValueError below 0."""
    if not years >= 0:
        raise ValueError(f"Expected an age of 0 years or more, got {years}.")
    return next((group for group, oldest in _OLDEST.items() if years < oldest + 1), AGES[-1])


@dataclass(frozen=True)
class Person:
    """Any part may be `unspecified`.

    Attributes:
        age: one of `AGES`.
        gender: one of `GENDERS`; a child or teenager becomes a girl or boy.
        race: one of `RACES`.
        details: anything else in the artist's own words, such as "wearing round glasses".

    Raises:
        ValueError: a value outside these lists.
    """

    age: str = UNSPECIFIED
    gender: str = UNSPECIFIED
    race: str = UNSPECIFIED
    details: str = ""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("age", self.age, AGES),
            ("gender", self.gender, GENDERS),
            ("race", self.race, RACES),
        ):
            if value not in (UNSPECIFIED, *known):
                raise ValueError(f"Expected {name} to be {UNSPECIFIED}, {', '.join(known)}; got “{value}”.")
        object.__setattr__(self, "details", " ".join(self.details.split()).strip(" ,;."))

    @property
    def noun(self) -> str:
        """Without article: "middle-aged Indian woman", "East Asian boy", "person"."""
        race = {UNSPECIFIED: "", "Latino": "Latina" if self.gender == "woman" else "Latino"}.get(self.race, self.race)
        noun = _NOUNS.get(self.age, _NOUNS[UNSPECIFIED])[self.gender]
        if noun.startswith("teenage "):  # "a teenage Indian girl"
            return " ".join(part for part in ("teenage", race, noun.removeprefix("teenage ")) if part)
        return " ".join(part for part in (_AGE_ADJECTIVES.get(self.age, ""), race, noun) if part)


def balanced_people(
    ages: Sequence[str] = AGES, genders: Sequence[str] = GENDERS, races: Sequence[str] = RACES, details: str = ""
) -> list[Person]:
    """Everybody of a grid once: ages × races × genders, the last varying fastest, as GenEAva balances its avatars.

    Raises ValueError for a value outside the lists above, or a list that is empty or names one twice.
    """
    for name, values in (("ages", ages), ("genders", genders), ("races", races)):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"The {name} of a balanced grid have to be one or more, each once; got {list(values)}.")
    return [Person(age, gender, race, details) for age, race, gender in itertools.product(ages, races, genders)]


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an", by its first letter, which suffices for the words used here."""
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"
