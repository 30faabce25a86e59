"""SCRFD, InsightFace's face detector (Guo et al. 2021), from its ONNX file.

The layout of the published files with keypoints (`scrfd_10g_bnkps.onnx`, `det_10g.onnx`): nine outputs, for the strides
8, 16, 32 in turn: scores [n, 1], box distances [n, 4] (left, top, right, bottom, in strides), point offsets [n, 10];
n = 2 anchors on each cell, row by row.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import loading
from .interfaces import FacePoints, check_pictures

if TYPE_CHECKING:
    from torch import nn

STRIDES, ANCHORS = (8, 16, 32), 2
LICENCE = "InsightFace models: for non-commercial research only."


def open_onnx(path: Path, purpose: str, providers: tuple[str, ...] = ("CPUExecutionProvider",)) -> Any:
    """An onnxruntime session. ValueError if the file is not ONNX."""
    runtime = loading.package("onnxruntime", f"run {purpose}")
    loading.file(path, purpose)
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), sess_options=options, providers=list(providers))
    except Exception as error:  # the classes for a bad file differ between versions
        raise ValueError(
            f"{path.name} is not an ONNX file that can be run: {_line(error)} Download it again."
        ) from error


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def decode(outputs: list[np.ndarray], side: tuple[int, int], threshold: float) -> tuple[np.ndarray, ...]:
    """scores [n], boxes [n, 4], points [n, 5, 2] above the threshold, in pixels of the (height, width) input."""
    kept: list[list[np.ndarray]] = [[], [], []]
    for level, stride in enumerate(STRIDES):
        scores, boxes, points = (outputs[level + part * len(STRIDES)] for part in range(3))
        scores, boxes, points = scores.reshape(-1), boxes.reshape(-1, 4) * stride, points.reshape(-1, 5, 2) * stride
        rows, columns = np.mgrid[: side[0] // stride, : side[1] // stride]
        centres = np.stack((columns, rows), axis=-1).reshape(-1, 2).astype(np.float32) * stride
        centres = centres.repeat(ANCHORS, axis=0)
        good = scores >= threshold
        centres = centres[good]
        kept[0].append(scores[good])
        kept[1].append(np.concatenate((centres - boxes[good, :2], centres + boxes[good, 2:]), axis=1))
        kept[2].append(centres[:, None] + points[good])
    return tuple(np.concatenate(part) for part in kept)


def suppress(scores: np.ndarray, boxes: np.ndarray, overlap: float) -> np.ndarray:
    """Indices, best first, without those whose box overlaps a better one's by more than `overlap` (pixels counted
    inclusively, as in the original)."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    areas = sides[:, 0] * sides[:, 1]
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        common = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2]) + 1
        shared = common.clip(min=0).prod(axis=1)
        order = rest[shared / (areas[best] + areas[rest] - shared) <= overlap]
    return np.array(kept, dtype=np.int64)


class Scrfd:
    """FaceFinder. Large faces are missed at full size, so the smaller input sizes are tried until a face is found."""

    name = "SCRFD"
    licence = LICENCE
    differentiable = False
    input_size: int | None = None
    network: nn.Module | None = None

    def __init__(self, session: Any, sizes: tuple[int, ...] = (640, 320, 160), threshold: float = 0.5) -> None:
        """threshold: lowest score of a face, 0..1. sizes: sides of the square input, for files that take any.

        ValueError if the session's outputs are not those of an SCRFD with five points.
        """
        self._session, self._threshold = session, threshold
        self._input = session.get_inputs()[0]
        fixed = self._input.shape[2]
        self._sizes = (fixed,) if isinstance(fixed, int) else sizes
        widths = [output.shape[-1] for output in session.get_outputs()]
        wanted = [1] * 3 + [4] * 3 + [10] * 3
        if len(widths) != 9 or any(isinstance(w, int) and w != right for w, right in zip(widths, wanted, strict=True)):
            raise ValueError(
                f"This face detector has {len(widths)} outputs of widths {widths}, but an SCRFD with five points has 9 "
                "of widths 1, 4 and 10. Choose scrfd_10g_bnkps.onnx or det_10g.onnx."
            )

    @classmethod
    def load(cls, path: Path, threshold: float = 0.5, providers: tuple[str, ...] = ("CPUExecutionProvider",)) -> Scrfd:
        """From `scrfd_10g_bnkps.onnx` or `det_10g.onnx`."""
        return cls(open_onnx(path, "the face detector", providers), threshold=threshold)

    def find_faces(self, pictures: Tensor) -> FacePoints:
        """[B, 3, H, W] → the largest face of each picture."""
        check_pictures(pictures)
        count = len(pictures)
        points, boxes, best = torch.zeros(count, 5, 2), torch.zeros(count, 4), torch.zeros(count)
        faces = torch.zeros(count, dtype=torch.int64)
        for row, picture in enumerate(pictures.detach()):
            scores, places, fives = self.detect(picture)
            faces[row] = len(scores)
            if len(scores):
                largest = int(((places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])).argmax())
                points[row], boxes[row] = torch.from_numpy(fives[largest]), torch.from_numpy(places[largest])
                best[row] = float(scores[largest])
        points, boxes, best, faces = (part.to(pictures.device) for part in (points, boxes, best, faces))
        return FacePoints(points, boxes, best, faces > 0, faces)

    def detect(self, picture: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All faces of one picture [3, H, W], best first: scores [n], boxes [n, 4], points [n, 5, 2] in its pixels."""
        found = (np.zeros(0, np.float32), np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32))
        for size in self._sizes:
            blob, scale = _letterbox(picture, size)
            outputs = self._session.run(None, {self._input.name: blob})
            scores, boxes, points = decode(outputs, (size, size), self._threshold)
            kept = suppress(scores, boxes / scale, 0.4)
            found = (scores[kept], (boxes / scale)[kept], (points / scale)[kept])
            if len(kept):
                break
        return found


def _letterbox(picture: Tensor, size: int) -> tuple[np.ndarray, float]:
    """The network's input [1, 3, size, size] (picture at top left, black beside it), and its scale."""
    height, width = picture.shape[-2:]
    if height > width:
        new = (size, max(1, int(size * width / height)))
    else:
        new = (max(1, int(size * height / width)), size)
    small = F.interpolate(picture[None].float().cpu(), size=new, mode="bilinear", align_corners=False)
    levels = (small * 255).clamp(0, 255).round()
    blob = torch.zeros(1, 3, size, size)
    blob[..., : new[0], : new[1]] = levels
    return ((blob - 127.5) / 128).numpy(), new[0] / height
