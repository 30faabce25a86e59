"""The face reader: shapes, gradients, size, files, encoders. Its weights are random here."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from expressive.encoders import (
    ExpressionEncoder,
    IdentityEncoder,
    ImageTextEncoder,
    LandmarkDetector,
    PatchEncoder,
)
from expressive.pocket.reader import attributes
from expressive.pocket.reader.anchors import ANCHORS, FACE_ANCHORS
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.reader.labels import tokens_of
from expressive.pocket.reader.net import FaceReaderNet, ReaderConfig, Reading, parameter_count
from expressive.pocket.reader.reader import FaceReader
from expressive.pocket.scene.truth import LANDMARKS
from expressive.pocket.text import MAX_TOKENS
from expressive.pocket.training.collection import ACTION_UNITS

CONFIG = ReaderConfig(action_units=ACTION_UNITS)


def random_net(config: ReaderConfig = CONFIG) -> FaceReaderNet:
    """Every weight random, so that nothing is hidden behind a zero; batch statistics as if it had seen pictures."""
    torch.manual_seed(0)
    net = FaceReaderNet(config)
    for parameter in net.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    net.landmark_weights.copy_(torch.rand(LANDMARKS, len(ANCHORS)) / len(ANCHORS))
    net.train()
    with torch.no_grad():
        for _ in range(4):
            net(torch.rand(4, 3, config.size, config.size))
    return net.eval()


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader(random_net())


def test_the_network_has_at_most_three_million_parameters() -> None:
    assert 1_500_000 < parameter_count(FaceReaderNet(CONFIG)) <= 3_000_000


@pytest.mark.parametrize("shape", [(128, 128), (64, 64), (200, 160)])
def test_everything_is_read_from_pictures_of_any_size(reader: FaceReader, shape: tuple[int, int]) -> None:
    reading = reader.read(torch.rand(2, 3, *shape))
    assert {name: tuple(value.shape) for name, value in vars(reading).items()} == {
        "presence": (2,),
        "identity": (2, 128),
        "intensities": (2, 12),
        "emo135": (2, 135),
        "action_units": (2, len(ACTION_UNITS)),
        "landmarks": (2, 553, 2),
        "visibility": (2, 553),
        "depth": (2, 32, 32),
        "image": (2, 128),
        "attributes": (2, attributes.LOGITS),
        "proportions": (2, attributes.PROPORTIONS),
        "expression": (2, 256),
        "heat": (2, len(ANCHORS), 32, 32),
    }
    assert all(value.dtype == torch.float32 and bool(value.isfinite().all()) for value in vars(reading).values())
    assert bool((reading.intensities >= 0).all() and (reading.action_units >= 0).all())
    assert bool(((reading.depth >= 0) & (reading.depth <= 1)).all())
    torch.testing.assert_close(reading.identity.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(reading.image.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(reading.heat.exp().sum((2, 3)), torch.ones(2, len(ANCHORS)))


HEADS = [
    "presence", "identity", "intensities", "emo135", "action_units", "landmarks", "visibility", "depth", "image",
    "attributes", "proportions", "expression", "heat",
]  # fmt: skip


@pytest.fixture(scope="module")
def read(reader: FaceReader) -> tuple[Tensor, Reading]:
    """Two pictures and what is read from them."""
    pictures = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1)).requires_grad_()
    return pictures, reader.read(pictures)


@pytest.mark.parametrize("head", HEADS)
def test_every_head_has_gradients_down_to_the_pixels(
    reader: FaceReader, read: tuple[Tensor, Reading], head: str
) -> None:
    pictures, reading = read
    value: Tensor = getattr(reading, head)
    weights = torch.randn(value.shape, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((value * weights).sum(), pictures, retain_graph=True)
    assert bool(gradient.isfinite().all())
    assert all(float(one.abs().max()) > 0 for one in gradient)
    assert all(parameter.grad is None for parameter in reader.net.parameters())


@torch.no_grad()
def test_places_are_as_exact_under_mixed_precision(reader: FaceReader) -> None:
    pictures = torch.rand(1, 3, 128, 128)
    plain = reader.read(pictures)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = reader.read(pictures)
    assert mixed.landmarks.dtype == torch.float32
    spread = (mixed.landmarks * 2**12).frac().abs().mean()  # bf16 near 0.5 has steps of 2⁻⁹
    assert float(spread) > 0.1
    torch.testing.assert_close(mixed.landmarks, plain.landmarks, atol=0.02, rtol=0)


@torch.no_grad()
def test_a_saved_reader_reads_the_same_bit_for_bit(reader: FaceReader, tmp_path: Path) -> None:
    file = reader.save(tmp_path, "face-reader", {"pocket.seed": 0, "modelspec.title": "a reader"})
    assert file.stat().st_size < 7_000_000
    loaded = FaceReader.load(tmp_path)
    loaded.save(tmp_path, "again", {})
    again = FaceReader.load(tmp_path, "again")
    pictures = torch.rand(3, 3, 128, 128)
    first, second = loaded.read(pictures), again.read(pictures)
    assert all(torch.equal(getattr(first, head), getattr(second, head)) for head in HEADS)
    assert torch.equal(loaded.read_texts(["a happy face"]), again.read_texts(["a happy face"]))
    torch.testing.assert_close(first.intensities, reader.read(pictures).intensities, atol=2e-2, rtol=2e-2)
    assert loaded.net.config == CONFIG


def test_files_that_are_no_readers_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(FileNotFoundError, match="python run.py pocket reader"):
        FaceReader.load(tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "face-reader.safetensors")
    with pytest.raises(ValueError, match="not a face reader's file"):
        FaceReader.load(tmp_path)
    described = {"pocket.config": CONFIG.to_json()}
    save_file({"x": torch.zeros(1)}, tmp_path / "face-reader.safetensors", described)
    with pytest.raises(ValueError, match="does not fit"):
        FaceReader.load(tmp_path)
    with pytest.raises(ValueError, match="not the description"):
        ReaderConfig.from_json("[")


@torch.no_grad()
def test_texts_of_different_lengths_are_read_one_by_one_alike(reader: FaceReader) -> None:
    together = reader.read_texts(["a happy woman", "a photorealistic face of an elderly man, blond hair"])
    assert together.shape == (2, 128)
    torch.testing.assert_close(together[:1], reader.read_texts(["a happy woman"]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(2))
    with pytest.raises(ValueError, match="at least one text"):
        reader.read_texts([])
    with pytest.raises(ValueError, match="empty text"):
        reader.read_texts(["  "])


def test_long_texts_are_cut_at_their_end() -> None:
    assert len(tokens_of("happy " * 200)) <= MAX_TOKENS
    assert len(tokens_of("x" * 500)) <= MAX_TOKENS
    assert tokens_of("happy " * 200)[:9] == tokens_of("happy " * 20)[:9]


@torch.no_grad()
def test_words_that_joined_the_vocabulary_later_are_unknown_words() -> None:
    net = FaceReaderNet(ReaderConfig(action_units=("AU1",), vocabulary=100)).eval()
    assert torch.equal(net.read_texts(torch.tensor([[2, 600, 3]])), net.read_texts(torch.tensor([[2, 1, 3]])))


def test_the_reader_is_every_kind_of_encoder(reader: FaceReader) -> None:
    encoder = PocketEncoder(reader)
    for kind in (ExpressionEncoder, IdentityEncoder, ImageTextEncoder, PatchEncoder, LandmarkDetector):
        assert isinstance(encoder, kind)
    assert len(encoder.expression_classes) == 12
    assert encoder.encode_patches(torch.rand(2, 3, 100, 90)).shape == (2, 64, encoder.patch_width)
    with pytest.raises(ValueError, match="batch, 3, height, width"):
        encoder.encode_identity(torch.rand(3, 128, 128))


@pytest.mark.parametrize("there", [True, False])
def test_encoders_answer_zero_without_a_face(reader: FaceReader, there: bool) -> None:
    bias = next(p for name, p in reader.net.named_parameters() if name == "proj_out.presence.bias")
    before = bias.data.clone()
    bias.data.fill_(50.0 if there else -50.0)
    try:
        encoder, pictures = PocketEncoder(reader), torch.rand(2, 3, 128, 128).requires_grad_()
        expression, identity = encoder.encode_expression(pictures), encoder.encode_identity(pictures)
        landmarks = encoder.detect_landmarks(pictures)
    finally:
        bias.data.copy_(before)
    assert expression.found.tolist() == identity.found.tolist() == [there, there]
    assert landmarks.points.shape == (2, LANDMARKS, 3)
    assert landmarks.found.tolist() == [there, there]
    for value in (expression.embeddings, expression.scores, identity.embeddings, landmarks.points):
        assert bool(value.detach().abs().sum() > 0) == there
    (expression.scores.sum() + identity.embeddings.sum() + landmarks.points.sum()).backward()
    assert pictures.grad is not None and bool(pictures.grad.abs().sum() > 0) == there


def test_a_hand_that_is_hardly_seen_is_not_there(reader: FaceReader) -> None:
    reading_bias = dict(reader.net.named_parameters())["proj_out.visibility.bias"]
    before = reading_bias.data.clone()
    reading_bias.data[-42:-21], reading_bias.data[-21:] = 50.0, -50.0
    try:
        bias = dict(reader.net.named_parameters())["proj_out.presence.bias"]
        bias.data.add_(50.0)
        found = PocketEncoder(reader).detect_landmarks(torch.rand(1, 3, 128, 128))
        bias.data.sub_(50.0)
    finally:
        reading_bias.data.copy_(before)
    assert bool(found.left_hand.abs().sum() > 0) and not bool(found.right_hand.any())


def test_anchors_lie_where_they_should() -> None:
    assert len(set(ANCHORS)) == len(ANCHORS) and max(ANCHORS) < LANDMARKS
    assert all(anchor < 478 for anchor in ANCHORS[:FACE_ANCHORS])
    assert all(anchor >= 478 for anchor in ANCHORS[FACE_ANCHORS:])
