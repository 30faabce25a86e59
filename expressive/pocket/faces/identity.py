"""Who is drawn: the attributes of one avatar, sampled from a seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from .palette import (
    CLOTHES,
    DARK_EYES,
    DARK_HAIR,
    DYED_HAIR,
    EYES,
    GREY_HAIR,
    HAIR,
    LIGHT_EYES,
    LIGHT_HAIR,
    SKIN,
    Colour,
    name_of,
)

RACES = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino")
"""The seven FairFace groups that GenEAva balances over."""

GENDERS = ("woman", "man")

LONG_HAIR = ("bob", "long", "wavy", "ponytail", "bun")
SHORT_HAIR = ("buzz", "parted", "spiky", "quiff", "curls", "bald")
HAIR_STYLES = LONG_HAIR + SHORT_HAIR
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
GLASSES = ("none", "round", "square")

YOUNGEST, OLDEST = 16, 80
AGE_GROUPS = {"teenage": (16, 19), "young adult": (20, 39), "middle-aged": (40, 59), "elderly": (60, 80)}
"""Name as in prompts → first and last year. Children are not drawn."""


def blend(a: Colour, b: Colour, share: float) -> Colour:
    """The colour `share` (0..1) of the way from `a` to `b`, channel by channel."""
    red, green, blue = (min(255, max(0, round(x + (y - x) * share))) for x, y in zip(a, b, strict=True))
    return (red, green, blue)


@dataclass(frozen=True)
class Identity:
    """One drawn person. Lengths are factors around 1 unless said otherwise; the picture is 128 units wide."""

    seed: int
    gender: str  # one of GENDERS
    age: int  # years, 16..80
    race: str  # one of RACES
    skin: Colour
    hair_colour: Colour
    hair_style: str  # one of HAIR_STYLES
    brow_colour: Colour
    iris: Colour
    clothes: Colour
    neckline: str  # 'round', 'v', 'collar'
    head_width: float
    head_length: float
    jaw: float  # 0 pointed .. 1 square
    eye_size: float
    eye_distance: float
    eye_tilt: float  # units that the outer corner lies above the inner
    brow_thickness: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_fullness: float
    beard: str  # 'none', 'stubble', 'moustache', 'goatee', 'full'
    glasses: str  # 'none', 'round', 'square'
    freckles: bool
    lipstick: bool

    @property
    def age_group(self) -> str:
        """One of AGE_GROUPS."""
        return next(name for name, (_, last) in AGE_GROUPS.items() if self.age <= last)

    @property
    def hair_name(self) -> str:
        """One of the names in palette.HAIR; "bald" without hair."""
        return "bald" if self.hair_style == "bald" else name_of(self.hair_colour, HAIR)

    @property
    def eye_name(self) -> str:
        """One of the names in palette.EYES."""
        return name_of(self.iris, EYES)

    @property
    def clothes_name(self) -> str:
        """One of the names in palette.CLOTHES."""
        return name_of(self.clothes, {name: (colour,) for name, colour in CLOTHES.items()})

    @staticmethod
    def sample(
        seed: int,
        *,
        gender: str | None = None,
        age: int | None = None,
        race: str | None = None,
        hair: str | None = None,
        hair_style: str | None = None,
        eyes: str | None = None,
        clothes: str | None = None,
        glasses: str | None = None,
        beard: str | None = None,
        freckles: bool | None = None,
    ) -> Identity:
        """The person of this seed, the same on every machine, with whatever attributes are given.

        Genders and races are drawn uniformly. hair, eyes, clothes: names of palette.HAIR, EYES and CLOTHES; glasses:
        one of GLASSES; beard: one of BEARDS; age: years, 16..80.
        Raises ValueError for a value that is not drawn.
        """
        for what, given, known in (
            ("gender", gender, GENDERS),
            ("race", race, RACES),
            ("hair", hair, tuple(HAIR)),
            ("hair_style", hair_style, HAIR_STYLES),
            ("eyes", eyes, tuple(EYES)),
            ("clothes", clothes, tuple(CLOTHES)),
            ("glasses", glasses, GLASSES),
            ("beard", beard, BEARDS),
        ):
            if given is not None and given not in known:
                raise ValueError(f"Expected {what} to be one of {', '.join(known)}; got {given!r}.")
        if age is not None and not YOUNGEST <= age <= OLDEST:
            raise ValueError(f"People are drawn from {YOUNGEST} to {OLDEST} years; got age {age}.")
        rng = random.Random(f"identity-{seed}")
        # Every draw is made whatever is given, so that fixing one attribute leaves the others as they were.
        gender, race = _given(gender, rng.choice(GENDERS)), _given(race, rng.choice(RACES))
        age = _given(age, rng.randint(YOUNGEST, OLDEST))
        skin = blend(*SKIN[race], rng.random())
        light = race in ("White", "Middle Eastern", "Latino")
        hair_colour = rng.choice(LIGHT_HAIR if race == "White" else DARK_HAIR)
        if rng.random() < (age - 48) / 32:
            hair_colour = rng.choice(GREY_HAIR)
        elif age < 45 and rng.random() < 0.08:
            hair_colour = rng.choice(DYED_HAIR)
        if hair is not None:
            hair_colour = random.Random(f"hair-{seed}").choice(HAIR[hair])
        styles = LONG_HAIR + ("curls", "parted") if gender == "woman" else SHORT_HAIR + ("bob",)
        bearded = gender == "man" and age > 19
        drawn = Identity(
            seed=seed,
            gender=gender,
            age=age,
            race=race,
            skin=skin,
            hair_colour=hair_colour,
            hair_style=_given(hair_style, rng.choice(styles)),
            brow_colour=blend(blend(hair_colour, skin, 0.15), (30, 22, 20), 0.55),
            iris=rng.choice(LIGHT_EYES if light else DARK_EYES),
            clothes=rng.choice(tuple(CLOTHES.values())),
            neckline=rng.choice(("round", "v", "collar")),
            head_width=rng.uniform(0.93, 1.08),
            head_length=rng.uniform(0.95, 1.05),
            jaw=rng.uniform(0.35, 1.0) if gender == "man" else rng.uniform(0.0, 0.6),
            eye_size=rng.uniform(0.92, 1.14) * (1.05 if gender == "woman" else 0.98),
            eye_distance=rng.uniform(0.95, 1.06),
            eye_tilt=rng.uniform(-0.4, 1.4) + (0.7 if race in ("East Asian", "Southeast Asian") else 0.0),
            brow_thickness=rng.uniform(0.8, 1.1) if gender == "woman" else rng.uniform(1.0, 1.45),
            nose_width=rng.uniform(0.85, 1.2),
            nose_length=rng.uniform(0.9, 1.12),
            mouth_width=rng.uniform(0.92, 1.1),
            lip_fullness=rng.uniform(0.8, 1.3),
            beard=rng.choice(("none", "none", *BEARDS)) if bearded else "none",
            glasses=rng.choice(("none", "none", *GLASSES)),
            freckles=light and rng.random() < 0.2,
            lipstick=gender == "woman" and rng.random() < 0.4,
        )
        return replace(
            drawn,
            iris=drawn.iris if eyes is None else random.Random(f"eyes-{seed}").choice(EYES[eyes]),
            clothes=drawn.clothes if clothes is None else CLOTHES[clothes],
            glasses=_given(glasses, drawn.glasses),
            beard=_given(beard, drawn.beard),
            freckles=_given(freckles, drawn.freckles),
        )


_T = TypeVar("_T")


def _given(value: _T | None, otherwise: _T) -> _T:
    return otherwise if value is None else value


def balanced(count: int, seed: int = 0, first_seed: int = 0) -> Iterator[Identity]:
    """`count` people balanced over gender × race × age group, as GenEAva wants its avatars.

    Each 2 × 7 × 4 = 56 people in a row hold every combination once, in an order drawn from `seed`; their identity seeds
    are first_seed, first_seed + 1, …
    """
    rng = random.Random(f"balanced-{seed}")
    cells = list(itertools.product(GENDERS, RACES, AGE_GROUPS.values()))
    for index in range(count):
        if index % len(cells) == 0:
            rng.shuffle(cells)
        gender, race, (youngest, oldest) = cells[index % len(cells)]
        yield Identity.sample(first_seed + index, gender=gender, race=race, age=rng.randint(youngest, oldest))
