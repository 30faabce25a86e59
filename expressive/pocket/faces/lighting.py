"""Light from a side: shade and shine laid over what has been drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from .brush import CENTRE_X, Brush
from .identity import Colour, blend
from .svg import Point, hexed

_DARK: Colour = (30, 16, 34)
_SHADOW: Colour = (42, 20, 64)
_WARM: Colour = (255, 168, 76)
_COLD: Colour = (104, 156, 255)


class Lit(Protocol):
    """A light; see scene.Light."""

    @property
    def azimuth(self) -> float: ...
    @property
    def elevation(self) -> float: ...
    @property
    def strength(self) -> float: ...
    @property
    def warmth(self) -> float: ...


def tint(light: Lit) -> Colour:
    """The light's colour: white, amber when warm, blue when cold."""
    warmth = max(-1.0, min(1.0, light.warmth))
    return blend((255, 255, 255), _WARM if warmth > 0 else _COLD, abs(warmth))


def draw_veil(light: Lit, view: tuple[float, float, float]) -> str:
    """The light's colour over the whole picture; '' for white light."""
    if abs(light.warmth) < 0.02:
        return ""
    left, top, side = view
    colour, veil = hexed(_WARM if light.warmth > 0 else _COLD), 0.16 * min(1.0, abs(light.warmth))
    place = f'x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}"'
    return f'<rect {place} fill="{colour}" fill-opacity="{veil:.3f}"/>'


def shade(brush: Brush, light: Lit, part: str) -> str:
    """The definition of the paint 'shade-head' or 'shade-body' that, laid over the part 'head' or 'body', shades it.

    Soft styles are darkened gradually away from the light; flat ones get one hard shadow.
    """
    strength = max(0.0, min(1.0, light.strength))
    azimuth, elevation = math.radians(light.azimuth), math.radians(light.elevation)
    towards = (  # the light: to the picture's right, up, towards the viewer
        math.sin(azimuth) * math.cos(elevation),
        math.sin(elevation),
        math.cos(azimuth) * math.cos(elevation),
    )
    if part == "body":
        return _body(towards, strength, tint(light), brush.shaded)
    centre, size = brush.project((CENTRE_X, 62.0, 10.0)), brush.half_width * 1.25
    if brush.shaded:
        return _soft_head(centre, size, towards, strength, tint(light))
    return _hard_head(centre, size, towards, strength)


def _stops(stops: Sequence[tuple[float, Colour, float]]) -> str:
    return "".join(
        f'<stop offset="{at:.3f}" stop-color="{hexed(tone)}" stop-opacity="{veil:.3f}"/>' for at, tone, veil in stops
    )


def _soft_head(centre: Point, size: float, towards: tuple[float, float, float], strength: float, colour: Colour) -> str:
    across, up, front = towards
    x, y = centre[0] + across * size * 0.95, centre[1] - up * size * 0.8
    reach = size * (1.8 + 0.55 * (1 - abs(front)))
    dark = 0.66 * strength * (1 - 0.35 * max(0.0, front))
    stops = (
        (0.0, colour, 0.22 * strength),
        (0.30, colour, 0.08 * strength),
        (0.46, _DARK, 0.0),
        (0.78, _DARK, 0.72 * dark),
        (1.0, _DARK, dark),
    )
    place = f'gradientUnits="userSpaceOnUse" cx="{x:.1f}" cy="{y:.1f}" r="{reach:.1f}"'
    return f'<radialGradient id="shade-head" {place}>{_stops(stops)}</radialGradient>'


def _hard_head(centre: Point, size: float, towards: tuple[float, float, float], strength: float) -> str:
    across, up, front = towards
    flat = max(0.05, math.hypot(across, up))
    # what the light reaches is an ellipse moved towards it; the rest lies in shadow
    away = size * (0.22 + 0.58 * (1 - max(0.0, front)))
    x, y = centre[0] + across / flat * away, centre[1] - up / flat * away * 0.8
    edge = 1 / 1.5
    stops = ((edge, _SHADOW, 0.0), (edge + 0.012, _SHADOW, 0.10 + 0.30 * strength))
    place = f'cx="{x:.1f}" cy="{y / 1.4:.1f}" r="{1.5 * size * 1.02:.1f}" gradientTransform="scale(1 1.4)"'
    return f'<radialGradient id="shade-head" gradientUnits="userSpaceOnUse" {place}>{_stops(stops)}</radialGradient>'


def _body(towards: tuple[float, float, float], strength: float, colour: Colour, soft: bool) -> str:
    across, up, front = towards
    side, fall = (1 if across >= 0 else -1), 26.0 * up
    if soft:
        dark = 0.62 * strength * min(1.0, abs(across) + 0.5 * max(0.0, -up) + 0.25 * (1 - max(0.0, front)))
        stops = ((0.0, colour, 0.12 * strength), (0.3, _DARK, 0.0), (0.75, _DARK, 0.8 * dark), (1.0, _DARK, dark))
    else:
        edge = 0.5 + (0.08 + 0.3 * max(0.0, front))
        veil = (0.10 + 0.30 * strength) * min(1.0, abs(across) / 0.15)
        stops = ((edge, _SHADOW, 0.0), (edge + 0.008, _SHADOW, veil))
    place = f'x1="{CENTRE_X + 62 * side}" x2="{CENTRE_X - 62 * side}" y1="{150 - fall:.0f}" y2="{150 + fall:.0f}"'
    return f'<linearGradient id="shade-body" gradientUnits="userSpaceOnUse" {place}>{_stops(stops)}</linearGradient>'
