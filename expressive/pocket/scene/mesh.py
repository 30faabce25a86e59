"""MediaPipe's face mesh: which vertices lie on which contour, and where the others lie between them.

The topology in mesh.json is MediaPipe's (Apache-2.0); index numbers are facts. Vertices on a contour stand at fixed
shares of its length. All others follow from those by harmonic interpolation over the mesh's edges: each is the mean of
its neighbours, so that landmarks = weights · contour points, with weights that depend on the topology alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
_CHEEK = (0.0, 0.17, 0.315, 0.465, 0.59, 0.72, 0.845, 1.0)  # of the oval from its top down to the eyes' height
_JAW = (0.11, 0.22, 0.335, 0.46, 0.565, 0.645, 0.73, 0.79, 0.855, 0.925, 1.0)  # and from there to the chin


@dataclass(frozen=True)
class Mesh:
    """The topology, and how far each vertex follows each contour point.

    triangles: int [852, 3]. edges: int [1322, 2]. mirror: int [468], each vertex's partner on the face's other side.
    contours: name → indices. chains: the same as open curves, the oval as 'cheek_right' (from its top to the eyes'
    height), 'jaw_right' (on to the chin) and their mirrors. anchors: int [A], all that lie on a contour, each once.
    weights: float64 [468, A], rows that sum to 1.
    """

    triangles: np.ndarray
    edges: np.ndarray
    mirror: np.ndarray
    contours: Mapping[str, tuple[int, ...]]
    chains: Mapping[str, tuple[int, ...]]
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
    oval, split = contours["oval"], len(_CHEEK)
    right, left = oval[: len(oval) // 2 + 1], (oval[0], *oval[: len(oval) // 2 - 1 : -1])
    chains = {name: indices for name, indices in contours.items() if name != "oval"}
    for name, side in (("right", right), ("left", left)):
        chains["cheek_" + name], chains["jaw_" + name] = side[:split], side[split:]
    anchors = np.unique([index for indices in contours.values() for index in indices])
    mirror = np.array(content["mirror"])
    both = np.concatenate([edges, mirror[edges]])  # the interpolation is symmetric, as a few edges are not
    return Mesh(triangles, edges, mirror, contours, chains, anchors, _harmonic(both, anchors))


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
    """Where a chain's vertices stand, in shares of its length from the picture's left to its right.

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
    if name.startswith(("cheek", "jaw")):
        return np.array(_CHEEK if name.startswith("cheek") else _JAW)
    return np.linspace(0.0, 1.0, len(mesh().chains[name]))


def along(curves: Sequence[np.ndarray], places: Sequence[np.ndarray]) -> np.ndarray:
    """Points at shares of the length (in x and y) of open polylines: all in one array, curve after curve.

    curves: [N_i, D] each. places: [K_i] each, 0 … 1, rising. Returns [sum of K_i, D].
    """
    points = np.concatenate(curves)
    counts = np.array([len(curve) for curve in curves])
    starts = np.cumsum(counts) - counts
    steps = np.zeros(len(points))
    gaps = points[1:, :2] - points[:-1, :2]
    steps[1:] = np.sqrt((gaps * gaps).sum(axis=1))
    steps[starts] = 0.0
    walked = np.cumsum(steps)
    lengths = np.maximum(walked[starts + counts - 1] - walked[starts], 1e-9)
    # every curve takes its own stretch of one axis, 0 … 1 from an even number on, so that one look-up serves all
    axis = (walked - np.repeat(walked[starts], counts)) / np.repeat(lengths, counts)
    axis += np.repeat(2.0 * np.arange(len(curves)), counts)
    wanted = np.concatenate([place + 2.0 * k for k, place in enumerate(places)])
    found = np.empty((len(wanted), points.shape[1]))
    for k in range(points.shape[1]):
        found[:, k] = np.interp(wanted, axis, points[:, k])
    return found
