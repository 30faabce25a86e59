"""From action units to the shapes of a face: where brows, lids, mouth and gaze go.

Action units follow the Facial Action Coding System (Ekman, Friesen & Hager, 2002); 1.0 is intensity E, the strongest.
A code with the suffix L or R moves the person's own left or right side alone; the person's left is the picture's right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .pose import Pose

LIMIT = 1.5  # an action unit stronger than this is drawn as this
POSE_LIMIT = 35.0  # degrees; no neck turns a head farther here
JAW_LIMIT, GAP_LIMIT = 17.0, 17.0  # units that the chin drops and the lips part at most


@dataclass(frozen=True)
class Brow:
    """Offsets from rest in picture units; y > 0 is up, x > 0 is towards the nose."""

    inner: float
    middle: float
    outer: float
    pinch: float


@dataclass(frozen=True)
class Eye:
    """Lids: `upper` and `lower` are openings from the eye's axis, 1 at rest, `upper` can go below 0 as it closes."""

    upper: float
    lower: float
    slant: float  # how far the lid's inner end lies above its outer end (sadness)
    crow: float  # crow's feet and cheek raised, 0..1.5


@dataclass(frozen=True)
class Mouth:
    """Offsets in picture units from a closed mouth at rest; y > 0 is down."""

    width: float  # factor of the resting width
    left: float  # corner heights; `left` is the picture's left
    right: float
    middle: float  # height of the lips' parting line in the middle
    gap: float  # opening between the lips
    jaw: float  # how far the chin drops
    upper_raise: float
    lower_drop: float
    fullness: float  # factor of the lips' thickness
    roundness: float  # 0 almond .. 1 ring
    teeth: float  # share of the opening that the upper teeth cover
    bite: float
    shift: float  # sideways


@dataclass(frozen=True)
class Rig:
    """All moving parts. Of the pairs, index 0 is the picture's left (the person's right)."""

    brows: tuple[Brow, Brow]
    eyes: tuple[Eye, Eye]
    mouth: Mouth
    gaze: tuple[float, float]  # picture x, y in -1.5..1.5
    pose: Pose
    frown: float  # vertical lines between the brows
    forehead: float  # horizontal lines
    nose_wrinkle: float
    folds: tuple[float, float]  # nasolabial folds
    chin: float  # chin raised and dimpled
    dimples: tuple[float, float]


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def rig(action_units: Mapping[str, float], pose: Pose | None = None) -> Rig:
    """Pose the face.

    action_units: code → intensity (0..1.5; 1 = FACS E; above 1.5 is drawn as 1.5), e.g. {"AU12": 0.8, "AU14L": 0.5}.
    pose: added to the head movements AU51..AU56.

    Where action units pull against each other, anatomy decides: parted lips do not press (AU24 with AU25..27),
    a closing lid does not rise (AU5 with AU43), lips that push forward do not stretch (AU18, AU22 with AU20); brows and
    corners go where the sum of the pulls takes them, within what a face can do.
    """

    def au(code: int, side: str = "") -> float:
        value = action_units.get(f"AU{code}", 0.0) + (action_units.get(f"AU{code}{side}", 0.0) if side else 0.0)
        return min(LIMIT, max(0.0, value))

    def both(code: int) -> float:
        return (au(code, "L") + au(code, "R")) / 2

    def brow(side: str) -> Brow:
        inner, outer, lowered = au(1, side), au(2, side), au(4, side)
        return Brow(
            inner=_within(6.0 * inner - 5.2 * lowered * (1 - 0.45 * min(inner, 1.0)) + 1.4 * outer, -6.0, 8.4),
            middle=_within(3.0 * inner + 4.8 * outer - 2.4 * lowered - 0.8 * au(9), -3.6, 8.0),
            outer=_within(5.2 * outer - 1.0 * inner - 0.4 * lowered, -2.2, 6.6),
            pinch=min(3.2, 2.6 * lowered),
        )

    def eye(side: str) -> Eye:
        closed = min(1.0, au(43, side))
        cheek, tight = au(6, side), au(7, side)
        wide = au(5, side) * (1 - closed)  # a lid cannot rise while it closes
        rest_upper = max(0.2, 1 + 0.42 * wide - 0.34 * tight - 0.12 * cheek - 0.10 * au(9))
        rest_lower = max(0.15, 1 + 0.12 * wide - 0.42 * tight - 0.5 * cheek - 0.25 * au(9))
        return Eye(
            upper=rest_upper * (1 - closed) - rest_lower * 0.72 * closed,
            lower=rest_lower * (1 - 0.2 * closed),
            slant=1.5 * min(au(1, side), au(4, side) + 0.4) - 1.3 * max(0.0, au(4, side) - au(1, side)),
            crow=cheek,
        )

    def corner(side: str) -> float:
        pulled = -5.6 * au(12, side) + 5.0 * au(15, side) - 2.2 * au(14, side) + 1.6 * au(20, side) + 2.2 * snarl
        return _within(pulled, -8.0, 7.5)

    parted = min(1.0, max(au(25), au(26), au(27)))
    smile, jaw = both(12), min(JAW_LIMIT, 8.0 * au(26) + 14.0 * au(27))
    pucker, funnel, tight = au(18), au(22), au(23)
    stretch = both(20) * (1 - 0.6 * min(1.0, pucker + funnel))  # lips push forward rather than aside
    press = au(24) * (1 - parted)  # parted lips do not press
    snarl = min(1.0, au(10), au(16)) * parted * (1 - min(1.0, smile))  # teeth bared in a square
    gap = 3.4 * au(25) + 0.85 * jaw + 2.2 * au(16) + 2.4 * funnel + 1.6 * au(10) * min(1.0, au(25)) - 3.0 * press
    gap = _within(gap, 0.0, GAP_LIMIT)
    width = (
        1
        + 0.24 * smile
        + 0.26 * stretch
        + 0.06 * both(14)
        - 0.36 * pucker
        - 0.30 * funnel
        - 0.16 * tight
        - 0.05 * press
        - 0.028 * jaw * (1 - 0.7 * min(1.0, smile + stretch))
    )
    mouth = Mouth(
        width=_within(width if width < 1.3 else 1.3 + 0.4 * (width - 1.3), 0.42, 1.46),
        left=corner("R") + 0.25 * jaw,
        right=corner("L") + 0.25 * jaw,
        middle=_within(1.9 * smile - 1.9 * both(15) - 2.0 * au(17) - 0.4 * au(9), -4.0, 3.0),
        gap=gap,
        jaw=jaw,
        upper_raise=min(4.6, 2.4 * au(10) + 1.2 * au(9) + 0.6 * smile),
        lower_drop=1.2 * au(16) + 0.8 * au(20) * min(1.0, au(25)),
        fullness=max(
            0.3, 1 - 0.40 * tight - 0.45 * press - 0.12 * smile - 0.12 * stretch + 0.35 * pucker + 0.2 * funnel
        ),
        roundness=min(
            1.0, 0.055 * jaw * (1 - 0.8 * min(1.0, smile + stretch)) + 0.5 * funnel + 0.3 * pucker + 0.75 * snarl
        ),
        teeth=min(1.0, 0.16 + 0.55 * smile + 0.7 * stretch + 0.5 * au(10) + 0.35 * au(16)),
        bite=au(32),
        shift=1.8 * (au(12, "L") + au(14, "L") + au(15, "R") * 0.5 - au(12, "R") - au(14, "R") - au(15, "L") * 0.5),
    )
    base = pose or Pose()
    return Rig(
        brows=(brow("R"), brow("L")),
        eyes=(eye("R"), eye("L")),
        mouth=mouth,
        gaze=(au(61) - au(62), au(64) - au(63)),
        pose=Pose(
            yaw=_within(base.yaw + 14 * (au(51) - au(52)), -POSE_LIMIT, POSE_LIMIT),
            pitch=_within(base.pitch + 12 * (au(53) - au(54)), -POSE_LIMIT, POSE_LIMIT),
            roll=_within(base.roll + 9 * (au(55) - au(56)), -POSE_LIMIT, POSE_LIMIT),
        ),
        frown=max(0.0, both(4)),
        forehead=max(0.0, (both(1) + both(2)) / 2),
        nose_wrinkle=au(9),
        folds=(
            0.8 * au(12, "R") + 0.9 * au(10) + 0.8 * au(9) + 0.4 * au(14, "R") + 0.3 * au(15, "R"),
            0.8 * au(12, "L") + 0.9 * au(10) + 0.8 * au(9) + 0.4 * au(14, "L") + 0.3 * au(15, "L"),
        ),
        chin=au(17),
        dimples=(au(14, "R"), au(14, "L")),
    )
