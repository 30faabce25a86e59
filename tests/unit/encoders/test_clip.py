"""CLIP and DINO from folders in Hugging Face's layout, small and random."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from expressive.encoders import ImageEncoder, ImageTextEncoder, PatchEncoder
from expressive.encoders.clip import load_clip, load_dino
from expressive.encoders.preprocessing import Preprocessing

PROCESSOR = {
    "do_resize": True,
    "size": {"shortest_edge": 40},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.481, 0.457, 0.408],
    "image_std": [0.268, 0.261, 0.275],
    "image_processor_type": "CLIPImageProcessor",
}
VISION: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory):
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    for letter in "abcdefghijklmnopqrstuvwxyz":
        words[letter], words[letter + "</w>"] = len(words), len(words) + 1
    folder = tmp_path_factory.mktemp("clip")
    text = {
        "hidden_size": 24,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "vocab_size": len(words),
        "max_position_embeddings": 12,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=16)).save_pretrained(folder)
    state = load_file(folder / "model.safetensors")
    state["vision_model.embeddings.position_ids"] = torch.arange(17)[None]  # as in the published files
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    (folder / "vocab.json").write_text(json.dumps(words), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 12}), encoding="utf-8"
    )
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR), encoding="utf-8")
    return folder


def dino(folder: Path, kind: str) -> Path:
    from transformers import Dinov2Config, Dinov2Model, ViTConfig, ViTModel

    torch.manual_seed(1)
    model = Dinov2Model(Dinov2Config(**VISION)) if kind == "dinov2" else ViTModel(ViTConfig(**VISION))
    model.save_pretrained(folder)
    processor = PROCESSOR if kind == "dinov2" else {**PROCESSOR, "size": 32, "do_center_crop": False, "resample": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def pictures(batch: int = 2, height: int = 50, width: int = 61):
    """Smooth pictures, rounded to 256 levels, as a file would hold them."""
    small = torch.rand(batch, 3, 7, 9, generator=torch.Generator().manual_seed(batch))
    large = torch.nn.functional.interpolate(small, size=(height, width), mode="bilinear")
    return (large * 255).round() / 255


def levels(picture):
    return (picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def test_clip_is_what_it_says_and_answers_as_transformers_does(clip_folder):
    from transformers import CLIPModel, CLIPTokenizer

    encoder = load_clip(clip_folder)
    assert isinstance(encoder, ImageTextEncoder) and encoder.differentiable
    assert (encoder.image_width, encoder.input_size) == (16, 32)
    shown = pictures()
    images, texts = encoder.encode_image(shown), encoder.encode_text(["a sad face", "joy"])
    for found in (images, texts):
        assert found.shape == (2, 16)
        torch.testing.assert_close(found.norm(dim=1), torch.ones(2))

    model = CLIPModel.from_pretrained(clip_folder).eval()
    tokens = CLIPTokenizer.from_pretrained(clip_folder)(["a sad face", "joy"], padding=True, return_tensors="pt")
    with torch.no_grad():
        theirs = model(**tokens, pixel_values=Preprocessing.read(clip_folder)(shown))
    torch.testing.assert_close(images, theirs.image_embeds, atol=1e-5, rtol=0)
    torch.testing.assert_close(texts, theirs.text_embeds, atol=1e-5, rtol=0)
    assert isinstance(encoder, PatchEncoder)
    patches, wanted = encoder.encode_patches(shown), theirs.vision_model_output.last_hidden_state[:, 1:]
    assert patches.shape == (2, 16, encoder.patch_width)
    torch.testing.assert_close(patches, wanted, atol=1e-5, rtol=0)


def test_a_text_alone_is_read_as_in_a_batch(clip_folder):
    encoder = load_clip(clip_folder)
    together = encoder.encode_text(["a very sad face", "joy"])
    torch.testing.assert_close(together[1:], encoder.encode_text(["joy"]), atol=1e-5, rtol=0)
    assert encoder.encode_text(["w" * 200]).shape == (1, 16)


@pytest.mark.parametrize("texts", [[], [""], ["joy", "  "], "joy", [3]])
def test_no_text_is_refused(clip_folder, texts):
    with pytest.raises(ValueError, match="none of them empty"):
        load_clip(clip_folder).encode_text(texts)


@pytest.mark.parametrize("kind", ["dinov2", "vit"])
def test_dino(tmp_path, kind):
    encoder = load_dino(dino(tmp_path, kind))
    assert isinstance(encoder, ImageEncoder) and not isinstance(encoder, ImageTextEncoder)
    assert (encoder.image_width, encoder.input_size) == (32, 32)
    shown = pictures().requires_grad_()
    found = encoder.encode_image(shown)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    assert (found[0] @ found[1]).item() < 0.9999
    found[:, 0].sum().backward()
    assert shown.grad is not None and shown.grad.abs().max() > 0
    assert isinstance(encoder, PatchEncoder)
    patches = encoder.encode_patches(pictures())
    assert patches.shape == (2, 16, 32) and not torch.allclose(patches[:, 0], patches[:, 1])


@pytest.mark.parametrize("registers", [0, 3])
def test_patches_are_neither_class_nor_register(tmp_path, registers):
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

    torch.manual_seed(1)
    config = Dinov2WithRegistersConfig(**VISION, num_register_tokens=registers)
    model = Dinov2WithRegistersModel(config).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR), encoding="utf-8")
    shown = pictures()
    with torch.no_grad():
        wanted = model(pixel_values=Preprocessing.read(tmp_path)(shown)).last_hidden_state[:, 1 + registers :]
    torch.testing.assert_close(load_dino(tmp_path).encode_patches(shown), wanted, atol=1e-5, rtol=0)


def test_gradients_reach_the_picture_through_clip(clip_folder):
    encoder = load_clip(clip_folder)
    shown = pictures().requires_grad_()
    (encoder.encode_image(shown) @ encoder.encode_text(["joy"]).T).sum().backward()
    assert shown.grad is not None and shown.grad.isfinite().all() and shown.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("change", "height", "width"),
    [
        ({}, 50, 61),
        ({}, 90, 45),
        ({}, 30, 30),  # smaller than what is wanted
        ({"size": {"shortest_edge": 28}}, 50, 61),  # smaller than the crop: black around
        ({"size": {"height": 32, "width": 32}, "do_center_crop": False, "resample": 2}, 50, 61),
        ({"do_normalize": False, "resample": 2}, 50, 50),
    ],
)
def test_parity_with_the_image_processor(change, height, width):
    from transformers import CLIPImageProcessor

    config = {**PROCESSOR, **change}
    processor = CLIPImageProcessor(**{key: value for key, value in config.items() if key != "image_processor_type"})
    shown = pictures(1, height, width)
    theirs = torch.as_tensor(np.asarray(processor(images=levels(shown[0]), return_tensors="np")["pixel_values"]))
    ours = Preprocessing.from_config(config)(shown)
    assert ours.shape == theirs.shape
    # the processor rounds to 256 levels between the steps
    assert (ours - theirs).abs().max() < 2.5 / 255 / 0.261


def test_old_forms_of_the_processor_config():
    old = {"size": 40, "crop_size": 32, "do_center_crop": True, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    read = Preprocessing.from_config(old)
    assert (read.shortest, read.size, read.crop, read.mode, read.side) == (40, None, (32, 32), "bicubic", 32)
    assert Preprocessing.from_config({**old, "do_center_crop": False}).size == (40, 40)
    free = Preprocessing.from_config({**old, "do_resize": False, "do_center_crop": False})
    assert free.side is None and free(torch.ones(1, 3, 9, 7)).shape == (1, 3, 9, 7)


def copy_of(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place)
    return place


def test_wrong_folders_are_refused(clip_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no config.json"):
        load_clip(tmp_path / "nothing")
    with pytest.raises(ValueError, match="kind 'clip', but DINO is one of vit, dinov2"):
        load_dino(clip_folder)
    for name in ("model.safetensors", "preprocessor_config.json"):
        folder = copy_of(clip_folder, tmp_path / f"without-{name}")
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=name):
            load_clip(folder)
    folder = copy_of(clip_folder, tmp_path / "without-words")
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match="tokenizer's files"):
        load_clip(folder)
    (folder / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="tokenizer's files in .* are damaged"):
        load_clip(folder)
    folder = copy_of(clip_folder, tmp_path / "more-words")
    words = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(json.dumps(words | {"new</w>": len(words)}), encoding="utf-8")
    with pytest.raises(ValueError, match="knows 55 tokens, but its model 54"):
        load_clip(folder)
    folder = copy_of(clip_folder, tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_clip(folder)
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="not JSON"):
        load_clip(folder)
    folder = copy_of(clip_folder, tmp_path / "odd")
    (folder / "preprocessor_config.json").write_text('{"size": {"edge": 3}}', encoding="utf-8")
    with pytest.raises(ValueError, match="how pictures are prepared"):
        load_clip(folder)


def test_missing_weights_are_named(clip_folder, tmp_path):
    folder = copy_of(clip_folder, tmp_path / "less")
    state = load_file(folder / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks 1 weights \(visual_projection.weight\)"):
        load_clip(folder)


def test_a_pickle_is_not_opened(clip_folder, tmp_path):
    folder = copy_of(clip_folder, tmp_path / "pickle")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="safetensors"):
        load_clip(folder)
