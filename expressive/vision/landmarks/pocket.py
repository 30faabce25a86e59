"""Landmarks of drawn people by the bundled face reader."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from ...encoders.interfaces import FACE, check_pictures
from ...pocket.reader.net import Reading
from ...pocket.reader.reader import FaceReader
from .holistic_set import PARTS, SEEN, HolisticSet

BATCH = 16  # pictures at a time

WALL = 106 / 59
"""Widths of a face from the tip of the nose to the wall behind a drawn person: what the reader's depth goes through
from 0 to 1 while nothing is nearer than the nose."""

_CHEEKS = (234, 454)


class PocketLandmarker:
    """The face reader as a landmarker. It knows drawn people alone: in a photograph it finds nothing, or is wrong."""

    name = "Pocket face reader"

    def __init__(self, reader: FaceReader, confidence: float = 0.5) -> None:
        """confidence: 0..1, how sure it must be that there is a face."""
        self.reader, self.confidence = reader, confidence

    @torch.no_grad()
    def detect(
        self, pictures: Tensor, fps: float | None = None, progress: Callable[[int], None] | None = None
    ) -> HolisticSet:
        """Pictures [F, 3, H, W], RGB, 0..1, of one person each; every frame for itself, whatever `fps` is.

        z is read off the reader's depth map, 32 × 32 places over the picture, where a landmark is seen: that of the
        surface, not of a joint under it, and counted from the face's middle in all parts. It is 0 elsewhere. There are
        no blendshapes. progress: told how many pictures are done, after each batch; what it raises ends the work.
        Raises ValueError for pictures that are none.
        """
        check_pictures(pictures)
        height, width = pictures.shape[2:]
        found = []
        done = 0
        for batch in pictures.split(BATCH):
            reading = self.reader.read(batch.float())
            found.append(_points(reading, width / height, self.confidence).cpu())
            done += len(batch)
            if progress is not None:
                progress(done)
        points = torch.cat(found)  # [F, 553, 4]
        return HolisticSet.of(points[..., :3], points[..., 3], (height, width))


def _points(reading: Reading, aspect: float, confidence: float) -> Tensor:
    """[B, 553, 4]: x, y, z, visibility; all zero without a face. aspect: the pictures' width over their height."""
    visibility = reading.visibility.sigmoid()
    z = _depths(reading, aspect) * (visibility >= SEEN)
    points = torch.cat((reading.landmarks, z[..., None], visibility[..., None]), dim=2)
    for name in ("left_hand", "right_hand"):
        hand = points[:, PARTS[name]]
        hand *= (hand[..., 3].mean(dim=1) > SEEN)[:, None, None]  # of a hand that is not there less than half is seen
    return points * (reading.presence.sigmoid() >= confidence)[:, None, None]


def _depths(reading: Reading, aspect: float) -> Tensor:
    """z [B, 553] in shares of the picture's width, 0 at the face's mean depth."""
    grid = 2 * reading.landmarks[:, None] - 1  # [B, 1, 553, 2] in −1 … 1 from edge to edge
    depth = F.grid_sample(reading.depth[:, None], grid, padding_mode="border", align_corners=False)[:, 0, 0]
    across, down = (reading.landmarks[:, _CHEEKS[0]] - reading.landmarks[:, _CHEEKS[1]]).unbind(dim=1)
    face = torch.hypot(across, down / aspect)  # [B], its width in shares of the picture's
    return (depth - depth[:, :FACE].mean(dim=1, keepdim=True)) * WALL * face[:, None]
