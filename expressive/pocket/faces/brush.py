"""What every part of the drawing needs: the head's measures, the colours, the style, where the pose moves things."""

from __future__ import annotations

from dataclasses import dataclass

from .identity import Colour, Identity, blend
from .rig import Rig
from .svg import darker, hexed, lighter

CENTRE_X, EYE_LINE = 64.0, 60.0


@dataclass(frozen=True)
class Brush:
    """An identity in a pose and a style. All lengths in picture units (the picture is 128 wide)."""

    who: Identity
    rig: Rig
    style: str  # 'portrait' or 'cartoon'

    @property
    def cartoon(self) -> bool:
        return self.style == "cartoon"

    @property
    def half_width(self) -> float:
        """Half of the head's width at the cheekbones."""
        return 29.5 * self.who.head_width

    @property
    def crown(self) -> float:
        """The skull's highest point, without hair."""
        return EYE_LINE - 33.0 * self.who.head_length

    @property
    def chin(self) -> float:
        """The chin's lowest point; drops with the jaw."""
        return EYE_LINE + 43.0 * self.who.head_length + 0.42 * self.rig.mouth.jaw

    @property
    def outline(self) -> str:
        """The stroke of outer contours; none in a portrait."""
        return "#2a1a1e" if self.cartoon else ""

    @property
    def crease(self) -> str:
        """The stroke of lines within the face."""
        return hexed(darker(self.who.skin, 0.62 if self.cartoon else 0.48))

    @property
    def lips(self) -> Colour:
        """A lip colour that shows on any skin."""
        if self.who.lipstick:
            return (196, 44, 66)
        skin = self.who.skin
        return blend(skin, (190, 62, 70), 0.55) if sum(skin) > 330 else blend(lighter(skin, 0.18), (206, 92, 96), 0.6)

    def shift(self, depth: float) -> tuple[float, float]:
        """How far the pose moves what lies `depth` before the head's axis; 1 is the face's surface, −1 the back."""
        return (0.42 * self.rig.pose.yaw * depth, -0.38 * self.rig.pose.pitch * depth)

    def moved(self, depth: float, content: str) -> str:
        """`content` shifted by the pose."""
        dx, dy = self.shift(depth)
        return f'<g transform="translate({dx:.1f} {dy:.1f})">{content}</g>' if abs(dx) + abs(dy) > 0.05 else content
