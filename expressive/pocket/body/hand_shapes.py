"""A hand's outlines from its joints: palm, fingers and thumb, from back to front, with nails and creases."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .hand import FINGERS
from .shapes import Circle, Point, Tube, curve, hull, polygon, tube
from .skeleton import ArmJoints
from .space import Vector, between, dot, length, plus

RADII: tuple[tuple[float, float, float, float], ...] = (  # at the joints of thumb … little finger; unit: hand length
    (0.052, 0.064, 0.058, 0.045),
    (0.050, 0.056, 0.050, 0.042),
    (0.052, 0.058, 0.051, 0.043),
    (0.050, 0.055, 0.049, 0.041),
    (0.043, 0.048, 0.043, 0.037),
)
WEB = 0.36  # how far the skin between straight fingers reaches along their first bones


@dataclass(frozen=True)
class Piece:
    """One part of a hand. fill, line: path data, the line without the edges where the part grows out of another.
    creases: lines within, as (path data, strength). nail: path data, '' where it is not seen. shade: path data of the
    shaded side."""

    fill: str
    line: str
    creases: tuple[tuple[str, float], ...] = ()
    nail: str = ""
    shade: str = ""


def hand_pieces(arm: ArmJoints, size: float, wrist: float, breadth: float = 1.0) -> list[Piece]:
    """The hand's parts from back to front.

    size: the hand's length. wrist: the wrist's radius. breadth: factor of the fingers' thickness.
    """
    scale = size * breadth
    palm_depth = sum(arm.hand[i][2] for i in (0, 5, 9, 13, 17)) / 5
    behind: list[tuple[float, Piece]] = []
    before: list[tuple[float, Piece]] = []
    webs = _webs(arm)
    for finger in range(5):
        for run in _runs([arm.hand[i] for i in FINGERS[finger]]):
            first, last = run[0], run[-1]
            points = [arm.hand[FINGERS[finger][i]] for i in run]
            depth = sum(p[2] for p in points[-2:]) / 2 if finger == 0 else sum(p[2] for p in points) / len(points)
            if finger == 0:
                hidden = depth < palm_depth - 0.06 * size
            elif first == 0:
                hidden = points[1][2] - points[0][2] < -0.4 * length(plus(points[1], points[0], -1.0))
            else:
                hidden = depth < palm_depth
            piece = _finger(arm, finger, first, last, scale, webs[finger])
            (behind if hidden else before).append((depth, piece))
    ordered = [piece for _, piece in sorted(behind, key=lambda item: item[0])]
    ordered += [_palm(arm, size, scale, wrist, webs), _wrist(arm, wrist)]
    return ordered + [piece for _, piece in sorted(before, key=lambda item: item[0])]


def _runs(points: list[Vector]) -> list[range]:
    """A finger's joints, cut where the finger folds so sharply that one part lies before the other."""
    cuts = [0]
    for i in (1, 2):
        a, b = plus(points[i], points[i - 1], -1.0), plus(points[i + 1], points[i], -1.0)
        la, lb = length(a), length(b)
        bend = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (la * lb)
        flat_a, flat_b = math.hypot(a[0], a[1]), math.hypot(b[0], b[1])
        folded = a[0] * b[0] + a[1] * b[1] < -0.1 * flat_a * flat_b
        if bend < 0.6 and (folded or min(flat_a / la, flat_b / lb) < 0.5) and i - cuts[-1] > 0:
            cuts.append(i)
    return [range(start, stop + 1) for start, stop in zip(cuts, [*cuts[1:], 3], strict=True)]


def _webs(arm: ArmJoints) -> list[float]:
    """For each finger, how far the skin to its neighbours reaches along the first bone: less beside a bent finger."""
    straight = [0.0, *(max(0.0, 1.0 - max(0.0, _bent(arm, finger)) * 1.1) for finger in range(1, 5))]
    webs = [0.0]
    for finger in range(1, 5):
        neighbours = [straight[k] for k in (finger - 1, finger + 1) if 1 <= k <= 4]
        webs.append(WEB * straight[finger] * max(neighbours))
    return webs


def _bent(arm: ArmJoints, finger: int) -> float:
    """The sine of the angle at which a finger leaves the palm's plane."""
    i = FINGERS[finger][0]
    bone = plus(arm.hand[i + 1], arm.hand[i], -1.0)
    return dot(bone, arm.palm) / length(bone)


def _thumb_folded(arm: ArmJoints) -> bool:
    """Whether the thumb lies over the palm."""
    bone = plus(arm.hand[3], arm.hand[1], -1.0)
    return dot(bone, arm.palm) > 0.5 * length(bone)


def _wrist(arm: ArmJoints, radius: float) -> Piece:
    """What joins palm and forearm: covers the line between them."""
    within = between(arm.wrist, between(arm.hand[5], arm.hand[17], 0.5), 0.4)
    inner = radius - 0.75
    before = between(arm.wrist, arm.elbow, 0.13)
    circles: list[Circle] = [(*before[:2], inner), (*arm.wrist[:2], inner), (*within[:2], 0.5 * radius)]
    return Piece(tube(circles).fill(), "")


def _palm(arm: ArmJoints, size: float, scale: float, wrist: float, webs: list[float]) -> Piece:
    hand = arm.hand
    circles: list[Circle] = []

    def add(point: Vector, radius: float) -> None:
        circles.append((point[0], point[1], radius * size))

    across = plus(hand[17], hand[5], -1.0)
    circles.append((hand[0][0], hand[0][1], wrist - 1.2))
    add(between(hand[1], hand[2], 0.15), 0.072)
    reach = 0.9 if _thumb_folded(arm) else 0.62
    x, y, _ = between(hand[1], hand[2], reach)
    circles.append((x, y, scale * (RADII[0][0] + (RADII[0][1] - RADII[0][0]) * reach) + 0.4))
    add(plus(between(hand[0], hand[17], 0.5), across, 0.10), 0.062)
    for finger in range(1, 5):
        i = FINGERS[finger][0]
        add(hand[i], (0.058 if finger < 4 else 0.052) * (1.0 - 0.3 * max(0.0, _bent(arm, finger) * arm.palm[2])))
        if webs[finger] > 0.02:
            root, joint, _, _ = RADII[finger]
            x, y, _ = between(hand[i], hand[i + 1], webs[finger])
            circles.append((x, y, scale * (root + (joint - root) * webs[finger])))
    outline = polygon(hull(circles))
    creases: list[tuple[str, float]] = []
    if arm.palm[2] > 0.35:
        strength = min(1.0, (arm.palm[2] - 0.35) * 2.5)

        def on(x: float, y: float) -> Point:
            """A point of the palm: x from the little finger's side (0) to the thumb's (1), y from wrist to knuckles."""
            low, high = between(hand[0], hand[17], y), between(hand[0], hand[5], y)
            point = between(low, high, x)
            return (point[0], point[1])

        creases = [
            (curve((on(0.98, 0.80), on(0.62, 0.66), on(0.50, 0.42), on(0.60, 0.16))), strength),
            (curve((on(0.94, 0.78), on(0.55, 0.68), on(0.12, 0.55))), 0.8 * strength),
            (curve((on(-0.08, 0.80), on(0.30, 0.80), on(0.60, 0.92), on(0.66, 1.02))), 0.8 * strength),
        ]
    elif arm.palm[2] < -0.2:
        creases = [(_knuckle(arm, finger, size), 0.6) for finger in range(1, 5)]
    return Piece(outline, outline, tuple(creases))


def _knuckle(arm: ArmJoints, finger: int, size: float) -> str:
    """A short bow over the root of a finger on the hand's back."""
    here, wrist = arm.hand[FINGERS[finger][0]], arm.hand[0]
    ahead = (0.30 * (here[0] - wrist[0]), 0.30 * (here[1] - wrist[1]))
    across = plus(arm.hand[17], arm.hand[5], -1.0)
    ax, ay = 0.075 * across[0], 0.075 * across[1]
    x, y = here[0] - 0.08 * ahead[0], here[1] - 0.08 * ahead[1]
    return curve(((x - ax, y - ay), (x + 0.13 * ahead[0], y + 0.13 * ahead[1]), (x + ax, y + ay)))


def _finger(arm: ArmJoints, finger: int, first: int, last: int, scale: float, web: float) -> Piece:
    points = [arm.hand[i] for i in FINGERS[finger]]
    circles: list[Circle] = [(points[i][0], points[i][1], RADII[finger][i] * scale) for i in range(first, last + 1)]
    if last == 3:  # the tip joint lies in the finger's end, not at its very edge
        end, before = points[3], points[2]
        inner = between(end, before, RADII[finger][3] * scale / max(1e-6, length(plus(end, before, -1.0))))
        circles[-1] = (inner[0], inner[1], circles[-1][2])
    shape = tube(circles)
    if first > 0:
        fill = line = shape.closed()
    else:
        fill = shape.fill()
        covered = last == 1 and arm.palm[2] > 0.3  # by the rest of the finger, which lies before it
        line = (
            ""
            if covered
            else shape.line(*_beginnings(arm, shape))
            if finger == 0
            else shape.line(1, 1)
            if web > 0.1
            else shape.line()
        )
    beginning = 0 if first > 0 or last == 1 else 3 if finger == 0 else 1
    creases: list[tuple[str, float]] = []
    for joint in (1, 2):
        if first < joint < last:
            creases.append(_crease(shape, (joint - first) * 3, arm.backs[finger][joint][2]))
    nail = ""
    back = arm.backs[finger][2]
    if last == 3 and back[2] > 0.25:
        nail = _nail(points[2], points[3], back, RADII[finger][3] * scale)
    light = sum(
        a[0] * 0.5 + a[1] * 0.85 - b[0] * 0.5 - b[1] * 0.85 for a, b in zip(shape.left, shape.right, strict=True)
    )
    return Piece(fill, line, tuple(creases), nail, shape.strip(0.25, -1 if light > 0 else 1, beginning))


def _beginnings(arm: ArmJoints, shape: Tube) -> tuple[int, int]:
    """Where the thumb's left and right line begin: further out on the fingers' side, most of all over the palm."""
    knuckle = arm.hand[5]
    (lx, ly), (rx, ry) = shape.left[3], shape.right[3]
    left_inner = math.hypot(lx - knuckle[0], ly - knuckle[1]) < math.hypot(rx - knuckle[0], ry - knuckle[1])
    inner, outer = (3, 3) if _thumb_folded(arm) else (3, 2)
    return (inner, outer) if left_inner else (outer, inner)


def _crease(shape: Tube, at: int, back: float) -> tuple[str, float]:
    (ax, ay), (bx, by) = shape.left[at], shape.right[at]
    mx, my = (ax + bx) / 2, (ay + by) / 2
    bow = 0.10
    dx, dy = (ay - by) * bow, (bx - ax) * bow
    ends = [
        (mx + (ax - mx) * 0.62, my + (ay - my) * 0.62),
        (mx + dx, my + dy),
        (mx + (bx - mx) * 0.62, my + (by - my) * 0.62),
    ]
    return (curve(ends), 0.75 if abs(back) > 0.3 else 0.0)


def _nail(start: Vector, tip: Vector, back: Vector, radius: float) -> str:
    """An oval on the finger's last third, as its back is seen."""
    dx, dy = tip[0] - start[0], tip[1] - start[1]
    centre = (start[0] + 0.66 * dx + back[0] * radius * 0.55, start[1] + 0.66 * dy + back[1] * radius * 0.55)
    norm = math.hypot(dx, dy)
    if norm < 1e-6:
        return ""
    ux, uy = dx / norm, dy / norm
    longer, wide = 0.30 * norm, 0.62 * radius * back[2]
    points = [
        (centre[0] + ux * longer * c - uy * wide * s, centre[1] + uy * longer * c + ux * wide * s)
        for c, s in ((math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(9))
    ]
    return curve(points) + "Z"
