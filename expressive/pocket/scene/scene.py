"""What one picture shows. Everything else (pixels, landmarks, depth) follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...emotion import Emotion
from ..body import Body
from ..faces import STYLES, Identity, Pose

FRAMES = {"face": (7.36, 7.82, 113.27), "upper_body": (-74.0, -12.0, 276.0)}
"""Framing → left, top and side of the square that the picture shows, in drawing units (a head is about 60 wide)."""

LIMIT = 1.5  # no action unit goes beyond this


@dataclass(frozen=True)
class Light:
    """Where the light comes from. The default is the flat, even light of a portrait studio."""

    azimuth: float = 0.0  # degrees, −90 from the picture's left … 90 from its right
    elevation: float = 20.0  # degrees above the eyes' height
    strength: float = 0.0  # 0 even … 1 one side in deep shade
    warmth: float = 0.0  # −1 blue … 1 amber


@dataclass(frozen=True)
class Camera:
    """Where the frame lies: moved by shares of its side, and zoomed (above 1: nearer)."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0


@dataclass(frozen=True)
class Scene:
    """One person in one moment.

    movements: action units beside those of the emotion (speech, blinks, gaze AU61..64), added to them.
    Raises ValueError for an unknown style or frame.
    """

    identity: Identity
    emotion: Emotion = field(default_factory=Emotion.neutral)
    movements: Mapping[str, float] = field(default_factory=dict)
    style: str = "portrait"  # one of STYLES
    pose: Pose = field(default_factory=Pose)  # yaw, pitch, roll within ±30°
    light: Light = field(default_factory=Light)
    background: int = 0  # index into faces.BACKGROUNDS
    frame: str = "face"  # one of FRAMES
    camera: Camera = field(default_factory=Camera)
    body: Body = field(default_factory=Body)

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"Style {self.style!r} is not drawn here; choose one of {', '.join(STYLES)}.")
        if self.frame not in FRAMES:
            raise ValueError(f"Frame {self.frame!r} is not drawn here; choose one of {', '.join(FRAMES)}.")

    @property
    def action_units(self) -> dict[str, float]:
        """FACS code → intensity: emotion and movements added, each at most 1.5."""
        total = self.emotion.action_units()
        for code, value in self.movements.items():
            total[code] = total.get(code, 0.0) + value
        return {code: min(LIMIT, value) for code, value in total.items()}
