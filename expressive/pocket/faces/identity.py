"""Who is drawn: the attributes of one avatar, sampled from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

Colour = tuple[int, int, int]
"""An sRGB colour, 0..255 a channel."""

RACES = ("White", "Black", "Indian", "East Asian", "Southeast Asian", "Middle Eastern", "Latino")
"""The seven FairFace groups that GenEAva balances over."""

GENDERS = ("woman", "man")

_SKIN: dict[str, tuple[Colour, Colour]] = {  # the two ends of a group's range of skin tones
    "White": ((255, 226, 205), (232, 184, 150)),
    "Black": ((150, 98, 66), (78, 48, 34)),
    "Indian": ((205, 152, 108), (140, 92, 60)),
    "East Asian": ((250, 220, 182), (226, 180, 136)),
    "Southeast Asian": ((226, 178, 130), (172, 120, 80)),
    "Middle Eastern": ((236, 192, 150), (190, 138, 98)),
    "Latino": ((232, 186, 144), (176, 122, 82)),
}
_DARK_HAIR: tuple[Colour, ...] = ((24, 20, 20), (44, 30, 24), (66, 44, 32), (88, 58, 38))
_LIGHT_HAIR: tuple[Colour, ...] = (*_DARK_HAIR, (128, 84, 48), (168, 78, 36), (206, 160, 84), (228, 196, 122))
_DYED_HAIR: tuple[Colour, ...] = ((206, 82, 142), (70, 106, 186), (72, 152, 118), (132, 84, 178))
_GREY_HAIR: tuple[Colour, ...] = ((206, 204, 200), (168, 168, 168), (232, 230, 226))
_DARK_EYES: tuple[Colour, ...] = ((58, 36, 24), (84, 52, 30), (40, 28, 22))
_LIGHT_EYES: tuple[Colour, ...] = (*_DARK_EYES, (62, 112, 168), (84, 130, 84), (104, 124, 136), (120, 92, 44))
_CLOTHES: tuple[Colour, ...] = (
    (66, 110, 170), (178, 66, 70), (84, 140, 98), (222, 172, 62), (120, 88, 156), (70, 76, 88), (226, 222, 214),
    (216, 120, 82), (58, 142, 150), (208, 110, 150),
)  # fmt: skip

LONG_HAIR = ("bob", "long", "wavy", "ponytail", "bun")
SHORT_HAIR = ("buzz", "parted", "spiky", "quiff", "curls", "bald")
HAIR_STYLES = LONG_HAIR + SHORT_HAIR


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

    @staticmethod
    def sample(seed: int) -> Identity:
        """The person of this seed: the same on every machine. Genders and races are drawn uniformly."""
        rng = random.Random(f"identity-{seed}")
        gender, race = rng.choice(GENDERS), rng.choice(RACES)
        age = rng.randint(16, 80)
        skin = blend(*_SKIN[race], rng.random())
        light = race in ("White", "Middle Eastern", "Latino")
        hair_colour = rng.choice(_LIGHT_HAIR if race == "White" else _DARK_HAIR)
        if rng.random() < (age - 48) / 32:
            hair_colour = rng.choice(_GREY_HAIR)
        elif age < 45 and rng.random() < 0.08:
            hair_colour = rng.choice(_DYED_HAIR)
        styles = LONG_HAIR + ("curls", "parted") if gender == "woman" else SHORT_HAIR + ("bob",)
        bearded = gender == "man" and age > 19
        return Identity(
            seed=seed,
            gender=gender,
            age=age,
            race=race,
            skin=skin,
            hair_colour=hair_colour,
            hair_style=rng.choice(styles),
            brow_colour=blend(blend(hair_colour, skin, 0.15), (30, 22, 20), 0.55),
            iris=rng.choice(_LIGHT_EYES if light else _DARK_EYES),
            clothes=rng.choice(_CLOTHES),
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
            beard=rng.choice(("none", "none", "none", "stubble", "moustache", "goatee", "full")) if bearded else "none",
            glasses=rng.choice(("none", "none", "none", "round", "square")),
            freckles=light and rng.random() < 0.2,
            lipstick=gender == "woman" and rng.random() < 0.4,
        )
