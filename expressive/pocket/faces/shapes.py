"""The geometry of eyes, brows, mouth and nose, before the head turns: the drawing and the landmarks follow it alike.

All points are frontal drawing units (x right, y down); LIFT says how far the parts stand off the head's surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .brush import CENTRE_X, EYE_LINE, Brush
from .surface import Point3
from .svg import Point, through

HALF_EYE, LID = 7.9, 5.4  # half the eye's width, and the lids' distance from its axis at rest
MOUTH_LINE = 27.0  # below the eyes
SAMPLES = 13  # points of a sampled contour

LIFT = {"eye": -2.0, "brow": 0.8, "nose_root": 2.5, "nose_wing": 4.0, "nose_tip": 10.0, "glasses": 4.0}


@dataclass(frozen=True)
class EyeShape:
    """One eye. left and right are corners in the picture; top and bottom the middles of the lids."""

    centre: Point
    left: Point
    right: Point
    top: Point
    bottom: Point
    iris: Point
    iris_radius: Point  # across, up

    @property
    def shut(self) -> bool:
        """Whether only the lashes' line is seen."""
        return self.bottom[1] - self.top[1] < 1.1


@dataclass(frozen=True)
class BrowShape:
    """One brow: inner, middle and outer point of its upper edge, and its thickness at the inner end and the middle."""

    inner: Point
    middle: Point
    outer: Point
    thickness: float


@dataclass(frozen=True)
class MouthShape:
    """left, right: corners in the picture. top, bottom: the lips' inner edges in the middle; over, under: the outer."""

    left: Point
    right: Point
    top: Point
    bottom: Point
    over: Point
    under: Point
    half: float  # width
    fullness: float
    roundness: float

    @property
    def opening(self) -> float:
        """Between the lips."""
        return self.bottom[1] - self.top[1]

    @property
    def is_open(self) -> bool:
        """Whether the inside of the mouth is seen."""
        return self.opening > 1.3


@dataclass(frozen=True)
class NoseShape:
    """tip: y of the nose's underside; half: half the width between the wings; wrinkle 0..1."""

    tip: float
    half: float
    wrinkle: float


def eye_centre(brush: Brush, side: int) -> Point:
    """side −1 is the picture's left eye, +1 the right one."""
    return (CENTRE_X + side * 13.6 * brush.who.eye_distance * brush.who.head_width, EYE_LINE)


def eye_shape(brush: Brush, side: int) -> EyeShape:
    """side −1: the picture's left."""
    state = brush.rig.eyes[0 if side < 0 else 1]
    x, y = eye_centre(brush, side)
    size, style = brush.who.eye_size, brush.measures
    half, lid = HALF_EYE * size * style.eye_width, LID * size * style.eye_height
    radius = 4.25 * size * style.iris
    inner, outer = (x - side * half, y + 0.4), (x + side * half, y - brush.who.eye_tilt)
    left, right = (inner, outer) if side > 0 else (outer, inner)
    return EyeShape(
        centre=(x, y),
        left=left,
        right=right,
        top=(x - side * state.slant * 0.9, y - lid * state.upper - state.slant * 0.25),
        bottom=(x, y + lid * state.lower * 0.78),
        iris=(x + brush.rig.gaze[0] * 3.0 * size, y - 0.3 + brush.rig.gaze[1] * 2.2 * size),
        iris_radius=(radius, radius * style.iris_tall),
    )


def brow_shape(brush: Brush, side: int) -> BrowShape:
    """side −1: the picture's left."""
    state = brush.rig.brows[0 if side < 0 else 1]
    x, y = eye_centre(brush, side)
    rest = y - 10.6 - brush.measures.brow_rise
    return BrowShape(
        inner=(x - side * (8.0 + state.pinch), rest + 0.9 - state.inner),
        middle=(x + side * 0.8, rest - 1.7 - state.middle),
        outer=(x + side * 9.6, rest + 1.3 - state.outer),
        thickness=2.5 * brush.who.brow_thickness * brush.measures.brow_thickness,
    )


def mouth_shape(brush: Brush) -> MouthShape:
    """The mouth as the action units shape it."""
    state = brush.rig.mouth
    y = EYE_LINE + MOUTH_LINE * (0.6 + 0.4 * brush.who.head_length)
    half = 12.4 * brush.who.mouth_width * brush.measures.mouth_width * state.width
    x = CENTRE_X + state.shift
    level = y + (state.left + state.right) * 0.12 + state.middle
    highest = nose_shape(brush).tip + 5.0  # the upper lip stays below the nose
    top = max(level - 0.30 * state.gap - 0.55 * state.upper_raise, min(highest, level))
    bottom = level + 0.70 * state.gap + 0.5 * state.lower_drop
    full = brush.who.lip_fullness * state.fullness * brush.measures.fullness
    return MouthShape(
        left=(x - half, y + state.left),
        right=(x + half, y + state.right),
        top=(x, top),
        bottom=(x, bottom),
        over=(x, top - (1.5 + 1.3 * full) - 0.3 * state.upper_raise),
        under=(x, bottom + (1.7 + 2.1 * full)),
        half=half,
        fullness=full,
        roundness=state.roundness,
    )


def nose_shape(brush: Brush) -> NoseShape:
    """The nose as the action units shape it."""
    wrinkle = min(1.0, brush.rig.nose_wrinkle)
    return NoseShape(
        tip=EYE_LINE + 15.4 * brush.who.nose_length - 1.6 * wrinkle,
        half=4.4 * brush.who.nose_width * brush.measures.nose_width * (1 + 0.16 * wrinkle),
        wrinkle=wrinkle,
    )


def jaw_width(brush: Brush) -> float:
    """Half the width of the jaw's corners, as a share of the head's half width."""
    return 0.52 + 0.26 * brush.who.jaw + brush.measures.jaw_width


def head_outline(brush: Brush) -> list[Point]:
    """Vertices of the head's frontal outline without hair, clockwise from the crown."""
    w, top, chin, x = brush.half_width, brush.crown, brush.chin, CENTRE_X
    jaw = jaw_width(brush)
    right = [
        (x, top),
        (x + w * 0.66, top + 6),
        (x + w * 0.99, EYE_LINE - 12),
        (x + w, EYE_LINE + 6),
        (x + w * 0.93, EYE_LINE + 20),
        (x + w * jaw, chin - 8.5),
        (x + w * 0.26, chin - 0.8),
    ]
    return [*right, *[(2 * x - a, b) for a, b in reversed(right[1:])]]


def _arc(start: Point, middle: Point, end: Point, count: int = SAMPLES) -> list[Point]:
    bend = through(start, middle, end)
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t * t * end[0],
            (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t * t * end[1],
        )
        for t in (k / (count - 1) for k in range(count))
    ]


def _cubic(points: Sequence[Point], count: int) -> list[Point]:
    result = []
    for k in range(count):
        t = k / (count - 1)
        share = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        result.append(
            (
                sum(s * p[0] for s, p in zip(share, points, strict=True)),
                sum(s * p[1] for s, p in zip(share, points, strict=True)),
            )
        )
    return result


def inner_lip_curves(mouth: MouthShape) -> tuple[list[list[Point]], list[list[Point]]] | None:
    """The cubic pieces of a rounded mouth's upper and lower inner edge, left to right; None where it is an almond."""
    if not mouth.is_open or mouth.roundness <= 0.12:
        return None
    bulge, k = mouth.roundness * mouth.opening * 0.62, mouth.half * 0.55
    left, right, (x, top), (_, bottom) = mouth.left, mouth.right, mouth.top, mouth.bottom
    upper = [
        [left, (left[0], left[1] - bulge), (x - k, top), mouth.top],
        [mouth.top, (x + k, top), (right[0], right[1] - bulge), right],
    ]
    lower = [
        [left, (left[0], left[1] + bulge), (x - k, bottom), mouth.bottom],
        [mouth.bottom, (x + k, bottom), (right[0], right[1] + bulge), right],
    ]
    return upper, lower


def _inner_lips(mouth: MouthShape) -> tuple[list[Point], list[Point]]:
    curves = inner_lip_curves(mouth)
    if curves is not None:
        half = SAMPLES // 2 + 1
        upper, lower = ([*_cubic(a, half), *_cubic(b, half)[1:]] for a, b in curves)
        return upper, lower
    if mouth.is_open:
        return _arc(mouth.left, mouth.top, mouth.right), _arc(mouth.left, mouth.bottom, mouth.right)
    middle = (mouth.top[0], (mouth.top[1] + mouth.bottom[1]) / 2)
    line = _arc(mouth.left, middle, mouth.right)
    return line, line


def contours(brush: Brush) -> dict[str, list[Point3]]:
    """Named contours in head coordinates, before the head turns; brush.project takes them to the picture.

    'oval' (closed, from the forehead's middle, clockwise in the picture), 'lips_outer_upper', 'lips_outer_lower',
    'lips_inner_upper', 'lips_inner_lower', 'eye_upper_left', 'eye_lower_left', 'eye_upper_right', 'eye_lower_right',
    'iris_left', 'iris_right' (centre, then rim: right, top, left, bottom), 'brow_upper_left', 'brow_lower_left',
    'brow_upper_right', 'brow_lower_right', 'nose_bridge' (root → tip), 'nose_base' (left wing → right wing, under the
    tip). Left and right are the picture's; open contours run from its left to its right.
    """
    found: dict[str, list[Point3]] = {}

    def place(name: str, points: Sequence[Point], lift: float = 0.0) -> None:
        found[name] = [brush.point(x, y, lift) for x, y in points]

    place("oval", _oval(brush))
    mouth = mouth_shape(brush)
    upper, lower = _inner_lips(mouth)
    lifts = [lips_lift(2 * k / (SAMPLES - 1) - 1) for k in range(SAMPLES)]

    def lips(name: str, points: Sequence[Point]) -> None:
        found[name] = [brush.point(x, y, lift) for (x, y), lift in zip(points, lifts, strict=True)]

    lips("lips_inner_upper", upper)
    lips("lips_inner_lower", lower)
    if mouth.is_open:
        rim, floor = 1.5 + 0.4 * mouth.fullness, (mouth.under[1] - mouth.bottom[1]) / 2 + 0.8 + 0.6 * mouth.fullness
        ends = ((mouth.left[0] - rim, mouth.left[1]), (mouth.right[0] + rim, mouth.right[1]))
        above = [(x, y - rim) for x, y in upper]
        below = [(x, y + floor * (0.4 + 0.6 * _hump(k))) for k, (x, y) in enumerate(lower)]
        lips("lips_outer_upper", [ends[0], *above[1:-1], ends[1]])
        lips("lips_outer_lower", [ends[0], *below[1:-1], ends[1]])
    else:
        lips("lips_outer_upper", _arc(mouth.left, mouth.over, mouth.right))
        lips("lips_outer_lower", _arc(mouth.left, mouth.under, mouth.right))
    for side, name in ((-1, "left"), (1, "right")):
        eye = eye_shape(brush, side)
        line = eye.bottom if eye.shut else eye.top
        place(f"eye_upper_{name}", _arc(eye.left, line, eye.right), LIFT["eye"])
        place(f"eye_lower_{name}", _arc(eye.left, eye.bottom, eye.right), LIFT["eye"])
        (x, y), (rx, ry) = eye.iris, eye.iris_radius
        place(f"iris_{name}", [(x, y), (x + rx, y), (x, y - ry), (x - rx, y), (x, y + ry)], LIFT["eye"])
        brow = brow_shape(brush, side)
        thick = brow.thickness
        edge = _arc(brow.inner, brow.middle, brow.outer)
        below = _arc(
            (brow.inner[0], brow.inner[1] + thick * 1.1),
            (brow.middle[0], brow.middle[1] + thick),
            (brow.outer[0], brow.outer[1] + 0.4),
        )
        place(f"brow_upper_{name}", edge[::side], LIFT["brow"])
        place(f"brow_lower_{name}", below[::side], LIFT["brow"])
    nose = nose_shape(brush)
    root = EYE_LINE - 3.0
    found["nose_bridge"] = [
        brush.point(CENTRE_X, root + (nose.tip - 2.6 - root) * t, bridge_lift(t)) for t in (k / 6 for k in range(7))
    ]
    found["nose_base"] = [
        brush.point(CENTRE_X + nose.half * k, nose.tip - 1.2 + 1.8 * (1 - k * k), wing_lift(k))
        for k in (j / 4 for j in range(-4, 5))
    ]
    return found


def lips_lift(share: float) -> float:
    """How far the lips stand off the face, from the middle (0) to a corner (±1)."""
    return 1.4 - 1.7 * min(1.0, share * share)


def bridge_lift(share: float) -> float:
    """How far the nose's bridge stands off the face, from the root (0) to the tip (1)."""
    return LIFT["nose_root"] + (LIFT["nose_tip"] - LIFT["nose_root"]) * share**1.4


def wing_lift(share: float) -> float:
    """How far the nose's underside stands off the face, from the middle (0) to a wing (±1)."""
    return LIFT["nose_wing"] + (LIFT["nose_tip"] - 2.0 - LIFT["nose_wing"]) * (1 - share * share)


def _hump(index: int) -> float:
    t = index / (SAMPLES - 1)
    return 4 * t * (1 - t)


def _oval(brush: Brush) -> list[Point]:
    """The face without the skull: from the hairline over the temples before the ears to the chin."""
    w, top, chin, x = brush.half_width, brush.crown, brush.chin, CENTRE_X
    jaw = jaw_width(brush)
    right = [
        (x, top + 8.0),
        (x + w * 0.30, top + 9.0),
        (x + w * 0.58, top + 12.5),
        (x + w * 0.80, top + 19.0),
        (x + w * 0.92, EYE_LINE - 3.0),
        (x + w * 0.955, EYE_LINE + 7.0),
        (x + w * 0.93, EYE_LINE + 16.0),
        (x + w * (0.45 + 0.5 * jaw), chin - 16.5),
        (x + w * jaw, chin - 8.5),
        (x + w * (0.13 + 0.5 * jaw), chin - 3.6),
        (x + w * 0.20, chin - 0.6),
        (x, chin),
    ]
    return [*right, *[(2 * x - a, b) for a, b in reversed(right[1:-1])]]
