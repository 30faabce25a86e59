# pyright: reportAttributeAccessIssue=false
"""Whisper as it listens for a video, from both layouts of its files."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from expressive.speech.acoustics.extraction import extract
from expressive.speech.acoustics.log_mel import log_mel
from expressive.speech.acoustics.sound import sound_of
from expressive.speech.acoustics.whisper import WhisperEncoder, load_whisper

from .small_whisper import LAYERS, POSITIONS, WIDTH, encoder_weights, heard, openai_contents, write_whisper
from .sounds import audio, murmur


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_whisper(tmp_path_factory.mktemp("audio_encoders") / "whisper-small")


@pytest.fixture(scope="module")
def encoder(folder: Path) -> WhisperEncoder:
    return load_whisper(folder)


def by_hand(folder: Path, samples: Tensor) -> tuple[Tensor, Tensor]:
    """States and ends as EchoMimicV2 has them: spectra of the whole sound, cut, zeros behind."""
    states, ends = [], []
    for part in log_mel(samples).split(2 * POSITIONS, dim=1):
        known = part.shape[1] // 2
        found, end = heard(encoder_weights(folder), F.pad(part, (0, 2 * POSITIONS - part.shape[1])))
        states.append(found[:known])
        ends.append(end[:known])
    return torch.cat(states), torch.cat(ends)


@pytest.mark.parametrize("seconds", [1.3, 2.0, 5.01])
def test_states_are_those_of_the_layers_before_the_last_norm(
    folder: Path, encoder: WhisperEncoder, seconds: float
) -> None:
    samples = murmur(seconds)
    found = encoder.encode(samples, lambda share: None)
    states, ends = by_hand(folder, samples)
    assert found.states.shape == (len(samples) // 320, LAYERS + 1, WIDTH)
    torch.testing.assert_close(found.states, states, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.pooled, ends.mean(0), atol=1e-4, rtol=1e-4)


def test_transformers_hears_the_same_up_to_its_norm(folder: Path, encoder: WhisperEncoder) -> None:
    from transformers import WhisperModel

    samples = murmur(2.0)
    with torch.no_grad():
        network = WhisperModel.from_pretrained(str(folder)).eval().encoder
        expected = network(log_mel(samples)[None], output_hidden_states=True)
        found = encoder.encode(samples, lambda share: None)
        normed = network.layer_norm(found.states[:, -1])
    for layer, state in enumerate(expected.hidden_states[:-1]):
        torch.testing.assert_close(found.states[:, layer], state[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(normed, expected.last_hidden_state[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.pooled, expected.last_hidden_state[0].mean(0), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found.states[:, -1], normed, atol=1e-2)


def test_a_frame_hears_ten_audio_frames_of_all_layers(encoder: WhisperEncoder) -> None:
    sound = sound_of(audio(murmur(3.0)))
    states = encoder.encode(sound.samples, lambda share: None).states
    features = extract(sound, encoder)
    assert features.tokens.shape == (75, 10 * (LAYERS + 1), WIDTH) and features.encoder == "whisper-small"
    assert torch.equal(features.tokens[30], states[56:66].reshape(-1, WIDTH))
    last = extract(sound, encoder, layers="last")
    assert torch.equal(last.tokens[30], states[56:66, -1]) and torch.equal(last.pooled, features.pooled)


def test_openais_file_of_the_same_weights_hears_the_same(folder: Path, encoder: WhisperEncoder, tmp_path: Path) -> None:
    file = tmp_path / "tiny.pt"
    torch.save(openai_contents(folder), file)
    read = load_whisper(file)
    samples = murmur(1.0)
    one, two = (each.encode(samples, lambda share: None) for each in (encoder, read))
    assert torch.equal(one.states, two.states) and torch.equal(one.pooled, two.pooled) and read.name == "tiny"


def test_nothing_random_is_drawn_and_no_weight_learns(folder: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    loaded = load_whisper(folder)
    assert torch.equal(before, torch.get_rng_state())
    weights = list(loaded.network.parameters())
    assert {weight.dtype for weight in weights} == {torch.float32} and not any(one.requires_grad for one in weights)


def test_it_tells_how_far_it_is_and_stops(encoder: WhisperEncoder) -> None:
    shares: list[float] = []
    encoder.encode(murmur(5.0), shares.append)
    assert shares == sorted(shares) and len(shares) == 3 * LAYERS + 1 and 0 < shares[0] and shares[-1] == 1

    def stops(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encoder.encode(murmur(1.0), stops)
    layers: Any = encoder.network.layers
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)


def test_a_folder_that_is_none_is_told(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    def copied(name: str) -> Path:
        return Path(shutil.copytree(folder, tmp_path / name))

    other = copied("other")
    (other / "config.json").write_text(json.dumps({"model_type": "wav2vec2"}), encoding="utf-8")
    with pytest.raises(ValueError, match="kind 'wav2vec2'"):
        load_whisper(other)
    spectra = copied("spectra")
    told = json.loads((spectra / "preprocessor_config.json").read_text(encoding="utf-8"))
    (spectra / "preprocessor_config.json").write_text(json.dumps({**told, "hop_length": 80}), encoding="utf-8")
    with pytest.raises(ValueError, match="hop_length = 80, but Whisper's encoders hear with 160"):
        load_whisper(spectra)
    weights = load_file(str(folder / "model.safetensors"))
    short = copied("short")
    lacking = {key: weight for key, weight in weights.items() if "encoder.conv2" not in key}
    save_file({**lacking, "model.encoder.new": torch.zeros(1)}, str(short / "model.safetensors"))
    with pytest.raises(ValueError, match=r"lacks 2 weights \(conv2.*, conv2.*\) and has in excess 1 weights \(new"):
        load_whisper(short)
    wide = copied("wide")
    config = json.loads((wide / "config.json").read_text(encoding="utf-8"))
    (wide / "config.json").write_text(json.dumps({**config, "max_source_positions": 1500}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"embed_positions.weight has shape \[100, 16\], not \[1500, 16\]"):
        load_whisper(wide)
    (wide / "config.json").write_text(json.dumps({**config, "encoder_attention_heads": 3}), encoding="utf-8")
    with pytest.raises(ValueError, match="describes no Whisper encoder"):
        load_whisper(wide)
    (short / "model.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match="is damaged"):
        load_whisper(short)
    (short / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no model.safetensors"):
        load_whisper(short)


def test_a_file_that_is_none_is_told(folder: Path, tmp_path: Path) -> None:
    file, fine = tmp_path / "odd.pt", openai_contents(folder)

    def lacking(name: str) -> dict[str, Tensor]:
        return {key: weight for key, weight in fine["model_state_dict"].items() if key != name}

    for contents, told in (
        ({"dims": Path("x"), "model_state_dict": {}}, "not a file of weights alone"),
        (fine["model_state_dict"], "lacks “dims” or “model_state_dict”"),
        ({**fine, "dims": {"n_mels": 80}}, "its dims lack n_audio_state, n_audio_layer"),
        ({**fine, "model_state_dict": lacking("encoder.ln_post.bias")}, r"lacks 1 weights \(layer_norm.bias"),
        (
            {**fine, "model_state_dict": {**fine["model_state_dict"], "encoder.new": torch.ones(1)}},
            r"has in excess 1 weights \(new",
        ),
    ):
        torch.save(contents, file)
        with pytest.raises(ValueError, match=told):
            load_whisper(file)
    file.write_bytes(b"")
    with pytest.raises(ValueError, match="empty file"):
        load_whisper(file)
    with pytest.raises(FileNotFoundError, match="Whisper file is not at"):
        load_whisper(tmp_path / "gone.pt")
