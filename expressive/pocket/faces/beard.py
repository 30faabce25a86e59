"""Beards and moustaches."""

from __future__ import annotations

from .brush import CENTRE_X, EYE_LINE, Brush
from .svg import darker, hexed, path


def draw_beard(brush: Brush) -> str:
    """A beard's lower part, drawn before the mouth."""
    kind, who = brush.who.beard, brush.who
    if kind in ("none", "moustache"):
        return ""
    w, x, chin = brush.half_width, CENTRE_X, brush.chin
    colour = hexed(darker(who.hair_colour, 0.1))
    if kind == "goatee":
        right = [(x, EYE_LINE + 33), (x + 7.5, EYE_LINE + 35), (x + 6.5, chin - 2), (x, chin + 1.5)]
        left = [(2 * x - a, b) for a, b in reversed(right) if a > x]
        return path(brush.loop([*right, *left], 1.0), colour)
    d = brush.trace(
        "M", (x - w + 1, EYE_LINE + 6), "C", (x - w + 1, chin - 10), (x - w * 0.45, chin + 3), (x, chin + 2.5),
        "C", (x + w * 0.45, chin + 3), (x + w - 1, chin - 10), (x + w - 1, EYE_LINE + 6),
        "C", (x + w - 5, EYE_LINE + 20), (x + w * 0.5, EYE_LINE + 19), (x, EYE_LINE + 19.5),
        "C", (x - w * 0.5, EYE_LINE + 19), (x - w + 5, EYE_LINE + 20), (x - w + 1, EYE_LINE + 6), "Z", lift=1.0,
    )  # fmt: skip
    return path(d, colour, opacity=0.3 if kind == "stubble" else 1.0)


def draw_moustache(brush: Brush) -> str:
    """Between nose and upper lip; it rides on the lip."""
    if brush.who.beard not in ("moustache", "goatee"):
        return ""
    state = brush.rig.mouth
    lift = 0.5 * state.upper_raise + 0.25 * state.gap
    x, y = CENTRE_X, EYE_LINE + 20.6 - lift
    half = 9.0 * state.width * brush.measures.mouth_width
    sag = 0.5 * (state.left + state.right) * 0.45
    d = brush.trace(
        "M", (x - half, y + 3.0 + sag), "Q", (x - half * 0.4, y - 1.6), (x, y), "Q", (x + half * 0.4, y - 1.6),
        (x + half, y + 3.0 + sag), "Q", (x, y + 3.4), (x - half, y + 3.0 + sag), "Z", lift=3.0,
    )  # fmt: skip
    return path(d, hexed(darker(brush.who.hair_colour, 0.1)))
