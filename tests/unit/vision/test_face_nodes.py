"""FaceCrop and FaceComposite in the host."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from expressive.emotion import Emotion
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture


@pytest.fixture(scope="module")
def nodes(pack: ModuleType) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.face_crop")


@pytest.fixture(scope="module")
def scene() -> Tensor:
    """A drawn person of 128 pixels at the right of a grey picture of 160 × 320: [1,160,320,3]."""
    whole = torch.full((1, 160, 320, 3), 0.6)
    face = torch.from_numpy(picture(Scene(Identity.sample(2_500_010)))).float() / 255
    whole[0, 20:148, 180:308] = face
    return whole


def seen(*boxes: tuple[float, float, float, float], size: tuple[int, int] = (160, 320)) -> dict[str, Any]:
    return {"frames": [[{"bbox_xyxy": list(box)} for box in boxes]], "image_size": size}


def test_a_chosen_face_is_cropped_edited_and_put_back(nodes: ModuleType, scene: Tensor) -> None:
    landmarks = seen((20, 40, 60, 90), (210, 50, 280, 130))
    for face, where in (({"face": "largest"}, 210), ({"face": "index", "index": 0}, 20)):
        crops, places = nodes.FaceCrop.execute(scene, 64, 0.5, face, landmarks).result
        assert crops.shape == (1, 64, 64, 3) and places[0].left <= where <= places[0].left + places[0].side
        (same,) = nodes.FaceComposite.execute(scene, crops, places, 0.1).result
        assert torch.equal(same, scene)
        strip = torch.cat((crops, 1 - crops, crops))
        (many,) = nodes.FaceComposite.execute(scene, strip, places, 0.1).result
        assert many.shape == (3, 160, 320, 3) and float((many[1] - scene[0]).abs().max()) > 0.1
        far = many[1].clone()
        top, left, side = places[0].top, places[0].left, places[0].side
        far[max(0, top) : top + side, left : left + side] = scene[0, max(0, top) : top + side, left : left + side]
        assert torch.equal(far, scene[0])


def test_a_drawn_face_needs_no_detector(nodes: ModuleType) -> None:
    drawn = torch.from_numpy(picture(Scene(Identity.sample(2_500_011)))).float()[None] / 255
    _, places = nodes.FaceCrop.execute(drawn, 128, 0.0, {"face": "largest"}).result
    assert 40 < places[0].side < 110
    middle = (places[0].left + places[0].side / 2, places[0].top + places[0].side / 2)
    assert abs(middle[0] - 64) < 12 and abs(middle[1] - 70) < 20


def test_what_cannot_be_is_a_sentence(nodes: ModuleType, scene: Tensor) -> None:
    for landmarks, face, sentence in (
        (seen(), {"face": "largest"}, "Picture 1 of 1: There is no face"),
        (seen((0, 0, 9, 9)), {"face": "index", "index": 2}, "Picture 1 of 1: The picture has 1 face"),
        (seen((0, 0, 9, 9), size=(99, 99)), {"face": "largest"}, "pictures of 99 × 99 pixels, but the image has 1 of"),
        (None, {"face": "largest"}, "Picture 1 of 1: There is no face"),
        (seen((0, 0, 9, 9)), None, "The face is none of: largest, index, person. Choose one."),
    ):
        image = scene if landmarks is not None else torch.full((1, 64, 64, 3), 0.5)
        with pytest.raises(ValueError, match=sentence):
            nodes.FaceCrop.execute(image, 64, 0.5, face, landmarks)
    crops, places = nodes.FaceCrop.execute(scene, 64, 0.5, {"face": "largest"}, seen((20, 40, 60, 90))).result
    with pytest.raises(ValueError, match="1 cropped faces, 2 pictures and 1 edited"):
        nodes.FaceComposite.execute(scene.expand(2, -1, -1, -1), crops, places, 0.1)


def test_a_face_is_chosen_by_who_it_is(nodes: ModuleType) -> None:
    """Two drawn people side by side, and another picture of each."""
    people = [Identity.sample(seed) for seed in (2_500_010, 2_500_031)]
    whole = torch.full((1, 140, 300, 3), 0.6)
    for place, who in enumerate(people):
        face = torch.from_numpy(picture(Scene(who))).float() / 255
        whole[0, 6:134, 10 + 150 * place : 138 + 150 * place] = face
    both = seen((35, 30, 113, 120), (185, 30, 263, 120), size=(140, 300))
    for place, who in enumerate(people):
        asked = torch.from_numpy(picture(Scene(who, Emotion.of("happy"))))[None].float() / 255
        face = {"face": "person", "person": asked, "encoder": "face reader"}
        _, places = nodes.FaceCrop.execute(whole, 64, 0.3, face, both).result
        assert places[0].left // 150 == place
    nobody = {"face": "person", "person": torch.full((1, 64, 64, 3), 0.5), "encoder": "face reader"}
    with pytest.raises(ValueError, match="No face was found in the picture of the person"):
        nodes.FaceCrop.execute(whole, 64, 0.3, nobody, both)


def test_transparency_stays(nodes: ModuleType, scene: Tensor) -> None:
    landmarks = seen((20, 40, 60, 90))
    crops, places = nodes.FaceCrop.execute(scene, 64, 0.5, {"face": "largest"}, landmarks).result
    clear = torch.cat((scene, torch.rand(1, 160, 320, 1)), -1)
    (found,) = nodes.FaceComposite.execute(clear, 1 - crops, places, 0.1).result
    assert torch.equal(found[..., 3], clear[..., 3]) and not torch.equal(found, clear)
