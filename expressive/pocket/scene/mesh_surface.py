"""The head's surface for many points at once: `Surface.point` and `Surface.turned` on arrays."""

from __future__ import annotations

import math

import numpy as np

from ..faces.surface import (
    CENTRE_X,
    CHIN_LEAN,
    CHIN_TAPER,
    DEPTH,
    DISTANCE,
    EYE_LINE,
    JAW_BACK,
    NOD_PIVOT,
    REACH,
    TILT_PIVOT,
    Surface,
)


def stand(surface: Surface, frontal: np.ndarray) -> np.ndarray:
    """[N, 3] points of the frontal drawing with their lift (x, y, lift) → [N, 3] in head coordinates.

    As Surface.point: contours slide along the surface to the silhouette of this pose.
    """
    x, y, lift = frontal.T
    across, down = x - CENTRE_X, y - surface.centre
    height = np.where(down < 0, surface.centre - surface.crown, surface.chin - surface.centre)
    wide2, high2 = surface.half_width**2, height**2
    reach = np.sqrt(across**2 / wide2 + down**2 / high2)
    middle, slope_x, slope_y, depth = _lean(surface, x, y)
    angle = np.arccos(np.minimum(reach, 1.0))
    if surface.rests:
        return np.stack([x, y, middle + depth * np.sin(angle) + lift], axis=1)
    yaw, pitch = math.radians(surface.pose.yaw), math.radians(surface.pose.pitch)
    towards = math.cos(pitch) * math.cos(yaw) - slope_y * math.sin(pitch) + slope_x * math.sin(yaw) * math.cos(pitch)
    sideways = -math.cos(pitch) * math.sin(yaw) * across / wide2 + math.sin(pitch) * down / high2
    edge = np.arctan2(-depth * sideways / np.maximum(reach, 1e-6), np.maximum(0.2, towards))
    moved = angle + edge * (1 - np.minimum(angle / REACH, 1.0)) ** 2
    ratio = np.cos(moved) / np.where(reach < 1, np.maximum(np.cos(angle), 1e-9), 1.0)
    shell = np.maximum(1.0, reach)
    still = (angle > REACH) | (reach < 1e-6)
    return np.stack(
        [
            np.where(still, x, CENTRE_X + across * ratio),
            np.where(still, y, surface.centre + down * ratio),
            middle + lift + depth * np.where(still, np.sin(angle), shell * np.sin(moved)),
        ],
        axis=1,
    )


def turned(surface: Surface, points: np.ndarray) -> np.ndarray:
    """[N, 3] in head coordinates → [N, 3] after the head has turned: x and y as the picture shows them, z in space."""
    if surface.rests:
        return points
    yaw, pitch, roll = (math.radians(a) for a in (surface.pose.yaw, surface.pose.pitch, surface.pose.roll))
    x, y, z = points[:, 0] - CENTRE_X, points[:, 1] - NOD_PIVOT[0], points[:, 2]
    x, near = x * math.cos(yaw) + z * math.sin(yaw), z * math.cos(yaw) - x * math.sin(yaw) - NOD_PIVOT[1]
    y, near = (
        y * math.cos(pitch) - near * math.sin(pitch),
        y * math.sin(pitch) + near * math.cos(pitch) + NOD_PIVOT[1],
    )
    scale = (DISTANCE - z) / (DISTANCE - near)
    x, y = x * scale, y * scale + NOD_PIVOT[0] - TILT_PIVOT[1]
    return np.stack(
        [
            CENTRE_X + x * math.cos(roll) - y * math.sin(roll),
            TILT_PIVOT[1] + x * math.sin(roll) + y * math.cos(roll),
            near,
        ],
        axis=1,
    )


def _lean(surface: Surface, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    length = surface.chin - EYE_LINE - 6.0
    share = np.clip((y - EYE_LINE - 6.0) / length, 0.0, 1.0)
    eased = share * share * (3 - 2 * share)
    across = np.clip((x - CENTRE_X) / surface.half_width, -1.0, 1.0)
    inner = CHIN_LEAN * (1 - JAW_BACK * across * across)
    sideways = -2 * CHIN_LEAN * JAW_BACK * across / surface.half_width * eased
    depth = DEPTH * surface.half_width / 29.5 * (1 - CHIN_TAPER * eased)
    return inner * eased, sideways, inner * 6 * share * (1 - share) / length, depth
