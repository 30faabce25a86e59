"""Which avatars a dataset has, fixed before the first is painted: GenEAva 1.0 is 135 expressions × 98 people.

The plan is a file of JSON lines. Its order is such that any beginning of it is nearly balanced as well: the n-th avatar
shows expression n mod E on person n mod P, which meets every pair once before it meets one again (as E and P have no
common factor, or else by one person further each time round).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..emotion import Emotion, vocabulary
from ..emotion.person import Person
from ..emotion.prompts import write_prompts
from .config import Config, People

PLAN = "plan.jsonl"
AXES = ("word", "gender", "race", "age")
"""What a dataset is balanced over."""


@dataclass(frozen=True)
class PlannedAvatar:
    """One avatar to be painted. word: one of the 135. person: 0 … P − 1. seed: of the first try."""

    number: int
    word: str
    intensity: float
    person: int
    age: str
    gender: str
    race: str
    details: str
    seed: int

    @property
    def name(self) -> str:
        """Its file's, without suffix: "delight/person-012"."""
        return f"{self.word}/person-{self.person:03d}"

    @property
    def emotion(self) -> Emotion:
        """What it feels."""
        return Emotion.of(f"emo135.{self.word}", self.intensity)

    @property
    def prompt(self) -> str:
        """GenEAva's sentence."""
        person = Person(self.age, self.gender, self.race, self.details)
        return write_prompts(self.emotion, "geneava", person).prompt

    def seed_of_try(self, number: int) -> int:
        """The seed of each further try: 0 is the first."""
        return self.seed if number == 0 else draw_seed(f"{self.seed}-{self.word}-{number}")


def make_plan(config: Config) -> list[PlannedAvatar]:
    """Every expression on everybody, in an order of which any beginning is nearly balanced.

    Raises ValueError for a word that is none of the 135 or stands twice, or for a person that cannot be described.
    """
    words = _words(config.expressions)
    people = balanced(config.people, config.seed)
    many, each = len(words), len(people)
    round_trip = math.lcm(many, each)
    planned = []
    for number in range(many * each):
        word, person = words[number % many], (number + number // round_trip) % each
        who = people[person]
        whose = f"{config.seed}-{person}" + ("" if config.same_seed else f"-{word}")
        planned.append(
            PlannedAvatar(
                number, word, config.intensity, person, who.age, who.gender, who.race, who.details, draw_seed(whose)
            )
        )
    return planned


def balanced(people: People, seed: int) -> list[Person]:
    """`people.count` people of whom each gender × race group, each age, and each detail has as many, give or take one.

    Groups come in turn; everybody takes the age that is rarest so far in the own group, then for the gender, for the
    race, and on the whole. Raises ValueError for words that no prompt knows.
    """
    groups = list(itertools.product(people.races, people.genders))
    details = [_in_turn(choices, people.count, f"{seed}-{number}") for number, choices in enumerate(people.details)]
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for number in range(people.count):
        race, gender = groups[number % len(groups)]
        ages = {
            age: ((race, gender, age), (gender, "", age), (race, age), (age,)) for age in people.ages
        }  # an age's places
        age = min(ages, key=lambda age: [seen[place] for place in ages[age]])
        seen.update(ages[age])
        found.append(Person(age, gender, race, ", ".join(column[number] for column in details)))
    return found


def balance(plan: Sequence[PlannedAvatar]) -> dict[str, Counter[str]]:
    """How many avatars there are of each value of AXES."""
    return {axis: Counter(str(getattr(avatar, axis)) for avatar in plan) for axis in AXES}


def keep_plan(plan: Sequence[PlannedAvatar], folder: Path) -> None:
    """Write the plan, or hold it against the one that is there.

    Raises ValueError where the folder was begun by another plan.
    """
    text = "".join(json.dumps(asdict(avatar), ensure_ascii=False) + "\n" for avatar in plan)
    file = folder / PLAN
    if file.is_file():
        if file.read_text(encoding="utf-8") != text:
            raise ValueError(
                f"{folder} was begun with another plan: other people, expressions or seeds. Take the configuration of "
                f"then, or another folder with --out."
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def draw_seed(of: str) -> int:
    """A seed 0 … 2⁵³ − 1 (what every JSON reader keeps exactly) from a text, the same on all machines."""
    return int.from_bytes(hashlib.sha256(of.encode()).digest()[:8], "big") >> 11


def _words(chosen: Sequence[str]) -> list[str]:
    known = [word.word for word in vocabulary.emo135()]
    unknown = [word for word in chosen if word not in known]
    if unknown or len(set(chosen)) < len(chosen):
        raise ValueError(f"expressions: expected some of the 135 nouns, each once; got {', '.join(unknown or chosen)}.")
    return list(chosen) or known


def _in_turn(choices: Sequence[str], count: int, seed: str) -> list[str]:
    """`count` of `choices`, each as often give or take one, in an order drawn by `seed`."""
    if not choices:
        raise ValueError("people.details: a list of phrases is empty.")
    drawn = [choices[number % len(choices)] for number in range(count)]
    random.Random(f"details-{seed}").shuffle(drawn)
    return drawn
