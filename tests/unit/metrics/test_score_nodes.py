"""ExpressionScore and ControlCurve in the host, with the bundled reader on drawings."""

import importlib
import json
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from expressive.emotion import Emotion
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture

ALPHAS = (0.0, 0.35, 0.7, 1.0)


def drawn(seed: int, word: str, intensity: float) -> np.ndarray:
    emotion = Emotion.of(f"pixelsmile.{word}", intensity) if intensity else Emotion.neutral()
    return picture(Scene(Identity.sample(seed), emotion))


@pytest.fixture(scope="module")
def strip() -> Tensor:
    """One person, never trained on, more and more happy: [4,128,128,3]."""
    return torch.from_numpy(np.stack([drawn(2_500_000, "happy", alpha) for alpha in ALPHAS])).float() / 255


def nodes(pack: ModuleType, name: str) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.{name}")


def test_drawings_are_read_and_plotted(pack: ModuleType, strip: Tensor) -> None:
    output = nodes(pack, "expression_score").ExpressionScore.execute(strip, strip[:1])
    readings, labels, report, emotion = output.result
    assert len(readings) == 4 and readings[3].dominant == "happy" and readings[0].dominant == "neutral"
    assert labels.split("\n")[3].startswith("happy ") and "identity" in labels
    assert readings[3].identity > 0.5 and readings[0].identity == pytest.approx(1.0, abs=1e-3)
    assert len(json.loads(report)) == 4 and not emotion.weights
    assert output.ui.as_dict()["text"] == (labels,)
    sliders = "\n".join(f"α = {alpha:g}" for alpha in ALPHAS)
    curve = nodes(pack, "control_curve").ControlCurve
    page, r = curve.execute(readings, sliders, "strongest", 256).result
    assert page.shape == (1, 256, 256, 3) and 0 <= float(page.min()) < float(page.max()) <= 1
    assert r > 0.9
    assert abs(curve.execute(readings, sliders, "angry", 256).result[1]) < r
    with pytest.raises(ValueError, match="one α for each of the 4 pictures"):
        curve.execute(readings, "a\nb", "happy", 256)


def test_a_source_for_each_or_one_for_all(pack: ModuleType, strip: Tensor) -> None:
    score = nodes(pack, "expression_score").ExpressionScore
    other = torch.from_numpy(drawn(2_500_001, "happy", 1.0))[None].float() / 255
    same, stranger = score.execute(strip[3:], strip[:1]).result[0], score.execute(strip[3:], other).result[0]
    assert same[0].identity > stranger[0].identity + 0.2
    many = strip[3:].expand(20, -1, -1, -1)  # more than one part
    each = score.execute(many, torch.cat((strip[:1].expand(19, -1, -1, -1), other))).result[0]
    assert each[0].identity == pytest.approx(same[0].identity, abs=1e-3)
    assert each[19].identity == pytest.approx(stranger[0].identity, abs=1e-3)
    swept = torch.cat((strip[3:], other)).repeat(10, 1, 1, 1)  # two faces along ten α
    pairs = score.execute(swept, torch.cat((strip[:1], other))).result[0]
    assert all(pairs[i].identity > stranger[0].identity + 0.2 for i in range(20))
    with pytest.raises(ValueError, match="3 sources for 20 pictures"):
        score.execute(many, strip[:3])


def test_faces_that_share_a_strip_have_a_curve_each(pack: ModuleType, strip: Tensor) -> None:
    module = nodes(pack, "control_curve")
    reading = importlib.import_module(f"{pack.__name__}.expressive.metrics.readings").FaceReading
    labels = "\n".join(f"α = {alpha:g}" for alpha in (0, 0, 0.5, 0.5, 1, 1))
    rising, still = (0.1, 0.5, 0.9), (0.4, 0.4, 0.4)

    def read(value: float, found: bool = True) -> object:
        return reading((0.0,) * 6 + (value,) + (0.0,) * 5, found)

    both = [read(value) for pair in zip(rising, still, strict=True) for value in pair]
    assert module.ControlCurve.execute(both, labels, "happy", 256).result[1] == pytest.approx(0.5)
    lost = [read(0.0, found=False), *both[1:]]
    with pytest.raises(ValueError, match="with a face at three different α"):
        module.ControlCurve.execute(lost, labels, "happy", 256)


def test_no_face_is_said(pack: ModuleType) -> None:
    output = nodes(pack, "expression_score").ExpressionScore.execute(torch.full((1, 64, 64, 3), 0.5))
    assert output.result[1] == "no face"
