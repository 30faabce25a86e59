"""InsightFace packs: found, read, differentiable, refused."""

import importlib
import shutil

import numpy as np
import pytest
import torch

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from expressive.encoders import FaceFinder, IdentityEncoder
from expressive.encoders.insightface import find_pack, load_insightface, load_recognition
from expressive.encoders.scrfd import Scrfd, decode, suppress

from . import onnx_packs


@pytest.fixture(scope="module")
def differentiable(pack_folder):
    pytest.importorskip("onnx2torch")
    return load_insightface(pack_folder)


@pytest.fixture(scope="module")
def plain(pack_folder):
    return load_insightface(pack_folder, differentiable=False)


def test_it_is_what_it_says(differentiable, plain):
    for encoder in (differentiable, plain):
        assert isinstance(encoder, IdentityEncoder) and isinstance(encoder, FaceFinder)
        assert encoder.identity_width == 512 and encoder.name == "InsightFace antelopev2"
        assert "non-commercial" in encoder.licence
    assert differentiable.differentiable and differentiable.network is not None
    assert not plain.differentiable and plain.network is None
    assert not any(parameter.requires_grad for parameter in differentiable.network.parameters())


def test_faces_are_found_where_they_are(plain, red_squares):
    faces = plain.find_faces(red_squares)
    assert faces.faces.tolist() == [1, 0, 2] and faces.found.tolist() == [True, False, True]
    head = onnx_packs.BLOB / 3.2  # 640 input pixels for 200
    for row, (x, y) in ((0, (70, 60)), (2, (150, 100))):  # the larger of the two
        wanted = torch.from_numpy(onnx_packs.OFFSETS) * head + torch.tensor([x, y])
        torch.testing.assert_close(faces.points[row], wanted.float(), atol=0.02, rtol=0)
        torch.testing.assert_close(faces.boxes[row, :2] + faces.boxes[row, 2:], torch.tensor([2.0 * x, 2.0 * y]))
    assert (faces.boxes[0, 2] - faces.boxes[0, 0]).item() == pytest.approx(head, abs=0.5)
    assert faces.points[1].abs().max() == 0 and faces.scores[1] == 0
    assert 0.5 < faces.scores[0] <= 1


def test_tall_pictures_are_scaled_alike(plain, red_squares):
    """The same square in a tall picture: the scale follows the longer side."""
    tall = torch.zeros(1, 3, 200, 160)
    tall[0, :, 60:70, 70:80] = torch.tensor([1.0, 0, 0])[:, None, None]
    centre = plain.find_faces(tall).boxes[0].reshape(2, 2).mean(dim=0)
    torch.testing.assert_close(centre, torch.tensor([70.0, 60.0]))


def test_embeddings_have_length_one_and_tell_the_truth(differentiable, plain, red_squares):
    torch_reading, runtime_reading = (encoder.encode_identity(red_squares) for encoder in (differentiable, plain))
    torch.testing.assert_close(torch_reading.embeddings, runtime_reading.embeddings, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch_reading.embeddings.norm(dim=1), torch.tensor([1.0, 0.0, 1.0]))
    assert torch_reading.found.tolist() == [True, False, True]


def test_gradients_reach_the_faces_alone(differentiable, red_squares):
    pictures = red_squares.clone().requires_grad_()
    reading = differentiable.encode_identity(pictures)
    target = torch.nn.functional.normalize(torch.ones(512), dim=0)
    (1 - reading.embeddings @ target).sum().backward()
    assert pictures.grad is not None and pictures.grad.isfinite().all()
    assert pictures.grad[0, :, 55:65, 65:75].abs().max() > 0
    assert pictures.grad[0, :, :10].abs().max() == 0  # far from the face
    assert pictures.grad[1].abs().max() == 0  # nobody there


def test_a_loss_without_any_face_runs_backward(differentiable):
    pictures = torch.zeros(2, 3, 64, 64, requires_grad=True)
    reading = differentiable.encode_identity(pictures)
    assert not reading.found.any() and reading.embeddings.abs().max() == 0
    reading.embeddings.sum().backward()


def test_noisy_pictures_are_read_where_the_true_ones_show_the_face(differentiable, red_squares):
    noise = torch.rand(red_squares.shape, generator=torch.Generator().manual_seed(5)) * 0.3
    assert not differentiable.encode_identity(noise).found.any()
    reading = differentiable.encode_identity(noise, like=red_squares)
    assert reading.found.tolist() == [True, False, True] and reading.embeddings[0].norm() > 0.99
    with pytest.raises(ValueError, match="same number and size"):
        differentiable.encode_identity(noise[:1], like=red_squares)


def test_batches_are_rows(differentiable, red_squares):
    together = differentiable.encode_identity(red_squares).embeddings
    alone = torch.cat([differentiable.encode_identity(picture[None]).embeddings for picture in red_squares])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_the_other_pack_and_nested_folders(pack_folder, tmp_path):
    inner = tmp_path / "antelopev2" / "antelopev2"
    inner.mkdir(parents=True)
    for name in ("scrfd_10g_bnkps.onnx", "glintr100.onnx"):
        shutil.copy(pack_folder / name, inner / name)
    for folder in (tmp_path, tmp_path / "antelopev2", inner):
        assert find_pack(folder)[1] == inner / "scrfd_10g_bnkps.onnx"
    buffalo = tmp_path / "buffalo_l"
    buffalo.mkdir()
    onnx_packs.detector(buffalo / "det_10g.onnx", side=640)
    onnx_packs.recognition(buffalo / "w600k_r50.onnx", batch=1)
    encoder = load_insightface(buffalo, differentiable=False)
    assert encoder.name == "InsightFace buffalo_l"
    squares = torch.zeros(2, 3, 100, 200)
    squares[:, 0, 60:70, 70:80] = 1
    assert encoder.encode_identity(squares).embeddings.norm(dim=1).tolist() == pytest.approx([1, 1])
    assert find_pack(tmp_path)[0] == "antelopev2" and find_pack(tmp_path, "buffalo_l")[0] == "buffalo_l"
    with pytest.raises(FileNotFoundError, match="scrfd_10g_bnkps.onnx and glintr100.onnx"):
        find_pack(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="scrfd_10g_bnkps.onnx and glintr100.onnx"):
        find_pack(buffalo, "antelopev2")
    with pytest.raises(ValueError, match="Choose one of antelopev2, buffalo_l"):
        find_pack(tmp_path, "buffalo_s")


def test_wrong_files_are_refused(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    empty = tmp_path / "empty.onnx"
    empty.touch()
    for load in (Scrfd.load, load_recognition):
        with pytest.raises(ValueError, match=r"broken.onnx is not an ONNX file.*Download it again"):
            load(broken)
        with pytest.raises(ValueError, match="empty file"):
            load(empty)
        with pytest.raises(FileNotFoundError, match="missing.onnx"):
            load(tmp_path / "missing.onnx")
    with pytest.raises(ValueError, match="6 outputs"):
        Scrfd.load(onnx_packs.detector(tmp_path / "scrfd_10g.onnx", points=False))
    with pytest.raises(ValueError, match="not an SCRFD|has 1 outputs"):
        Scrfd.load(onnx_packs.recognition(tmp_path / "glintr100.onnx"))
    with pytest.raises(ValueError, match=r"not \[3, 112, 112\]"):
        load_recognition(onnx_packs.recognition(tmp_path / "small.onnx", side=64))
    with pytest.raises(ValueError, match="cannot run in torch"):
        load_recognition(onnx_packs.recognition(tmp_path / "strange.onnx", strange=True))
    onnx_packs.detector(tmp_path / "scrfd_10g_bnkps.onnx")
    shutil.copy(tmp_path / "small.onnx", tmp_path / "glintr100.onnx")
    with pytest.raises(ValueError, match="not a recognition network"):
        load_insightface(tmp_path, differentiable=False)


@pytest.mark.parametrize(("missing", "wants"), [("onnx2torch", True), ("onnxruntime", False)])
def test_a_missing_package_says_what_to_install(monkeypatch, pack_folder, missing, wants):
    real = importlib.import_module

    def without(name, *rest):
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(ImportError, match=f"package {missing} is needed.*not installed.*pip install {missing}"):
        load_insightface(pack_folder, differentiable=wants)


def test_decode_reads_distances_from_cell_corners():
    """Two anchors a cell, row by row, in strides."""
    side = (32, 64)
    outputs = []
    for width in (1, 4, 10):
        for stride in (8, 16, 32):
            cells = (side[0] // stride) * (side[1] // stride)
            outputs.append(np.zeros((cells * 2, width), dtype=np.float32))
    row = 2 * (1 * 4 + 3) + 1  # stride 16: 4 cells a row; the second anchor of the cell in column 3, row 1
    outputs[1][row], outputs[4][row], outputs[7][row] = 0.9, (1, 0.5, 2, 1.5), np.arange(10)
    scores, boxes, points = decode(outputs, side, 0.5)
    assert scores.tolist() == pytest.approx([0.9])
    assert boxes.tolist() == [[48 - 16, 16 - 8, 48 + 32, 16 + 24]]
    assert points.tolist() == [[[48 + 16 * 2 * k, 16 + 16 * (2 * k + 1)] for k in range(5)]]


def test_suppress_keeps_the_best_of_each_heap():
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 30, 40, 40], [0, 0, 11, 11]], dtype=np.float32)
    assert suppress(np.array([0.5, 0.9, 0.6, 0.8]), boxes, 0.4).tolist() == [1, 2]
    assert suppress(np.zeros(0), np.zeros((0, 4)), 0.4).tolist() == []
