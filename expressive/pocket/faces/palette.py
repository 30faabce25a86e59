"""Colours of the drawn people, by the names that captions use."""

from __future__ import annotations

from collections.abc import Mapping

Colour = tuple[int, int, int]
"""An sRGB colour, 0..255 a channel."""

SKIN: dict[str, tuple[Colour, Colour]] = {  # the two ends of a group's range of skin tones
    "White": ((255, 226, 205), (232, 184, 150)),
    "Black": ((150, 98, 66), (78, 48, 34)),
    "Indian": ((205, 152, 108), (140, 92, 60)),
    "East Asian": ((250, 220, 182), (226, 180, 136)),
    "Southeast Asian": ((226, 178, 130), (172, 120, 80)),
    "Middle Eastern": ((236, 192, 150), (190, 138, 98)),
    "Latino": ((232, 186, 144), (176, 122, 82)),
}

HAIR: dict[str, tuple[Colour, ...]] = {
    "black": ((24, 20, 20), (44, 30, 24)),
    "brown": ((66, 44, 32), (88, 58, 38), (128, 84, 48)),
    "red": ((168, 78, 36),),
    "blond": ((206, 160, 84), (228, 196, 122)),
    "grey": ((206, 204, 200), (168, 168, 168)),
    "white": ((232, 230, 226),),
    "pink": ((206, 82, 142),),
    "blue": ((70, 106, 186),),
    "green": ((72, 152, 118),),
    "purple": ((132, 84, 178),),
}
DARK_HAIR: tuple[Colour, ...] = (*HAIR["black"], *HAIR["brown"][:2])
LIGHT_HAIR: tuple[Colour, ...] = (*DARK_HAIR, HAIR["brown"][2], *HAIR["red"], *HAIR["blond"])
DYED_HAIR: tuple[Colour, ...] = (*HAIR["pink"], *HAIR["blue"], *HAIR["green"], *HAIR["purple"])
GREY_HAIR: tuple[Colour, ...] = (*HAIR["grey"], *HAIR["white"])

EYES: dict[str, tuple[Colour, ...]] = {
    "brown": ((58, 36, 24), (84, 52, 30), (40, 28, 22)),
    "blue": ((62, 112, 168),),
    "green": ((84, 130, 84),),
    "grey": ((104, 124, 136),),
    "hazel": ((120, 92, 44),),
}
DARK_EYES: tuple[Colour, ...] = EYES["brown"]
LIGHT_EYES: tuple[Colour, ...] = (*EYES["brown"], *EYES["blue"], *EYES["green"], *EYES["grey"], *EYES["hazel"])

CLOTHES: dict[str, Colour] = {
    "blue": (66, 110, 170),
    "red": (178, 66, 70),
    "green": (84, 140, 98),
    "yellow": (222, 172, 62),
    "purple": (120, 88, 156),
    "dark grey": (70, 76, 88),
    "white": (226, 222, 214),
    "orange": (216, 120, 82),
    "teal": (58, 142, 150),
    "pink": (208, 110, 150),
}


def name_of(colour: Colour, palette: Mapping[str, tuple[Colour, ...]]) -> str:
    """The palette's name for a colour. Raises KeyError where it has none."""
    for name, colours in palette.items():
        if colour in colours:
            return name
    raise KeyError(f"The palette has no name for the colour {colour}.")
