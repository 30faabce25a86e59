"""What differs between the styles. A person stays the same: hair, colours and proportions come from the identity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measures:
    """One style. Factors are of the portrait's lengths unless said otherwise."""

    # paint
    outline: str = ""  # stroke of outer contours; '' none
    outline_width: float = 1.4
    shaded: bool = False  # gradients, else flat colours
    cel: bool = False  # one hard shadow tone on flat colours
    volume: bool = False  # strong volumes: deep gradients with light from behind, gloss on the hair
    crease: float = 0.48  # how dark lines within the face are, 0..1
    lines: float = 1.0  # how strongly wrinkles and folds show
    # head
    head_width: float = 1.0
    skull: float = 1.0  # height above the eyes
    jaw: float = 1.0  # height below the eyes
    jaw_width: float = 0.0  # added to the jaw's width, shares of the head's half width
    # eyes
    eye_width: float = 1.0
    eye_height: float = 1.0
    iris: float = 1.0
    iris_tall: float = 1.0  # height over width
    pupil: float = 0.5  # share of the iris
    iris_shade: float = 0.0  # how dark the iris' upper part is
    highlights: tuple[tuple[float, float, float], ...] = ((1.4, -1.6, 1.2),)  # x and y from the iris' middle, radius
    sclera: str = "#f6f3f0"
    lash: float = 1.0
    brow_rise: float = 0.0  # units that the brows lie higher
    brow_thickness: float = 1.0
    # nose and mouth
    nose: str = "soft"  # 'soft' (shaded), 'line', 'hint', 'ball'
    nose_width: float = 1.0
    mouth_width: float = 1.0
    fullness: float = 1.0
    lip_tint: float = 1.0  # 0 the skin's own colour .. 1
    mouth_inside: str = "#4a1018"


MEASURES: dict[str, Measures] = {
    "portrait": Measures(shaded=True),
    "cartoon": Measures(outline="#2a1a1e", crease=0.62, sclera="#ffffff", nose="line", mouth_inside="#5a1420"),
    "anime": Measures(
        outline="#5c3440",
        outline_width=1.0,
        cel=True,
        crease=0.46,
        lines=0.8,
        head_width=0.985,
        jaw=0.955,
        jaw_width=-0.11,
        eye_width=1.08,
        eye_height=1.5,
        iris=1.2,
        iris_tall=1.32,
        pupil=0.46,
        iris_shade=0.5,
        highlights=((-1.9, -2.9, 1.75), (2.0, 2.7, 0.95)),
        sclera="#ffffff",
        lash=1.5,
        brow_rise=2.6,
        brow_thickness=0.68,
        nose="hint",
        nose_width=0.7,
        mouth_width=0.9,
        fullness=0.5,
        lip_tint=0.3,
        mouth_inside="#8c2f38",
    ),
    "clay": Measures(
        shaded=True,
        volume=True,
        crease=0.4,
        lines=0.85,
        head_width=1.03,
        jaw=0.965,
        jaw_width=0.07,
        eye_width=1.14,
        eye_height=1.5,
        iris=1.36,
        pupil=0.56,
        iris_shade=0.25,
        highlights=((1.8, -2.2, 1.6), (-1.9, 2.2, 0.75)),
        sclera="#fbfaf8",
        brow_rise=2.4,
        brow_thickness=1.2,
        nose="ball",
        nose_width=1.35,
        mouth_width=1.02,
        fullness=0.85,
        lip_tint=0.7,
        mouth_inside="#561520",
    ),
}
"""Style → measures; the first two are the oldest."""
