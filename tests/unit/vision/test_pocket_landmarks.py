"""The pocket landmarker against the truth about drawn people that the reader was never trained on."""

import pytest
import torch
from torch import Tensor

from expressive.pocket.body import Body
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.reader.reader import FaceReader
from expressive.pocket.scene import STYLES, Pose, Scene, picture
from expressive.vision.landmarks.holistic_set import HolisticSet
from expressive.vision.landmarks.pocket import BATCH, PocketLandmarker
from launcher.places import ROOT

from .drawn_landmarks import known

FACES = [
    Scene(Identity.sample(2_600_000 + i), style=style, pose=Pose(yaw=6.0 * i - 9)) for i, style in enumerate(STYLES)
]
BODIES = [
    Scene(Identity.sample(2_600_010), frame="upper_body", body=Body().gesturing("palm", "both")),
    Scene(Identity.sample(2_600_011), frame="upper_body", body=Body().gesturing("one", "left")),
]


def pixels(scenes: list[Scene], size: int = 128) -> Tensor:
    """[F, 3, H, W]"""
    return torch.stack([torch.from_numpy(picture(scene, size)) for scene in scenes]).permute(0, 3, 1, 2).float() / 255


@pytest.fixture(scope="module")
def landmarker() -> PocketLandmarker:
    return PocketLandmarker(FaceReader.load(ROOT / "models"))


@pytest.fixture(scope="module")
def found(landmarker: PocketLandmarker) -> HolisticSet:
    return landmarker.detect(pixels([*FACES, *BODIES]))


def test_faces_are_found_where_they_are(found: HolisticSet) -> None:
    true = known(*FACES, *BODIES)
    eyes = (true.face[:, 33, :2] - true.face[:, 263, :2]).norm(dim=-1)  # outer corners
    error = (found.face[..., :2] - true.face[..., :2]).norm(dim=-1).mean(dim=1) / eyes
    assert found.found.all() and found.image_size == (128, 128) and found.blendshapes is None
    assert float(error[: len(FACES)].mean()) < 0.04 and float(error.max()) < 0.12
    agree = (found.seen == true.seen).float().mean(dim=1)
    assert float(agree.min()) > 0.95


def test_bodies_and_hands_too(found: HolisticSet) -> None:
    true, bodies = known(*BODIES), slice(len(FACES), None)
    assert found.has("left_hand").tolist() == [False] * 4 + [True, True]
    assert found.has("right_hand").tolist() == [False] * 4 + [True, False]
    width = (true.pose[:, 11, :2] - true.pose[:, 12, :2]).norm(dim=-1)
    for part, most in (("pose", 0.06), ("left_hand", 0.15)):
        error = (found.part(part)[bodies, :, :2] - true.part(part)[..., :2]).norm(dim=-1) / width[:, None]
        assert float(error[true.part(part)[..., 3] > 0].mean()) < most


def test_the_nose_is_nearer_than_the_cheeks(found: HolisticSet) -> None:
    faces = found.face[: len(FACES)]
    assert bool((faces[:, 4, 2] < faces[:, [50, 280], 2].mean(1)).all())
    assert bool((faces[:, [50, 280], 2].mean(1) < faces[:, [127, 356], 2].mean(1)).all())
    assert float(faces[..., 2].abs().max()) < 1.5 and not found.points[:, 478 + 27, 2].any(), "feet are not seen"


def test_it_is_what_the_encoder_says(found: HolisticSet) -> None:
    encoder = PocketEncoder(FaceReader.load(ROOT / "models"))
    said = encoder.detect_landmarks(pixels([*FACES, *BODIES]))
    torch.testing.assert_close(found.landmarks.points, said.points, rtol=0, atol=1e-5)


def test_a_wide_picture_has_its_face_in_the_same_shares(landmarker: PocketLandmarker) -> None:
    """Stretched to twice the width, which the reader undoes."""
    square = pixels(FACES[:1])
    wide = square.repeat_interleave(2, dim=3)
    one, other = landmarker.detect(square), landmarker.detect(wide)
    torch.testing.assert_close(other.points[..., :2], one.points[..., :2], rtol=0, atol=0.01)
    assert other.image_size == (128, 256)
    assert float(other.points[0, 4, 2]) == pytest.approx(float(one.points[0, 4, 2]), rel=0.15)


def test_progress_and_nobody(landmarker: PocketLandmarker) -> None:
    grey = torch.full((BATCH + 3, 3, 64, 80), 0.5)
    done: list[int] = []
    found = landmarker.detect(grey, 25.0, done.append)
    assert done == [BATCH, BATCH + 3] and found.image_size == (64, 80)
    assert not found.points.any() and not found.visibility.any()
    sure = PocketLandmarker(landmarker.reader, 0.0).detect(grey[:1])
    assert sure.found.all()

    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landmarker.detect(grey, None, stop)
    with pytest.raises(ValueError, match="NaN"):
        landmarker.detect(grey / 0 * 0)
