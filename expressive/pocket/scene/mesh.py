"""MediaPipe's face mesh: which vertices lie on which contour, and where the others lie between them.

The topology in mesh.json is MediaPipe's (Apache-2.0); index numbers are facts. Vertices on a contour stand at fixed
shares of its length. All others follow from those by harmonic interpolation over the mesh's edges: each is the mean of
its neighbours, so that landmarks = weights · contour points, with weights that depend on the topology alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

MESH, IRIS = 468, 10

IRISES = {"iris_left": 468, "iris_right": 473}
"""The picture's left or right iris → its centre's index; then the rim at the picture's right, top, left and bottom."""

_LIP_OUTER = (0.0, 0.09, 0.235, 0.44, 0.715)
_LIP_INNER = (0.0, 0.145, 0.3, 0.51, 0.74)
_EYE = (0.0, 0.075, 0.165, 0.3, 0.49, 0.665, 0.83, 0.94, 1.0)
_BROW = (0.0, 0.165, 0.39, 0.665, 1.0)

_SHARES: dict[str, tuple[float, ...]] = {  # of a contour's length, from its outer end (lips: to its middle)
    "lips_outer": _LIP_OUTER,
    "lips_inner": _LIP_INNER,
    "eye": _EYE,
    "brow": _BROW,
}
CHEEK = (0.0, 0.17, 0.315, 0.465, 0.59, 0.72, 0.845, 1.0)
"""Where the oval's vertices stand from its top down to the eyes' height, in shares of that way."""
JAW = (0.11, 0.22, 0.335, 0.46, 0.565, 0.645, 0.73, 0.79, 0.855, 0.925, 1.0)
"""And from there to the chin."""


@dataclass(frozen=True)
class Mesh:
    """triangles: int [852, 3]. edges: int [1322, 2]. contours: name → indices. anchors: int [A], all that lie on a
    contour, each once. weights: float64 [468, A], rows that sum to 1."""

    triangles: np.ndarray
    edges: np.ndarray
    contours: Mapping[str, tuple[int, ...]]
    anchors: np.ndarray
    weights: np.ndarray


@cache
def mesh() -> Mesh:
    """The mesh, read and solved once."""
    content = json.loads((Path(__file__).parent / "mesh.json").read_text(encoding="utf-8"))
    triangles = np.array(content["triangles"])
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(pairs, axis=1), axis=0)
    contours = {name: tuple(indices) for name, indices in content["contours"].items()}
    anchors = np.unique([index for indices in contours.values() for index in indices])
    return Mesh(triangles, edges, contours, anchors, _harmonic(edges, anchors))


def _harmonic(edges: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """[468, A]: every vertex as the mean of its neighbours, the anchors as themselves."""
    laplacian = np.zeros((MESH, MESH))
    laplacian[edges[:, 0], edges[:, 1]] = laplacian[edges[:, 1], edges[:, 0]] = -1.0
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    free = np.setdiff1d(np.arange(MESH), anchors)
    weights = np.zeros((MESH, len(anchors)))
    weights[anchors, np.arange(len(anchors))] = 1.0
    weights[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -laplacian[np.ix_(free, anchors)])
    return weights


@cache
def shares(name: str) -> np.ndarray:
    """Where a contour's vertices stand, in shares of its length from the picture's left to its right.

    The numbers are rounded from MediaPipe's canonical face. Eyes and brows end at their outer and inner corners, so
    that the right ones mirror the left.
    """
    kind = next((kind for kind in _SHARES if name.startswith(kind)), "")
    if kind.startswith("lips"):
        half = np.array(_SHARES[kind]) / 2
        return np.concatenate([half, [0.5], 1 - half[::-1]])
    if kind:
        places = np.array(_SHARES[kind])
        return places if name.endswith("left") else 1 - places[::-1]
    return np.linspace(0.0, 1.0, len(mesh().contours[name]))


def along(curve: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Points [K, D] at shares of the length (in x and y) of an open polyline [N, D]."""
    steps = curve[1:, :2] - curve[:-1, :2]
    length = np.zeros(len(curve))
    np.cumsum(np.sqrt((steps * steps).sum(axis=1)), out=length[1:])
    if length[-1] <= 0:
        return np.repeat(curve[:1], len(places), axis=0)
    wanted, points = places * length[-1], np.empty((len(places), curve.shape[1]))
    for k in range(curve.shape[1]):
        points[:, k] = np.interp(wanted, length, curve[:, k])
    return points
