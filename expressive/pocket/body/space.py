"""Points, directions and rotations in space, as plain tuples: too few for arrays to be quicker."""

from __future__ import annotations

import math

Vector = tuple[float, float, float]
Rotation = tuple[Vector, Vector, Vector]
"""The images of the three axes, each of length 1 and at right angles to the others."""

Quaternion = tuple[float, float, float, float]


def plus(a: Vector, b: Vector, factor: float = 1.0) -> Vector:
    """a + factor · b."""
    return (a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2])


def between(a: Vector, b: Vector, share: float) -> Vector:
    """The point `share` of the way from `a` to `b`."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def dot(a: Vector, b: Vector) -> float:
    """The inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """The vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def length(a: Vector) -> float:
    """The Euclidean norm."""
    return math.sqrt(dot(a, a))


def unit(a: Vector) -> Vector:
    """`a` shrunk or stretched to length 1; the x axis for a vector of no length."""
    norm = length(a)
    return (a[0] / norm, a[1] / norm, a[2] / norm) if norm > 1e-9 else (1.0, 0.0, 0.0)


def about(vector: Vector, axis: Vector, degrees: float) -> Vector:
    """`vector` rotated about the unit vector `axis`, right-handed (Rodrigues)."""
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    side, along = cross(axis, vector), dot(axis, vector) * (1 - c)
    return (
        vector[0] * c + side[0] * s + axis[0] * along,
        vector[1] * c + side[1] * s + axis[1] * along,
        vector[2] * c + side[2] * s + axis[2] * along,
    )


def turned(rotation: Rotation, vector: Vector) -> Vector:
    """`vector` rotated."""
    x, y, z = rotation
    return (
        x[0] * vector[0] + y[0] * vector[1] + z[0] * vector[2],
        x[1] * vector[0] + y[1] * vector[1] + z[1] * vector[2],
        x[2] * vector[0] + y[2] * vector[1] + z[2] * vector[2],
    )


def mixed(first: Rotation, second: Rotation, share: float) -> Rotation:
    """The rotation `share` of the way from `first` to `second` on the shortest way (spherical interpolation)."""
    if share <= 0.0:
        return first
    if share >= 1.0:
        return second
    a, b = _quaternion(first), _quaternion(second)
    cosine = sum(p * q for p, q in zip(a, b, strict=True))
    if cosine < 0:
        b, cosine = (-b[0], -b[1], -b[2], -b[3]), -cosine
    angle = math.acos(min(1.0, cosine))
    if angle < 1e-4:
        return first
    p, q = math.sin((1 - share) * angle) / math.sin(angle), math.sin(share * angle) / math.sin(angle)
    return _rotation((p * a[0] + q * b[0], p * a[1] + q * b[1], p * a[2] + q * b[2], p * a[3] + q * b[3]))


def _quaternion(rotation: Rotation) -> Quaternion:
    (m00, m10, m20), (m01, m11, m21), (m02, m12, m22) = rotation
    trace = m00 + m11 + m22
    if trace > 0:
        s = 2 * math.sqrt(trace + 1)
        return (s / 4, (m21 - m12) / s, (m02 - m20) / s, (m10 - m01) / s)
    if m00 >= m11 and m00 >= m22:
        s = 2 * math.sqrt(max(1e-12, 1 + m00 - m11 - m22))
        return ((m21 - m12) / s, s / 4, (m01 + m10) / s, (m02 + m20) / s)
    if m11 >= m22:
        s = 2 * math.sqrt(max(1e-12, 1 + m11 - m00 - m22))
        return ((m02 - m20) / s, (m01 + m10) / s, s / 4, (m12 + m21) / s)
    s = 2 * math.sqrt(max(1e-12, 1 + m22 - m00 - m11))
    return ((m10 - m01) / s, (m02 + m20) / s, (m12 + m21) / s, s / 4)


def _rotation(quaternion: Quaternion) -> Rotation:
    w, x, y, z = quaternion
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )
