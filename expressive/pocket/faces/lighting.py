"""Light from a side: shade and shine laid over what has been drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from .brush import CENTRE_X, Brush
from .identity import Colour, blend
from .svg import Point, hexed

_DARK: Colour = (30, 16, 34)
_ALL = '<rect x="-200" y="-200" width="600" height="600" fill="{}"/>'


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
    return blend((255, 255, 255), (255, 178, 92) if warmth > 0 else (120, 168, 255), abs(warmth))


def draw_veil(light: Lit, view: tuple[float, float, float]) -> str:
    """The light's colour over the whole picture; '' for white light."""
    if abs(light.warmth) < 0.02:
        return ""
    left, top, side = view
    colour = hexed(blend((255, 255, 255), tint(light), 0.52))
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{side:.1f}" height="{side:.1f}" fill="{colour}"'
        ' style="mix-blend-mode:multiply"/>'
    )


def shade(brush: Brush, light: Lit, part: str) -> tuple[str, str]:
    """(definitions, picture) of the shade on a part, 'head' or 'body'; to be cut to the part's silhouette.

    Soft styles are darkened gradually away from the light; flat ones get one hard shadow.
    """
    strength = max(0.0, min(1.0, light.strength))
    if strength < 0.02:
        return "", ""
    azimuth, elevation = math.radians(light.azimuth), math.radians(light.elevation)
    towards = (  # the light: to the picture's right, up, towards the viewer
        math.sin(azimuth) * math.cos(elevation),
        math.sin(elevation),
        math.cos(azimuth) * math.cos(elevation),
    )
    if part == "body":
        return (_soft_body if brush.shaded else _hard_body)(towards, strength, tint(light))
    centre, size = brush.project((CENTRE_X, 62.0, 10.0)), brush.half_width * 1.25
    if brush.shaded:
        return _soft_head(centre, size, towards, strength, tint(light))
    return "", _hard_head(centre, size, towards, strength)


def _stops(stops: Sequence[tuple[float, Colour, float]]) -> str:
    return "".join(
        f'<stop offset="{at:.2f}" stop-color="{hexed(tone)}" stop-opacity="{veil:.3f}"/>' for at, tone, veil in stops
    )


def _soft_head(
    centre: Point, size: float, towards: tuple[float, float, float], strength: float, colour: Colour
) -> tuple[str, str]:
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
    return f'<radialGradient id="shade-head" {place}>{_stops(stops)}</radialGradient>', _ALL.format("url(#shade-head)")


def _soft_body(towards: tuple[float, float, float], strength: float, colour: Colour) -> tuple[str, str]:
    across, up, front = towards
    dark = 0.62 * strength * min(1.0, abs(across) + 0.5 * max(0.0, -up) + 0.25 * (1 - max(0.0, front)))
    side, fall = (1 if across >= 0 else -1), 26.0 * up
    stops = ((0.0, colour, 0.12 * strength), (0.3, _DARK, 0.0), (0.75, _DARK, 0.8 * dark), (1.0, _DARK, dark))
    place = f'x1="{CENTRE_X + 62 * side}" x2="{CENTRE_X - 62 * side}" y1="{150 - fall:.0f}" y2="{150 + fall:.0f}"'
    return (
        f'<linearGradient id="shade-body" gradientUnits="userSpaceOnUse" {place}>{_stops(stops)}</linearGradient>',
        _ALL.format("url(#shade-body)"),
    )


def _hard_head(centre: Point, size: float, towards: tuple[float, float, float], strength: float) -> str:
    across, up, front = towards
    flat = math.hypot(across, up)
    if flat < 0.05:
        return ""
    # what the light reaches is an ellipse moved towards it; the rest lies in shadow
    away = size * (0.22 + 0.58 * (1 - max(0.0, front)))
    x, y = centre[0] + across / flat * away, centre[1] - up / flat * away * 0.8
    rx, ry = size * 1.02, size * 1.42
    lit = (
        f"M{x - rx:.1f},{y:.1f}a{rx:.1f},{ry:.1f} 0 1,0 {2 * rx:.1f},0a{rx:.1f},{ry:.1f} 0 1,0 {-2 * rx:.1f},0Z"
        "M-200,-200H400V400H-200Z"
    )
    return f'<path d="{lit}" fill="#2a1440" fill-rule="evenodd" opacity="{0.10 + 0.30 * strength:.2f}"/>'


def _hard_body(towards: tuple[float, float, float], strength: float, _: Colour) -> tuple[str, str]:
    across, _up, front = towards
    if abs(across) < 0.08:
        return "", ""
    side = 1 if across > 0 else -1
    edge = CENTRE_X - side * (8.0 + 34.0 * max(0.0, front))
    far = CENTRE_X - side * 300
    shadow = (
        f"M{edge + side * 3:.1f},80C{edge - side * 3:.1f},116 {edge + side * 9:.1f},150 {edge - side * 2:.1f},190"
        f"S{edge + side * 6:.1f},250 {edge:.1f},300L{far:.1f},300V80Z"
    )
    return "", f'<path d="{shadow}" fill="#2a1440" opacity="{0.10 + 0.30 * strength:.2f}"/>'
