"""Readings and plots."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from expressive.encoders import ExpressionReading, IdentityReading
from expressive.metrics import plots
from expressive.metrics.ffe_bench import EXPRESSIONS
from expressive.metrics.readings import FaceReading, read_faces, report


class Fixed:
    """An encoder that reads the mean of red as how happy, and of green as who."""

    name: str = "fixed"
    licence: str = ""
    differentiable: bool = True
    input_size: int | None = None
    network: nn.Module | None = None
    expression_width: int = 1
    expression_classes: tuple[str, ...] = EXPRESSIONS
    exclusive: bool = False
    identity_width: int = 2

    def encode_expression(self, pictures: Tensor, like: object = None) -> ExpressionReading:
        scores = torch.zeros(len(pictures), 12)
        scores[:, EXPRESSIONS.index("happy")] = pictures[:, 0].mean((1, 2))
        found = pictures[:, 2].mean((1, 2)) > 0
        return ExpressionReading(scores[:, :1], scores * found[:, None], found)

    def encode_identity(self, pictures: Tensor, like: object = None) -> IdentityReading:
        angle = pictures[:, 1].mean((1, 2))
        found = pictures[:, 2].mean((1, 2)) > 0
        return IdentityReading(torch.stack((angle.cos(), angle.sin()), 1) * found[:, None], found)


def faces(*colours: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colours).float()[:, :, None, None].expand(-1, -1, 4, 4)


def test_intensities_and_likeness() -> None:
    encoder = Fixed()
    pictures = faces((0.8, 0.0, 1), (0.05, 1.0, 1), (0.9, 0, 0))
    found = read_faces(encoder, pictures, encoder, faces((0, 0, 1)))
    assert [reading.dominant for reading in found] == ["happy", "neutral", "no face"]
    assert found[0].identity == pytest.approx(1.0) and found[1].identity == pytest.approx(np.cos(1.0))
    assert found[2].identity is None and found[2].scores == (0.0,) * 12
    assert found[0].label() == "happy 0.80 · identity 1.00"
    assert found[0].emotion.nearest_pixelsmile() == "happy" and not found[1].emotion.weights
    rows = json.loads(report(found))
    assert rows[0]["scores"]["happy"] == 0.8 and rows[2]["identity"] is None
    assert read_faces(encoder, pictures)[0].identity is None


def test_what_does_not_fit_is_a_sentence() -> None:
    encoder = Fixed()
    pictures = faces((0.8, 0, 1), (0.8, 0, 1), (0.8, 0, 1))
    with pytest.raises(ValueError, match="2 sources for 3 pictures"):
        read_faces(encoder, pictures, encoder, pictures[:2])
    with pytest.raises(ValueError, match="needs an encoder of identities"):
        read_faces(encoder, pictures, None, pictures)
    encoder.expression_classes = ("anger",)
    with pytest.raises(ValueError, match="fixed does not read the twelve"):
        read_faces(encoder, pictures)


def test_a_curve_shows_what_was_measured() -> None:
    alphas = [0.0, 0.5, 1.0]
    curve = plots.Curve(alphas, [0.1, 0.4, 0.7], [1.0, None, 0.8])
    page, r = plots.control_curves([curve], "happy", side=300)
    assert page.shape == (300, 300, 3) and page.dtype == np.uint8 and r == pytest.approx(1.0)
    accent = (np.abs(page.astype(int) - (0xE4, 0x57, 0x2E)).sum(-1) < 30).sum()
    second = (np.abs(page.astype(int) - (0x2A, 0x6F, 0x97)).sum(-1) < 30).sum()
    assert accent > 100 and second > 30
    unknown = [None] * 3
    plain, _ = plots.control_curves([plots.Curve(alphas, [0.1, 0.4, 0.7], unknown)], "happy", side=300)
    assert (np.abs(plain.astype(int) - (0x2A, 0x6F, 0x97)).sum(-1) < 30).sum() == 0
    flat = plots.Curve(alphas, [0.5] * 3, unknown)
    assert plots.control_curves([flat], "sad")[1] == 0.0
    assert plots.control_curves([flat, curve], "sad")[1] == pytest.approx(0.5), "the mean over faces"
    with pytest.raises(ValueError, match="three different α"):
        plots.control_curves([curve, plots.Curve([0.5, 0.5, 1.0], [0.1] * 3, unknown)], "happy")


def test_a_confusion_matrix_is_dark_where_it_is_full() -> None:
    page = plots.confusion_matrix(np.eye(12), side=400)
    assert page.shape == (400, 400, 3)
    assert page.min() < 60 < 240 < page.max()


def test_a_faint_face_is_neutral() -> None:
    scores = [0.0] * 12
    scores[3] = 0.09
    assert FaceReading(tuple(scores), True).label() == "neutral"
