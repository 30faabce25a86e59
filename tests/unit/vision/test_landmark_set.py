"""Landmarks of a clip: parts, files, conversion."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from expressive.encoders import Landmarks
from expressive.vision.landmarks.holistic_set import BLENDSHAPES, PARTS, HolisticSet


def some(frames: int = 3, blendshapes: bool = True, seed: int = 0) -> HolisticSet:
    """Anything."""
    draw = torch.Generator().manual_seed(seed)
    return HolisticSet(
        torch.rand(frames, 553, 3, generator=draw),
        torch.rand(frames, 553, generator=draw),
        (120, 160),
        torch.rand(frames, generator=draw) > 0.5,
        torch.rand(frames, 52, generator=draw) if blendshapes else None,
    )


def test_the_parts_are_all_there_is_in_order() -> None:
    given = some()
    rows = torch.cat([given.part(name) for name in PARTS], dim=1)
    assert torch.equal(rows, torch.cat((given.points, given.visibility[..., None]), dim=2))
    assert [given.part(name).shape[1] for name in PARTS] == [478, 33, 21, 21] and len(given) == 3
    assert torch.equal(given.left_hand, rows[:, 511:532]) and torch.equal(given.face, rows[:, :478])
    assert torch.equal(given.pose[..., 3], given.visibility[:, 478:511])
    assert torch.equal(given.right_hand, given.part("right_hand"))


def test_what_is_there_and_what_is_seen() -> None:
    nobody = HolisticSet.nothing(2, (10, 20))
    assert not nobody.found.any() and not nobody.seen.any() and nobody.blendshapes is None
    visibility = nobody.visibility.clone()
    visibility[1, 3], visibility[0, 520], visibility[0, 540] = 0.4, 0.5, 0.49
    given = HolisticSet.of(nobody.points, visibility, (10, 20))
    assert given.found.tolist() == [False, True] and given.has("pose").tolist() == [False, False]
    assert given.has("left_hand").tolist() == [True, False] and given.seen.nonzero().tolist() == [[0, 520]]


def test_pixels_are_shares_of_width_height_and_width() -> None:
    points = torch.zeros(1, 553, 3)
    points[0, 7] = torch.tensor([0.5, 0.25, -0.1])
    given = HolisticSet.of(points, torch.ones(1, 553), (120, 160))
    torch.testing.assert_close(given.pixels[0, 7], torch.tensor([80.0, 30.0, -16.0]))


def test_what_losses_and_metrics_take_goes_there_and_back() -> None:
    given = some(blendshapes=False)
    landmarks = given.landmarks
    assert isinstance(landmarks, Landmarks) and torch.equal(landmarks.found, given.found)
    back = HolisticSet.from_landmarks(landmarks, (120, 160))
    assert torch.equal(back.points[..., :2], given.points[..., :2]) and torch.equal(back.visibility, given.visibility)
    assert not back.points[..., 2].any() and not back.held.any()


@pytest.mark.parametrize("blendshapes", [True, False])
def test_a_file_holds_all_of_it_bit_for_bit(tmp_path: Path, blendshapes: bool) -> None:
    given = some(blendshapes=blendshapes)
    file = given.save(tmp_path / "kept" / "clip.safetensors")
    found = HolisticSet.load(file)
    assert found.same_as(given) and found.image_size == (120, 160) and found.held.dtype == torch.bool
    assert not found.same_as(some(blendshapes=not blendshapes)) and not found.same_as(some(seed=1))
    assert len(set(BLENDSHAPES)) == 52 and [path.name for path in file.parent.iterdir()] == [file.name]


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There are no landmarks at"):
        HolisticSet.load(tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="broken.safetensors is damaged"):
        HolisticSet.load(tmp_path / "broken.safetensors")
    save_file({"points": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="other.safetensors does not hold landmarks"):
        HolisticSet.load(tmp_path / "other.safetensors")
    save_file({"points": torch.zeros(1)}, tmp_path / "half.safetensors", {"kind": "holistic landmarks"})
    with pytest.raises(ValueError, match=r"half.safetensors lacks a part of its landmarks: 'image_size'"):
        HolisticSet.load(tmp_path / "half.safetensors")


def test_other_shapes_are_refused() -> None:
    good = some()
    for points, visibility, sentence in (
        (torch.zeros(3, 553, 2), good.visibility, r"points .* \[3, 553, 3\] .* \[3, 553, 2\]"),
        (torch.zeros(0, 553, 3), torch.zeros(0, 553), "at least one frame"),
        (good.points.double(), good.visibility, "torch.float64"),
        (good.points, good.visibility[:2], r"visibility .* \[2, 553\]"),
        (good.points / 0, good.visibility, "NaN or infinite"),
    ):
        with pytest.raises(ValueError, match=sentence):
            HolisticSet.of(points, visibility, (120, 160))
    with pytest.raises(ValueError, match=r"\(height, width\) in pixels, but here it is \(0, 9\)"):
        HolisticSet.of(good.points, good.visibility, (0, 9))
    with pytest.raises(ValueError, match=r"blendshapes .* \[3, 52\]"):
        HolisticSet.of(good.points, good.visibility, (120, 160), torch.zeros(3, 51))
