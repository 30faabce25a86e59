"""CLIP, DINO and LPIPS scores and the expression error, with the bundled reader and with files of the real layout."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models import alexnet

from expressive.emotion import Emotion
from expressive.encoders.lpips import load_lpips
from expressive.metrics.similarity import expression_error, image_similarity, text_similarity
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT


@pytest.fixture(scope="module")
def encoder() -> PocketEncoder:
    return PocketEncoder.load(ROOT / "models")


def drawn(*scenes: tuple[int, str]) -> Tensor:
    made = [picture(Scene(Identity.sample(8_000_000 + who), Emotion.of(f"pixelsmile.{word}"))) for who, word in scenes]
    return torch.from_numpy(np.stack(made)).movedim(-1, 1).float() / 255  # [B,3,H,W]


def test_the_expression_error_grows_with_the_difference_in_expression_and_not_in_identity(encoder):
    happy, sad = [(who, "happy") for who in range(6)], [(who, "sad") for who in range(6)]
    others = [(who + 50, "happy") for who in range(6)]
    same = expression_error(encoder, drawn(*happy), drawn(*happy))
    assert same.shape == (6,) and float(same.max()) == 0
    another_person = expression_error(encoder, drawn(*happy), drawn(*others)).mean()
    another_feeling = expression_error(encoder, drawn(*happy), drawn(*sad)).mean()
    assert float(another_feeling) > 1.5 * float(another_person) > 0


def test_without_a_face_there_is_no_expression_error(encoder):
    noise = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    found = expression_error(encoder, torch.cat((drawn((0, "happy")), noise)), drawn((0, "happy"), (1, "sad")))
    assert float(found[0]) == 0 and bool(found[1].isnan())


def test_a_picture_is_most_like_itself_and_its_own_caption(encoder):
    pictures = drawn((0, "happy"), (1, "angry"))
    alike = image_similarity(encoder, pictures, pictures)
    torch.testing.assert_close(alike, torch.ones(2))
    assert bool((image_similarity(encoder, pictures, pictures.flip(0)) < 1).all())
    own = text_similarity(encoder, pictures, ["a happy face", "an angry face"])
    wrong = text_similarity(encoder, pictures, ["an angry face", "a happy face"])
    assert float(own.mean()) > float(wrong.mean())


def test_one_reference_and_one_prompt_for_each(encoder):
    pictures = drawn((0, "happy"), (1, "angry"))
    for found in (
        lambda: text_similarity(encoder, pictures, ["one"]),
        lambda: image_similarity(encoder, pictures, pictures[:1]),
        lambda: expression_error(encoder, pictures, pictures[:1]),
    ):
        with pytest.raises(ValueError, match="2 pictures and 1"):
            found()


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory):
    torch.manual_seed(0)
    network = alexnet(weights=None).eval()
    file = tmp_path_factory.mktemp("lpips") / "alexnet.pth"
    torch.save(network.state_dict(), file)
    return file, network


def test_lpips_is_the_formula_of_its_paper_over_the_file_s_weights(backbone):
    """Σ over five layers of the mean over places of w · (difference of features of unit length)²."""
    file, network = backbone
    metric = load_lpips(file)
    one, other = torch.rand(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1)).unbind(0)
    mean, deviation = (torch.tensor(x)[:, None, None] for x in ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)))
    total = torch.zeros(2)
    x, y = ((part * 2 - 1 - mean) / deviation for part in (one, other))
    layers = iter(range(5))
    with torch.no_grad():
        for place, layer in enumerate(network.features[:12]):
            x, y = layer(x), layer(y)
            if place in (1, 4, 7, 9, 11):
                apart = (x / x.norm(dim=1, keepdim=True) - y / y.norm(dim=1, keepdim=True)) ** 2
                weight = getattr(metric.network, f"lin{next(layers)}").model[-1].weight
                total += (weight[0] * apart).sum(1).mean((1, 2))
    torch.testing.assert_close(metric.distances(one, other), total, atol=1e-5, rtol=1e-4)


def test_lpips_of_the_same_is_nothing_and_of_more_noise_is_more(backbone):
    metric = load_lpips(backbone[0])
    clean = drawn((0, "happy"))
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    found = [float(metric.distances(clean, (clean + amount * noise).clamp(0, 1))) for amount in (0.0, 0.05, 0.2)]
    assert found[0] == 0 < found[1] < found[2]


def test_lpips_refuses_other_files_and_sizes(backbone, tmp_path: Path):
    metric = load_lpips(backbone[0])
    with pytest.raises(ValueError, match="one size"):
        metric.distances(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 32, 32))
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="lacks 9 weights"):
        load_lpips(tmp_path / "other.pth")
    with pytest.raises(FileNotFoundError, match="nothing.pth"):
        load_lpips(tmp_path / "nothing.pth")
