"""The head as a surface in space: where a point of the frontal drawing lies after the head has turned.

The head is drawn frontally; each point gets a depth on an egg-shaped surface whose frontal outline is an ellipse and
whose lower part leans forward (the chin stands before the neck). Turning, nodding and tilting rotate that surface.
Points near the frontal outline slide along the surface to the new silhouette, so that outlines stay outlines: an
ellipsoid's width does not shrink as it turns.

Coordinates: x to the picture's right, y down, z towards the viewer, all in drawing units (a head is 59 wide); z is 0 at
the head's vertical axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .pose import Pose
from .svg import Point

Point3 = tuple[float, float, float]

CENTRE_X, EYE_LINE = 64.0, 60.0
DEPTH = 26.0  # from the axis to the face of a head of average width
CHIN_LEAN, CHIN_TAPER = 13.0, 0.3  # how far the chin stands before the axis; how much shallower the head is there
JAW_BACK = 0.9  # the share of the lean that is lost at the jaw's corners
NOD_PIVOT = (78.0, -3.0)  # y and z of the axis that the head nods about: the top of the neck
TILT_PIVOT = (CENTRE_X, 104.0)  # the head tilts about the neck's root
DISTANCE = 320.0  # from the eye to the head: the perspective is weak
REACH = math.radians(62)  # how far from the outline points slide along with it


@dataclass(frozen=True)
class Surface:
    """A head of given measures in a pose.

    half_width: at the cheekbones. crown, chin: y of the frontal outline's highest and lowest point.
    """

    half_width: float
    crown: float
    chin: float
    pose: Pose

    @cached_property
    def rests(self) -> bool:
        """Whether the head looks straight at the viewer: the picture is then the frontal drawing itself."""
        return max(abs(self.pose.yaw), abs(self.pose.pitch), abs(self.pose.roll)) < 0.01

    @cached_property
    def _turn(self) -> tuple[float, float, float, float, float, float]:
        yaw, pitch, roll = (math.radians(a) for a in (self.pose.yaw, self.pose.pitch, self.pose.roll))
        return (math.sin(yaw), math.cos(yaw), math.sin(pitch), math.cos(pitch), math.sin(roll), math.cos(roll))

    @cached_property
    def centre(self) -> float:
        """y of the head's middle, where its outline is widest."""
        return EYE_LINE + 2.0

    def lean(self, x: float, y: float) -> tuple[float, float, float, float]:
        """At (x, y): how far the head's middle lies before the axis, its slopes dz/dx and dz/dy, and the half depth."""
        top, length = EYE_LINE + 6.0, self.chin - EYE_LINE - 6.0
        share = (y - top) / length
        depth = DEPTH * self.half_width / 29.5
        if share <= 0:
            return 0.0, 0.0, 0.0, depth
        across = max(-1.0, min(1.0, (x - CENTRE_X) / self.half_width))
        inner = CHIN_LEAN * (1 - JAW_BACK * across * across)
        sideways = -2 * CHIN_LEAN * JAW_BACK * across / self.half_width
        if share >= 1:
            return inner, sideways, 0.0, depth * (1 - CHIN_TAPER)
        eased = share * share * (3 - 2 * share)
        return (
            inner * eased,
            sideways * eased,
            inner * 6 * share * (1 - share) / length,
            depth * (1 - CHIN_TAPER * eased),
        )

    def point(self, x: float, y: float, lift: float = 0.0, *, slide: bool = True) -> Point3:
        """The point in head coordinates (before the head turns) that shows what is drawn frontally at (x, y).

        lift: how far it stands off the surface. slide: whether points near the outline move along the surface to the
        silhouette seen in this pose (a contour does, an anatomical point such as the ear's root does not).
        """
        across, down = x - CENTRE_X, y - self.centre
        height = self.centre - self.crown if down < 0 else self.chin - self.centre
        wide2, high2 = self.half_width * self.half_width, height * height
        reach = math.sqrt(across * across / wide2 + down * down / high2)  # 1 on the outline
        middle, slope_x, slope_y, depth = self.lean(x, y)
        angle = math.acos(reach) if reach < 1 else 0.0  # from the outline towards the face
        if not slide or self.rests or angle > REACH or reach < 1e-6:
            return (x, y, middle + depth * math.sin(angle) + lift)
        sin_yaw, cos_yaw, sin_pitch, cos_pitch, _, _ = self._turn
        # the viewer's direction as the upright head has it
        towards = cos_pitch * cos_yaw - slope_y * sin_pitch + slope_x * sin_yaw * cos_pitch
        sideways = -cos_pitch * sin_yaw * across / wide2 + sin_pitch * down / high2
        edge = math.atan2(-depth * sideways / reach, max(0.2, towards))  # where the silhouette is
        edge *= (1 - angle / REACH) ** 2
        moved = angle + edge
        cosine = math.cos(moved)
        ratio = cosine / math.cos(angle) if reach < 1 else cosine
        stand = max(1.0, reach)  # beyond the outline: a shell around the head, such as hair
        return (
            CENTRE_X + across * ratio,
            self.centre + down * ratio,
            middle + stand * depth * math.sin(moved) + lift,
        )

    def behind(self, x: float, y: float, back: float = 8.0) -> Point:
        """As `at`, for what hangs or stands behind the head, `back` units behind its axis.

        Below the head's middle its silhouette is that of an upright cylinder.
        """
        if self.rests:
            return x, y
        across, down = x - CENTRE_X, min(0.0, y - self.centre)
        wide2, high2 = self.half_width * self.half_width, (self.centre - self.crown) ** 2
        reach = math.sqrt(across * across / wide2 + down * down / high2)
        if reach < 1e-6:
            return self.project((x, y, -back))
        sin_yaw, cos_yaw, sin_pitch, cos_pitch, _, _ = self._turn
        depth = DEPTH * self.half_width / 29.5
        sideways = -cos_pitch * sin_yaw * across / wide2 + sin_pitch * down / high2
        edge = math.atan2(-depth * sideways / reach, cos_pitch * cos_yaw)
        cosine = math.cos(edge)
        below = max(0.0, y - self.centre)
        z = reach * depth * math.sin(edge) - back
        return self.project((CENTRE_X + across * cosine, self.centre + down * cosine + below, z))

    def project(self, point: Point3) -> Point:
        """A point in head coordinates → drawing units, after the head has turned. Any head-fixed point will do."""
        if self.rests:
            return point[0], point[1]
        x, y, z = self.turned(point)
        return x, y

    def turned(self, point: Point3) -> Point3:
        """A point in head coordinates after the head has turned: x and y in drawing units, z in head units."""
        if self.rests:
            return point
        sin_yaw, cos_yaw, sin_pitch, cos_pitch, sin_roll, cos_roll = self._turn
        x, y, z = point[0] - CENTRE_X, point[1] - NOD_PIVOT[0], point[2]
        x, near = x * cos_yaw + z * sin_yaw, z * cos_yaw - x * sin_yaw - NOD_PIVOT[1]
        y, near = y * cos_pitch - near * sin_pitch, y * sin_pitch + near * cos_pitch + NOD_PIVOT[1]
        scale = (DISTANCE - z) / (DISTANCE - near)  # at rest, the drawing already is what the viewer sees
        x, y = x * scale, y * scale + NOD_PIVOT[0] - TILT_PIVOT[1]
        return CENTRE_X + x * cos_roll - y * sin_roll, TILT_PIVOT[1] + x * sin_roll + y * cos_roll, near

    def at(self, x: float, y: float, lift: float = 0.0) -> Point:
        """Where the picture shows what is drawn frontally at (x, y)."""
        if self.rests:
            return x, y
        x, y, _ = self.turned(self.point(x, y, lift))
        return x, y


def depth_map(xs: np.ndarray, ys: np.ndarray, surface: Surface) -> np.ndarray:
    """z of the turned head's surface seen at drawing coordinates xs, ys (same shapes); NaN beside the head.

    Ears, hair and lifts are left out. Solved by a few fixed-point steps on the surface's local measures.
    """
    sin_yaw, cos_yaw, sin_pitch, cos_pitch, sin_roll, cos_roll = surface._turn
    right, down = np.asarray(xs, float) - TILT_PIVOT[0], np.asarray(ys, float) - TILT_PIVOT[1]
    across, level = right * cos_roll + down * sin_roll, down * cos_roll - right * sin_roll
    level = level + TILT_PIVOT[1] - NOD_PIVOT[0]
    near = np.full(across.shape, 0.8 * DEPTH)
    hit = np.zeros(across.shape, bool)
    pivot_y, pivot_z = NOD_PIVOT
    wide = surface.half_width
    length = surface.chin - EYE_LINE - 6.0
    scale = np.ones(across.shape)
    for _ in range(8):
        # the ray in head coordinates: here + t · towards the viewer
        x, y, z = across / scale, level / scale, near - pivot_z
        y, z = y * cos_pitch + z * sin_pitch + pivot_y, z * cos_pitch - y * sin_pitch + pivot_z
        x, z = x * cos_yaw - z * sin_yaw, z * cos_yaw + x * sin_yaw
        scale = (DISTANCE - z) / (DISTANCE - near)
        share = np.clip((y - EYE_LINE - 6.0) / length, 0.0, 1.0)
        eased = share * share * (3 - 2 * share)
        deep = DEPTH * wide / 29.5 * (1 - CHIN_TAPER * eased)
        inner = CHIN_LEAN * (1 - JAW_BACK * np.clip(x / wide, -1.0, 1.0) ** 2)
        slope_x = -2 * CHIN_LEAN * JAW_BACK * np.clip(x / wide, -1.0, 1.0) / wide * eased
        slope_y = inner * 6 * share * (1 - share) / length
        high = np.where(y < surface.centre, surface.centre - surface.crown, surface.chin - surface.centre)
        way_x, way_y = -sin_yaw * cos_pitch / wide, sin_pitch / high
        way_z = (cos_pitch * cos_yaw - slope_y * sin_pitch + slope_x * sin_yaw * cos_pitch) / deep
        at_x, at_y, at_z = x / wide, (y - surface.centre) / high, (z - inner * eased) / deep
        a = way_x**2 + way_y**2 + way_z**2
        b = at_x * way_x + at_y * way_y + at_z * way_z
        inside = b * b - a * (at_x**2 + at_y**2 + at_z**2 - 1)
        hit = inside >= 0
        near = near + (np.sqrt(np.maximum(inside, 0.0)) - b) / a
    return np.where(hit, near, np.nan)
