"""Landmarks of drawn people, known from how they were drawn."""

import numpy as np
import torch

from expressive.pocket.body import Body
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene
from expressive.pocket.scene.truth import truth
from expressive.vision.landmarks.holistic_set import HolisticSet

WAVING = Scene(Identity.sample(2_500_003), frame="upper_body", body=Body().gesturing("palm", "both"))
"""Somebody whose shoulders and both hands are seen."""


def known(*scenes: Scene, image_size: tuple[int, int] = (128, 128)) -> HolisticSet:
    """The truth about scenes, one frame each, without depth."""
    rows = torch.from_numpy(np.stack([truth(scene, maps=False).landmarks for scene in scenes]))  # [F, 553, 3]
    points = torch.cat((rows[..., :2], torch.zeros(len(rows), 553, 1)), dim=2)
    return HolisticSet.of(points, rows[..., 2].clone(), image_size)
