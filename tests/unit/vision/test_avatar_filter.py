"""Avatar Filter on drawn pictures."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

HAPPY, SAD = "pixelsmile.happy", "pixelsmile.sad"


@pytest.fixture(scope="module")
def node(pack: ModuleType) -> Any:
    return importlib.import_module(f"{pack.__name__}.nodes.avatar_filter").AvatarFilter


@pytest.fixture(scope="module")
def draw(pack: ModuleType) -> Any:
    avatar = pack.nodes.pocket_avatar.PocketAvatar
    emotion = pack.expressive.emotion.Emotion

    def drawn(seed: int, word: str = "", intensity: float = 1.0, **more: Any) -> Tensor:
        felt = emotion.of(word, intensity) if word else None
        return avatar.execute(seed, "portrait", 0, 1, 128, felt, **more).args[0]

    return drawn


def run(node: Any, image: Tensor, **more: Any) -> tuple:
    usual = {"smallest": 0.2, "border": 0.01, "reached": 0.3, "alike": 0.7, "encoder": "face reader"}
    return node.execute(image, **{**usual, **more}).args


def test_whole_faces_stay_and_nothing_is_no_face(node, draw) -> None:
    image = torch.cat([draw(1_000_001), torch.full((1, 128, 128, 3), 0.5), draw(1_000_002)])
    kept, lines, report = run(node, image, lines="one\n\ntwo\nthree")
    assert torch.equal(kept, image[[0, 2]]) and lines == "one\nthree"
    assert report.splitlines() == ["1: kept", "2: no face", "3: kept"]


def test_small_faces_and_those_at_the_border_go(node, draw) -> None:
    small = draw(1_000_001, frame="upper_body")
    assert run(node, small, smallest=0.9)[2] == "1: a face too small"
    assert run(node, draw(1_000_001).roll(50, 2), border=0.2)[2] == "1: a face at the border"


def test_the_expression_has_to_be_seen(node, draw, pack) -> None:
    emotion = pack.expressive.emotion.Emotion.of(HAPPY)
    image = torch.cat([draw(1_000_001, HAPPY), draw(1_000_001, SAD), draw(1_000_001)])
    kept, _, report = run(node, image, emotion=emotion)
    assert torch.equal(kept, image[:1])
    assert "sad" in report.splitlines()[1] and report.splitlines()[1].endswith("not happy")
    assert report.splitlines()[2] == "3: neutral, not happy"
    weak = draw(1_000_001, HAPPY, 0.5)
    assert run(node, weak, emotion=emotion)[2] == "1: kept"
    assert run(node, weak, emotion=emotion, reached=0.9)[2].endswith("not happy")


def test_a_copy_of_somebody_known_goes(node, draw) -> None:
    image = torch.cat([draw(1_000_001, HAPPY), draw(1_000_005, HAPPY)])
    _, _, report = run(node, image, known=torch.cat([draw(1_000_009), draw(1_000_001)]))
    first, second = report.splitlines()
    assert first.startswith("1: like known picture 2 (0.") and second == "2: kept"


def test_nothing_runs_behind_an_empty_choice(node) -> None:
    from comfy_execution.graph_utils import ExecutionBlocker

    kept, lines, _ = run(node, torch.full((2, 128, 128, 3), 0.5), lines="a\nb")
    assert isinstance(kept, ExecutionBlocker) and lines == ""


def test_what_does_not_fit_is_a_sentence(node, draw) -> None:
    with pytest.raises(ValueError, match="There are 2 lines for 1 pictures"):
        run(node, draw(1_000_001), lines="a\nb")
    with pytest.raises(ValueError, match="No face was found on known picture 1"):
        run(node, draw(1_000_001), known=torch.full((1, 128, 128, 3), 0.5))


def test_the_hosts_landmarks_say_where_faces_are(node, draw) -> None:
    face = {"bbox_xyxy": [30, 30, 90, 90]}
    landmarks = {"frames": [[face], [face, face]], "image_size": (128, 128)}
    image = torch.cat([draw(1_000_001), draw(1_000_002)])
    assert run(node, image, face_landmarks=landmarks)[2].splitlines() == ["1: kept", "2: several faces"]
