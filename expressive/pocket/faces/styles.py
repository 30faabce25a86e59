"""What differs between the styles. A person stays the same: hair, colours and proportions come from the identity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measures:
    """One style. Factors are of the portrait's lengths."""

    outline: str = ""  # stroke of outer contours; '' none
    outline_width: float = 1.4
    shaded: bool = False  # gradients, else flat colours
    cel: bool = False  # one hard shadow tone on flat colours
    crease: float = 0.48  # how dark lines within the face are, 0..1
    head_width: float = 1.0
    skull: float = 1.0  # height above the eyes
    jaw: float = 1.0  # height below the eyes


MEASURES: dict[str, Measures] = {
    "portrait": Measures(shaded=True),
    "cartoon": Measures(outline="#2a1a1e", crease=0.62),
}

STYLES = tuple(MEASURES)
