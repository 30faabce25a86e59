"""POSTER: the published layout, read exactly; the right channel order; wrong files refused."""

import io
from pathlib import Path

import pytest
import torch

from expressive.encoders import ExpressionEncoder, FacePoints
from expressive.encoders.alignment import arcface_template
from expressive.encoders.poster import CLASSES, PosterEncoder, load_poster
from expressive.encoders.poster_network import Poster

from .poster_weights import hollow, picture, small_poster, unmixed

# what the original repository's own code answers for the same weights (zczcwh/POSTER at ba2e3e9, with one block)
ORIGINAL = {
    True: (
        [
            [0.9646, -0.165, 0.6527, -0.5895, -0.7997, 0.0439, -0.0898],
            [-0.2344, -0.9529, 1.729, -0.6715, 0.9536, -0.8107, 0.4478],
        ],
        [
            [-0.4765, 0.4388, 0.7588, -0.1774, 1.3043, 0.1926, -0.2879, 0.285],
            [1.183, 0.0208, 0.0425, -0.2192, -0.4953, -0.1457, -0.7125, -0.007],
        ],
    ),
    False: (
        [
            [0.7314, -0.0244, 0.8878, -0.3367, 0.3125, -0.5047, -0.4581],
            [-0.3167, -1.0316, 0.339, -1.1416, 1.106, -0.1955, 0.8347],
        ],
        [
            [-0.4726, 0.0063, -1.1948, 0.1769, -0.1325, -0.5787, 0.7471, 0.3538],
            [0.0379, -0.7166, 0.1118, 0.7997, 0.1475, -0.7353, 0.016, -0.4611],
        ],
    ),
}


@pytest.fixture(scope="module")
def states():
    mixed = small_poster()
    return {True: mixed, False: unmixed(mixed)}


@pytest.fixture(scope="module")
def encoder(states, tmp_path_factory):
    return load_poster(save(states[True], tmp_path_factory.mktemp("poster") / "rafdb_best.pth"))


def save(state: dict, path: Path, prefix: str = "module.", optimiser: bool = True) -> Path:
    """As the original's train.py does on several GPUs."""
    checkpoint = {"iter": 3, "model_state_dict": {prefix + key: weight for key, weight in state.items()}}
    if optimiser:
        checkpoint["optimizer_state_dict"] = {"state": {}, "param_groups": [{"lr": 1e-5}]}
    torch.save(checkpoint, path)
    return path


@pytest.mark.parametrize("mixed", [True, False])
def test_parity_with_the_original(states, mixed):
    with torch.device("meta"):
        network = Poster(classes=7, depth=1, mixed=mixed)
    network.load_state_dict(states[mixed], assign=True)
    with torch.no_grad():
        logits, features = network.eval()(picture())
    wanted_logits, wanted_features = (torch.tensor(part) for part in ORIGINAL[mixed])
    torch.testing.assert_close(logits, wanted_logits, atol=2e-4, rtol=0)
    torch.testing.assert_close(features[:, ::73], wanted_features, atol=2e-4, rtol=0)
    assert features.shape == (2, 512)


@pytest.mark.parametrize(
    ("depth", "mixed", "keys", "parameters"),
    [(4, True, 981, 52_229_135), (8, True, 1309, 71_850_399), (8, False, 1261, 71_607_999)],
)
def test_the_published_sizes(depth, mixed, keys, parameters):
    """Counted with the original code: small and large for RAF-DB, large for AffectNet."""
    with torch.device("meta"):
        network = Poster(7, depth, mixed)
    assert len(network.state_dict()) == keys
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_it_is_what_it_says(encoder):
    assert isinstance(encoder, ExpressionEncoder)
    assert encoder.name == "POSTER (raf-db)" and encoder.exclusive and encoder.differentiable
    assert encoder.expression_classes == CLASSES["raf-db"]
    assert "non-commercial" in encoder.licence


def test_a_reading(encoder):
    pictures = torch.rand(2, 3, 90, 70, generator=torch.Generator().manual_seed(1))
    reading = encoder.encode_expression(pictures)
    assert reading.embeddings.shape == (2, 512) and reading.scores.shape == (2, 7)
    torch.testing.assert_close(reading.scores.sum(dim=1), torch.ones(2))
    assert reading.found.all()


def test_gradients_reach_the_picture(encoder):
    pictures = torch.rand(1, 3, 224, 224, requires_grad=True)
    encoder.encode_expression(pictures).embeddings.square().sum().backward()
    assert pictures.grad is not None and pictures.grad.isfinite().all() and pictures.grad.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())


def test_raf_checkpoints_see_blue_for_red_and_others_do_not(encoder):
    pictures = torch.rand(1, 3, 224, 224)
    normalised = (pictures.flip(1) - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    with torch.no_grad():
        wanted = encoder.network(normalised)[1]
    torch.testing.assert_close(encoder.encode_expression(pictures).embeddings, wanted)
    plain = PosterEncoder(encoder.network, "affectnet-7")
    torch.testing.assert_close(plain.encode_expression(pictures.flip(1)).embeddings, wanted)


class FirstAlone:
    """A FaceFinder that finds a face in the first picture alone."""

    name, licence, differentiable = "first alone", "free", False
    input_size: int | None = None
    network: torch.nn.Module | None = None

    def find_faces(self, pictures):
        points = torch.zeros(len(pictures), 5, 2)
        points[0] = arcface_template(64)
        found = torch.zeros(len(pictures), dtype=torch.bool)
        found[0] = True
        return FacePoints(points, torch.zeros(len(pictures), 4), found.float(), found, found.long())


def test_with_a_finder_the_face_is_cut_out(encoder):
    finding = PosterEncoder(encoder.network, "raf-db", FirstAlone())
    pictures = torch.rand(2, 3, 64, 64, requires_grad=True)
    reading = finding.encode_expression(pictures)
    assert reading.found.tolist() == [True, False]
    assert reading.embeddings[1].abs().max() == 0 and reading.scores[1].abs().max() == 0
    reading.embeddings.sum().backward()
    assert pictures.grad is not None
    assert pictures.grad[0].abs().max() > 0 and pictures.grad[1].abs().max() == 0
    with pytest.raises(ValueError, match="same number and size"):
        finding.encode_expression(pictures, like=pictures[:1])


def test_the_training_set_is_told_from_the_file(states, tmp_path):
    affect = hollow(states[False])
    assert load_poster(save(affect, tmp_path / "a.pth", prefix="")).name == "POSTER (affectnet-7)"
    for part, width in (("weight", (8, 512)), ("bias", (8,))):
        affect[f"head.linear.{part}"] = torch.zeros(width)
    eight = load_poster(save(affect, tmp_path / "b.pth"))
    assert eight.expression_classes[-1] == "contempt"
    with pytest.raises(ValueError, match="8 expressions apart, but raf-db has 7"):
        load_poster(tmp_path / "b.pth", "raf-db")
    with pytest.raises(ValueError, match="no training set"):
        load_poster(tmp_path / "b.pth", "fer")


class Code:
    """What a hostile checkpoint would hold."""

    def __reduce__(self):
        return (io.StringIO, ("ran",))


def test_wrong_files_are_refused(states, tmp_path):
    with pytest.raises(FileNotFoundError, match="POSTER checkpoint is not at"):
        load_poster(tmp_path / "missing.pth")
    (tmp_path / "page.pth").write_text("<html>Google Drive</html>", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        load_poster(tmp_path / "page.pth")
    torch.save({"model_state_dict": {"a": Code()}}, tmp_path / "code.pth")
    with pytest.raises(ValueError, match="not a checkpoint of weights alone"):
        load_poster(tmp_path / "code.pth")
    torch.save({"model_state_dict": {"fc.weight": torch.zeros(2)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="not a POSTER checkpoint: it lacks"):
        load_poster(tmp_path / "other.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="model_state_dict"):
        load_poster(tmp_path / "list.pth")
    state = hollow(states[True])
    extra = state | {"surplus": torch.zeros(1)}
    del extra["ir_layer.bias"]
    with pytest.raises(ValueError, match=r"lacks 1 weights \(ir_layer.bias\) and has in excess 1 weights \(surplus\)"):
        load_poster(save(extra, tmp_path / "extra.pth"))
    with pytest.raises(ValueError, match=r"ir_layer.bias has shape \[3\], not \[512\]"):
        load_poster(save(state | {"ir_layer.bias": torch.zeros(3)}, tmp_path / "shape.pth"))
