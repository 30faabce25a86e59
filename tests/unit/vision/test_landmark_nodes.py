"""LoadLandmarker and HolisticLandmarks in the host, on drawn people."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from expressive.pocket.scene import Scene, picture
from expressive.vision.landmarks.face_landmarks import to_face_landmarks
from expressive.vision.landmarks.openpose import to_pose_keypoint

from .drawn_landmarks import WAVING, known

VIDEO = {"frames": "video", "fps": 25.0, "smoothing": 0.5, "hold": 2}
PICTURES = {"frames": "pictures"}
NAMES = ("landmarks", "drawn", "faces", "people", "vector", "blendshapes", "report")


@pytest.fixture(scope="module")
def nodes(pack: ModuleType) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.holistic_landmarks")


@pytest.fixture(scope="module")
def loader(pack: ModuleType) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.load_landmarker")


def shown(scene: Scene, size: int = 128) -> Tensor:
    """[1, H, W, 3]"""
    return torch.from_numpy(np.array(picture(scene, size))).float()[None] / 255


def run(
    nodes: ModuleType, image: Tensor, frames: dict[str, Any], background: str = "black", **rest: Any
) -> dict[str, Any]:
    """What the node gives, by `NAMES`."""
    found = nodes.HolisticLandmarks.execute(image, background, "shoulders", frames, **rest)
    return dict(zip(NAMES, found.args, strict=True))


def test_a_drawn_person_needs_nothing_else(nodes: ModuleType, pack: ModuleType) -> None:
    image = shown(WAVING, 192)
    found = run(nodes, image, PICTURES)
    report, landmarks = json.loads(found["report"]), found["landmarks"]
    assert {name: report[name] for name in ("frames", "face", "left_hand", "right_hand", "held")} == {
        "frames": 1, "face": 1, "left_hand": 1, "right_hand": 1, "held": 0,
    }  # fmt: skip
    assert report["centred_by"] == {"shoulders": 1} and report["without_face"] == 0
    assert landmarks.points.shape == (1, 553, 3) and found["vector"].shape == (1, 1659)
    assert found["drawn"].shape == image.shape and not found["drawn"][0, 0, 0].any()
    assert found["drawn"].amax(-1).count_nonzero() > 200 and json.loads(found["blendshapes"]) == [{}]
    over = run(nodes, image, PICTURES, "picture")["drawn"]
    assert torch.equal(over[0, 0, 0], image[0, 0, 0])
    crop = importlib.import_module(f"{pack.__name__}.nodes.face_crop").FaceCrop
    _, (place,) = crop.execute(image, 64, 0.0, {"face": "largest"}, found["faces"]).result
    nose = known(WAVING, image_size=(192, 192)).pixels[0, 1]
    assert place.left < nose[0] < place.left + place.side and place.top < nose[1] < place.top + place.side
    assert found["people"][0]["canvas_width"] == 192 and len(found["people"][0]["people"]) == 1


def test_a_clip_is_steadied_and_a_lost_face_held(nodes: ModuleType) -> None:
    one = shown(WAVING)
    noise = torch.rand(9, 128, 128, 3, generator=torch.Generator().manual_seed(0))
    clip = (one.expand(9, -1, -1, -1) + 0.15 * (noise - 0.5)).clamp(0, 1)
    clip[5:] = 0.5  # nobody
    found, raw = (run(nodes, clip, {**VIDEO, "smoothing": smoothing}) for smoothing in (1.0, 0.0))
    report = json.loads(found["report"])
    assert (report["face"], report["held"], report["without_face"]) == (5, 2, 2)
    assert report["first_without_face"] == [7, 8] and report["centred_by"] == {"shoulders": 7, "nothing": 2}
    steady, shaky = (one["landmarks"].points[:5, :478, :2].diff(dim=0).std() for one in (found, raw))
    assert 0 < float(steady) < 0.6 * float(shaky)
    assert torch.equal(raw["landmarks"].points[6], raw["landmarks"].points[4])
    assert found["landmarks"].held.tolist() == [False] * 5 + [True] * 2 + [False] * 2
    assert not found["drawn"][8].any() and found["faces"]["frames"][8] == [] and found["people"][8]["people"] == []
    again = run(nodes, clip, {**VIDEO, "smoothing": 1.0})
    assert torch.equal(again["vector"], found["vector"]), "bit for bit"


def test_what_the_hosts_nodes_found_is_merged(nodes: ModuleType, loader: ModuleType) -> None:
    true = known(WAVING)
    faces, people = to_face_landmarks(true), to_pose_keypoint(true)
    faces["frames"][0][0]["blendshapes"] = {"jawOpen": 0.5}
    image = torch.full((1, 128, 128, 3), 0.5)  # nothing that the reader could find
    found = run(nodes, image, PICTURES, face_landmarks=faces, pose_keypoint=people)["landmarks"]
    torch.testing.assert_close(found.points[0, :478], true.points[0, :478], rtol=0, atol=1e-5)
    torch.testing.assert_close(found.points[0, 511:], true.points[0, 511:], rtol=0, atol=1e-5)
    told = run(nodes, image, PICTURES, face_landmarks=faces)
    assert json.loads(told["blendshapes"])[0]["jawOpen"] == 0.5
    assert json.loads(told["report"])["by"] == "the nodes that are connected"
    pocket = loader.LoadLandmarker.execute("pocket", 0.5).args[0]
    both = run(nodes, shown(WAVING), PICTURES, landmarker=pocket, face_landmarks=faces)
    torch.testing.assert_close(both["landmarks"].points[0, :478], true.points[0, :478], rtol=0, atol=1e-5)
    assert both["landmarks"].has("left_hand").all() and both["landmarks"].pose[0, 11, 3] > 0.5


def test_the_loader_tells_what_to_download(loader: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    paths = importlib.import_module("folder_paths")
    _, extensions = paths.folder_names_and_paths["mediapipe"]
    monkeypatch.setitem(paths.folder_names_and_paths, "mediapipe", ([str(tmp_path)], extensions))
    monkeypatch.setattr(paths, "filename_list_cache", {})
    choose = loader.LoadLandmarker
    assert choose.define_schema().inputs[0].options == ["pocket", "holistic_landmarker.task"]
    with pytest.raises(FileNotFoundError, match=r"no holistic_landmarker.task in models/mediapipe. Download .*Apache"):
        choose.execute("holistic_landmarker.task", 0.5)
    (tmp_path / "mine.task").write_bytes(b"no bundle")
    paths.filename_list_cache.clear()  # kept by the folder's time, which may not have moved on
    assert "mine.task" in choose.define_schema().inputs[0].options
    before = choose.fingerprint_inputs("mine.task", 0.5)
    assert before != choose.fingerprint_inputs("pocket", 0.5) == "pocket"
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    with pytest.raises(ValueError, match="mine.task is not MediaPipe's holistic landmark bundle"):
        choose.execute("mine.task", 0.5)


def test_a_slip_is_a_sentence(nodes: ModuleType, loader: ModuleType) -> None:
    grey = torch.full((2, 64, 64, 3), 0.5)
    with pytest.raises(ValueError, match="Nobody was found in 2 pictures by Pocket face reader. .* drawn people alone"):
        run(nodes, grey, PICTURES)
    with pytest.raises(ValueError, match="The frames is none of: video, pictures"):
        nodes.HolisticLandmarks.execute(grey, "black", "shoulders")
    with pytest.raises(ValueError, match="FACE_LANDMARKS are of 1 pictures of 128 × 128"):
        run(nodes, grey, PICTURES, face_landmarks=to_face_landmarks(known(WAVING)))


def test_the_hosts_cancel_ends_it(nodes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(BaseException):
        pass

    def cancel() -> None:
        raise Cancelled

    monkeypatch.setattr(nodes.comfy.model_management, "throw_exception_if_processing_interrupted", cancel)
    with pytest.raises(Cancelled):
        run(nodes, shown(WAVING), PICTURES)
