"""Cropping a face and putting it back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from expressive.vision import face_crop
from expressive.vision.face_crop import choose_face, composite, crop, place


def picture(height: int = 60, width: int = 90, count: int = 1) -> Tensor:
    return torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(0))


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-20, 80), st.floats(-20, 50), st.floats(4, 60), st.floats(4, 60), st.sampled_from([16, 64, 128]),
    st.floats(0, 1.5),
)  # fmt: skip
def test_what_was_not_edited_comes_back_bit_for_bit(
    left: float, top: float, width: float, height: float, size: int, margin: float
) -> None:
    """Wherever the face is, over the border too, and however much scaling loses."""
    whole = picture()
    where = place((left, top, left + width, top + height), (60, 90), size, margin)
    part = crop(whole, where)
    assert part.shape == (1, size, size, 3)
    assert torch.equal(composite(whole, part, where), whole)


def test_only_the_square_changes_and_its_border_fades() -> None:
    whole = picture() * 0.5
    where = place((30, 20, 50, 44), (60, 90), 64, 0.5)
    changed = composite(whole, torch.ones(1, 64, 64, 3), where)
    moved = (changed - whole).abs().amax((0, 3))
    inside = torch.zeros(60, 90, dtype=torch.bool)
    inside[where.top : where.top + where.side, where.left : where.left + where.side] = True
    assert float(moved[~inside].max()) == 0.0
    middle = changed[0, where.top + where.side // 2, where.left + where.side // 2]
    torch.testing.assert_close(middle, torch.ones(3), atol=0.03, rtol=0)
    assert float(moved[where.top, where.left]) < 0.01 < float(moved[where.top + 8, where.left + 18])
    assert 0 <= float(changed.min()) and float(changed.max()) <= 1


def test_the_square_stays_in_the_picture_where_it_can() -> None:
    at_border = place((0, 0, 20, 24), (60, 90), 64, 0.5)
    assert (at_border.left, at_border.top, at_border.side) == (0, 0, 36)
    at_end = place((75, 40, 90, 60), (60, 90), 64, 0.5)
    assert at_end.left + at_end.side == 90 and at_end.top + at_end.side == 60
    too_large = place((10, 5, 80, 58), (60, 90), 64, 0.5)
    assert too_large.side == 105 and too_large.top < 0
    assert crop(picture(), too_large).shape == (1, 64, 64, 3)
    with pytest.raises(ValueError, match="smaller than a pixel"):
        place((5, 5, 5, 9), (60, 90), 64)


def test_one_picture_many_edits_and_the_other_way_round() -> None:
    where = place((30, 20, 50, 44), (60, 90), 32)
    assert composite(picture(), torch.rand(5, 32, 32, 3), where).shape == (5, 60, 90, 3)
    assert composite(picture(count=3), torch.rand(1, 48, 48, 3), where).shape == (3, 60, 90, 3)
    with pytest.raises(ValueError, match="48 × 32 pixels, but a crop is square"):
        composite(picture(), torch.rand(1, 32, 48, 3), where)
    with pytest.raises(ValueError, match="3 pictures and 2 edited"):
        composite(picture(count=3), torch.rand(2, 32, 32, 3), where)
    with pytest.raises(ValueError, match="90 × 60 pixels, but the picture has 80 × 60"):
        crop(picture(width=80), where)


def test_the_face_that_is_meant() -> None:
    faces = [(50.0, 0.0, 60.0, 10.0), (0.0, 0.0, 30.0, 30.0), (70.0, 5.0, 90.0, 25.0)]
    assert choose_face(faces) == 1
    assert [choose_face(faces, "index", i) for i in (0, 1, 2, -1)] == [1, 0, 2, 2]
    assert choose_face(faces, "person", likeness=lambda box: box[0]) == 2
    for wrong, sentence in (
        (lambda: choose_face([]), "no face in the picture"),
        (lambda: choose_face(faces, "index", 3), "has 3 face"),
        (lambda: choose_face(faces, "nicest"), "no choice “nicest”"),
    ):
        with pytest.raises(ValueError, match=sentence):
            wrong()


def test_a_mask_is_whole_in_the_middle_and_nothing_at_the_border() -> None:
    mask = face_crop.border_mask(40, 0.1)
    assert float(mask[20, 20]) == 1.0 and float(mask[0].max()) < 0.05
    torch.testing.assert_close(mask, mask.T)


def test_an_edit_that_is_larger_than_the_crop_keeps_its_detail() -> None:
    """A model that works at twice the crop's size draws finer than the crop: that is not scaled away first."""
    whole = torch.full((1, 256, 256, 3), 0.5)
    where = place((64, 64, 192, 192), (256, 256), 64, 0.0)  # cropped at half its size
    stripes = torch.full((1, 128, 128, 3), 0.5)
    stripes[:, :, ::2] = 1.0
    changed = composite(whole, stripes, where, 0.0)[0, 128, 66:190, 0]
    assert float((changed[1:] - changed[:-1]).abs().mean()) > 0.4
