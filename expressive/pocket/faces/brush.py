"""What every part of the drawing needs: the head's measures, the colours, the style, where the pose moves things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from . import svg
from .identity import Colour, Identity, blend
from .rig import Rig
from .styles import MEASURES, Measures
from .surface import CENTRE_X, EYE_LINE, Point3, Surface
from .svg import Point, darker, hexed, lighter

__all__ = ["CENTRE_X", "EYE_LINE", "Brush"]

Vertex = tuple[float, float] | tuple[float, float, float]
"""A point of the frontal drawing: x, y, and how far it stands off the head (nothing: the brush's default)."""


@dataclass(frozen=True)
class Brush:
    """An identity in a pose and a style. All lengths in drawing units (a frontal face lies in 128 × 128).

    Raises ValueError for an unknown style.
    """

    who: Identity
    rig: Rig
    style: str  # one of STYLES

    def __post_init__(self) -> None:
        if self.style not in MEASURES:
            raise ValueError(f"Style {self.style!r} is not drawn here; choose one of {', '.join(MEASURES)}.")

    @cached_property
    def measures(self) -> Measures:
        """What differs by style."""
        return MEASURES[self.style]

    @cached_property
    def half_width(self) -> float:
        """Half of the head's width at the cheekbones."""
        return 29.5 * self.who.head_width * self.measures.head_width

    @cached_property
    def crown(self) -> float:
        """The skull's highest point, without hair."""
        return EYE_LINE - 33.0 * self.who.head_length * self.measures.skull

    @cached_property
    def chin(self) -> float:
        """The chin's lowest point; drops with the jaw."""
        return EYE_LINE + 43.0 * self.who.head_length * self.measures.jaw + 0.42 * self.rig.mouth.jaw

    @property
    def outline(self) -> str:
        """The stroke of outer contours; '' where the style has none."""
        return self.measures.outline

    @property
    def outline_width(self) -> float:
        """Its width."""
        return self.measures.outline_width

    @property
    def shaded(self) -> bool:
        """Whether surfaces are filled with gradients, else with flat colours."""
        return self.measures.shaded

    @property
    def cel(self) -> bool:
        """Whether flat colours get one hard shadow tone."""
        return self.measures.cel

    @cached_property
    def crease(self) -> str:
        """The stroke of lines within the face."""
        return hexed(darker(self.who.skin, self.measures.crease))

    @cached_property
    def brow(self) -> Colour:
        """A brow colour that shows on any skin."""
        return self.who.brow_colour if sum(self.who.skin) > 330 else darker(self.who.brow_colour, 0.6)

    @cached_property
    def _full_lips(self) -> Colour:
        if self.who.lipstick:
            return (196, 44, 66)
        skin = self.who.skin
        return blend(skin, (190, 62, 70), 0.55) if sum(skin) > 330 else blend(lighter(skin, 0.22), (214, 100, 104), 0.7)

    @cached_property
    def lips(self) -> Colour:
        """A lip colour that shows on any skin."""
        tint = self.measures.lip_tint
        if tint == 1.0:
            return self._full_lips
        strong = self.who.lipstick or sum(self.who.skin) <= 330
        return blend(self.who.skin, self._full_lips, max(0.75, tint) if strong else tint)

    @cached_property
    def lip_line(self) -> Colour:
        """What the line between the lips is a darker tone of."""
        return self._full_lips

    def shade(self, colour: Colour) -> Colour:
        """The hard shadow tone of a flat colour."""
        return blend(darker(colour, 0.17), (150, 60, 120), 0.08)

    @cached_property
    def surface(self) -> Surface:
        """The head in space."""
        return Surface(self.half_width, self.crown, self.chin, self.rig.pose)

    def point(self, x: float, y: float, lift: float = 0.0) -> Point3:
        """The point in head coordinates, before the head turns, of what is drawn frontally at (x, y)."""
        return self.surface.point(x, y, lift)

    def project(self, point: Point3) -> Point:
        """A point in head coordinates → drawing units in this pose."""
        return self.surface.project(point)

    def at(self, x: float, y: float, lift: float = 0.0) -> Point:
        """Where the picture shows what is drawn frontally at (x, y), `lift` off the head."""
        return self.surface.at(x, y, lift)

    def behind(self, x: float, y: float, back: float = 8.0) -> Point:
        """As `at`, for what hangs or stands behind the head."""
        return self.surface.behind(x, y, back)

    def trace(self, *steps: str | Vertex, lift: float = 0.0) -> str:
        """Path data as svg.trace, of frontal points; `lift` for those that bring none."""
        at = self.surface.at
        return svg.trace(
            *(step if isinstance(step, str) else at(*step) if len(step) == 3 else at(*step, lift) for step in steps)
        )

    def arc(self, start: Vertex, middle: Vertex, end: Vertex, lift: float = 0.0) -> str:
        """svg.arc of frontal points."""
        return svg.arc(*self.spots((start, middle, end), lift))

    def loop(self, vertices: Sequence[Vertex], lift: float = 0.0) -> str:
        """svg.loop of frontal points."""
        return svg.loop(self.spots(vertices, lift))

    def spots(self, vertices: Sequence[Vertex], lift: float = 0.0) -> list[Point]:
        """Frontal points → where the picture shows them."""
        at = self.surface.at
        return [at(*vertex) if len(vertex) == 3 else at(*vertex, lift) for vertex in vertices]

    def handle(self, x: float, y: float, dx: float, dy: float) -> Point:
        """The handle (dx, dy) of a smooth curve's point (x, y): handles on both sides stay in one line."""
        (x0, y0), (x1, y1), (x2, y2) = (
            self.at(x, y),
            self.at(x - 0.1 * dx, y - 0.1 * dy),
            self.at(x + 0.1 * dx, y + 0.1 * dy),
        )
        return x0 + 5 * (x2 - x1), y0 + 5 * (y2 - y1)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: str,
        opacity: float = 1.0,
        extra: str = "",
        lift: float = 0.0,
    ) -> str:
        """svg.ellipse lying on the head: foreshortened as the surface is there."""
        if self.surface.rests:
            return svg.ellipse(x, y, rx, ry, fill, opacity, extra)
        at = self.surface.at
        (x0, y0), (x1, y1), (x2, y2) = at(x, y, lift), at(x + rx, y, lift), at(x, y + ry, lift)
        turn = f"matrix({(x1 - x0) / rx:.3f} {(y1 - y0) / rx:.3f} {(x2 - x0) / ry:.3f} {(y2 - y0) / ry:.3f}"
        return svg.ellipse(0, 0, rx, ry, fill, opacity, f' transform="{turn} {x0:.2f} {y0:.2f})"{extra}')
