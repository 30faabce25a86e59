"""Five-point alignment: exact, the same as scikit-image's, and differentiable."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from expressive.encoders import FacePoints
from expressive.encoders.alignment import (
    ARCFACE_POINTS,
    align_faces,
    arcface_template,
    found_crops,
    in_all_rows,
    invert,
    similarity,
    warp,
)


def turned(angle, scale, shift, noise=0.0, seed=0):
    """[1, 5, 2] double: the template turned, scaled, moved."""
    points = torch.tensor(ARCFACE_POINTS, dtype=torch.float64)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    matrix = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    points = points @ matrix.T + torch.tensor(shift, dtype=torch.float64)
    return (points + noise * torch.randn(5, 2, generator=generator, dtype=torch.float64))[None]


@given(st.floats(-3.1, 3.1), st.floats(0.1, 8), st.floats(-300, 300), st.floats(-300, 300))
def test_a_similar_figure_is_brought_home_exactly(angle, scale, x, y):
    points = turned(angle, scale, (x, y))
    matrix = similarity(points, arcface_template())
    ones = torch.cat((points, torch.ones(1, 5, 1, dtype=torch.float64)), dim=2)
    torch.testing.assert_close((ones @ matrix.mT)[0], arcface_template().double(), atol=1e-5, rtol=0)
    back = torch.cat((arcface_template().double(), torch.ones(5, 1, dtype=torch.float64)), dim=1)
    torch.testing.assert_close(back @ invert(matrix)[0].mT, points[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("seed", range(8))
def test_parity_with_scikit_image(seed):
    transform = pytest.importorskip("skimage.transform")
    random = np.random.default_rng(seed)
    points = turned(random.uniform(-3, 3), random.uniform(0.3, 4), random.uniform(-200, 200, 2), noise=9.0, seed=seed)
    theirs = transform.SimilarityTransform()
    target = arcface_template().double()
    assert theirs.estimate(points[0].numpy(), target.numpy())
    ours = similarity(points, target)[0]
    torch.testing.assert_close(ours, torch.from_numpy(theirs.params[:2]), atol=1e-5, rtol=1e-5)


def test_a_mirrored_figure_is_not_reflected():
    mirrored = turned(0.2, 2.0, (0, 0)) * torch.tensor([-1.0, 1.0])
    turn = similarity(mirrored, arcface_template())[0, :, :2]
    assert torch.linalg.det(turn) > 0


def test_points_in_one_place_do_not_divide_by_zero():
    matrix = similarity(torch.full((1, 5, 2), 7.0), arcface_template())
    assert matrix.isfinite().all()
    torch.testing.assert_close(matrix[0, :, :2], torch.eye(2))


def test_the_crop_is_the_picture_where_the_face_lies_in_place():
    pictures = torch.rand(2, 3, 112, 112)
    points = arcface_template().expand(2, 5, 2)
    torch.testing.assert_close(align_faces(pictures, points), pictures, atol=1e-5, rtol=0)
    moved = align_faces(torch.nn.functional.pad(pictures, (30, 5, 20, 4)), points + torch.tensor([30.0, 20.0]))
    torch.testing.assert_close(moved, pictures, atol=1e-4, rtol=0)


def test_outside_of_the_picture_is_black():
    matrix = torch.tensor([[[1.0, 0.0, 4.0], [0.0, 1.0, 0.0]]])
    crop = warp(torch.ones(1, 3, 8, 8), matrix, 8)
    assert crop[..., :4].abs().max() == 0 and crop[..., 4:].min() > 0.999


def test_parity_with_opencv():
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(1).random((90, 130, 3), dtype=np.float32)
    matrix = similarity(turned(0.4, 0.7, (30, 10), noise=2.0), arcface_template())
    theirs = cv2.warpAffine(picture, matrix[0].numpy(), (112, 112), borderValue=0.0)
    ours = warp(torch.from_numpy(picture).permute(2, 0, 1)[None], matrix.float(), 112)[0].permute(1, 2, 0)
    # OpenCV rounds places to 1/32 of a pixel, and this picture is noise
    assert np.abs(ours.numpy() - theirs).mean() < 0.02


def test_gradients_reach_picture_and_points():
    pictures = torch.rand(1, 3, 9, 8, dtype=torch.float64, requires_grad=True)
    points = turned(0.3, 0.05, (2, 2), noise=0.3).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, q: align_faces(p, q, 4), (pictures, points), nondet_tol=1e-9)


def test_rows_without_a_face_are_zero_and_harmless():
    pictures = torch.rand(3, 3, 20, 20, requires_grad=True)
    found = torch.tensor([True, False, True])
    points = torch.zeros(3, 5, 2)
    points[0], points[2] = turned(0.1, 0.1, (2, 3)).float()[0], turned(-0.2, 0.15, (1, 1)).float()[0]
    faces = FacePoints(points, torch.zeros(3, 4), torch.ones(3), found, found.long())
    crops = found_crops(pictures, faces, 8)
    assert crops.shape == (2, 3, 8, 8)
    rows = in_all_rows(crops.flatten(1), found, pictures)
    assert rows.shape == (3, 192) and rows[1].abs().max() == 0
    rows.sum().backward()
    assert pictures.grad is not None
    assert pictures.grad[0].abs().max() > 0 and pictures.grad[1].abs().max() == 0
    nobody = in_all_rows(torch.zeros(0, 4), torch.zeros(3, dtype=torch.bool), pictures)
    assert nobody.shape == (3, 4)
    nobody.sum().backward()
