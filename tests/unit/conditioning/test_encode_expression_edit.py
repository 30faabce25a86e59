"""EncodeExpressionEdit through the host's own CLIP and VAE, of the pocket model."""

import importlib
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from expressive.emotion import Emotion
from launcher.places import ROOT


@pytest.fixture(scope="module")
def node(pack: ModuleType) -> ModuleType:
    return importlib.import_module(f"{pack.__name__}.nodes.encode_expression_edit")


@pytest.fixture(scope="module")
def base(pack: ModuleType) -> tuple[Any, Any, Any]:
    return importlib.import_module(f"{pack.__name__}.nodes.pocket_host").load_base("pocket-edit", ROOT / "models")


def faces(count: int = 1, height: int = 96, width: int = 128) -> Tensor:
    return torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(0))


def own(pack: ModuleType, emotion: Emotion) -> Any:
    """The emotion as the pack's own class, which the host imported under another name."""
    return importlib.import_module(f"{pack.__name__}.expressive.emotion").Emotion(emotion.weights)


def run(node: ModuleType, base: tuple, emotion: Any, image: Tensor, how: str = "author", side: int = 128) -> tuple:
    return node.EncodeExpressionEdit.execute(base[1], base[2], image, emotion, "person", how, side).result


def test_a_sweep_of_any_length_encodes_text_twice(
    node: ModuleType, base: tuple, pack: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, encoded = base[1], []
    real = clip.encode_from_tokens_scheduled
    monkeypatch.setattr(clip, "encode_from_tokens_scheduled", lambda tokens: encoded.append(tokens) or real(tokens))
    neutral, target, source, width, height = run(node, base, own(pack, Emotion.of("happy")), faces())
    slider = importlib.import_module(f"{pack.__name__}.nodes.text_latent_interpolate").TextLatentInterpolate
    mixed, count, _ = slider.execute(neutral, {"target_1": target}, alphas="0:1.25:9").result
    assert len(encoded) == 2 and count == 9 and mixed[0][0].shape[0] == 9
    assert (width, height) == (128, 128) and source.shape == (1, 128, 128, 3)
    torch.testing.assert_close(mixed[0][0][:1], neutral[0][0])
    assert torch.equal(neutral[0][1]["reference_latents"][0], target[0][1]["reference_latents"][0])


def test_prompts_are_pixelsmiles(node: ModuleType, base: tuple, pack: ModuleType) -> None:
    clip = base[1]
    neutral, target, *_ = run(node, base, own(pack, Emotion.of("pixelsmile.shy")), faces())
    for found, word in ((neutral, "neutral"), (target, "shy")):
        wanted = clip.encode_from_tokens_scheduled(clip.tokenize(f"Edit the person to show a {word} expression"))
        torch.testing.assert_close(found[0][0], wanted[0][0])


def test_an_emotion_of_several_words_is_a_blend_at_its_weights(node: ModuleType, base: tuple, pack: ModuleType) -> None:
    both = Emotion((("pixelsmile.happy", 0.6), ("pixelsmile.surprised", 0.3)))
    neutral, target, *_ = run(node, base, own(pack, both), faces())
    happy, surprised = (run(node, base, own(pack, Emotion.of(f"pixelsmile.{word}")), faces())[1][0][0]
                        for word in ("happy", "surprised"))  # fmt: skip
    start = neutral[0][0]
    wanted = start + 0.6 * (happy - start) + 0.3 * (surprised - start)
    torch.testing.assert_close(target[0][0], wanted, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="emotion is neutral"):
        run(node, base, own(pack, Emotion.neutral()), faces())


def test_several_faces_keep_their_own_pictures_along_a_sweep(node: ModuleType, base: tuple, pack: ModuleType) -> None:
    pictures = faces(3)
    neutral, target, *_ = run(node, base, own(pack, Emotion.of("happy")), pictures)
    assert neutral[0][0].shape[0] == 3 and len(neutral[0][1]["reference_latents"][0]) == 3
    one = run(node, base, own(pack, Emotion.of("happy")), pictures[1:2])[0]
    torch.testing.assert_close(
        neutral[0][1]["reference_latents"][0][1:2], one[0][1]["reference_latents"][0], atol=1e-4, rtol=1e-4
    )
    slider = importlib.import_module(f"{pack.__name__}.nodes.text_latent_interpolate").TextLatentInterpolate
    mixed, count, labels = slider.execute(neutral, {"target_1": target}, alphas="0, 1").result
    assert count == 6 and labels.split("\n") == ["α = 0"] * 3 + ["α = 1"] * 3
