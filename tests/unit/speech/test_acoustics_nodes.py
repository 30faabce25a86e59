# pyright: reportAttributeAccessIssue=false
"""The nodes that hear speech, and what the host's own encoders heard."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.speech.acoustics.extraction import from_host
from expressive.speech.acoustics.sound import sound_of

from .small_whisper import LAYERS, WIDTH, openai_contents, write_whisper
from .sounds import audio, murmur

SMALL = {
    "wav2vec2": {"embed_dim": 32, "num_heads": 2, "num_layers": 2},
    "whisper3": {"n_audio_state": 16, "n_audio_head": 2, "n_audio_layer": 2},
}


@pytest.fixture(scope="module", params=sorted(SMALL))
def host_encoder(request: pytest.FixtureRequest, pack: ModuleType) -> Any:
    """The host's own class, small and random."""
    encoders = importlib.import_module("comfy.audio_encoders.audio_encoders")
    found = encoders.AudioEncoderModel({"model_type": request.param, **SMALL[request.param]})
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in found.model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator).mul(0.05))
    return found


def test_what_the_hosts_encoders_heard_is_told_by_frames(host_encoder: Any) -> None:
    sound = audio(torch.stack([murmur(1.2, 1), murmur(1.2, 2)]), 16000)
    with torch.no_grad():
        output = host_encoder.encode_audio(sound["waveform"], 16000)
    features = from_host(output, sound_of(sound))
    layers, last = output["encoded_audio_all_layers"], output["encoded_audio"]
    width, known = last.shape[2], min(60, last.shape[1])
    assert features.tokens.shape == (30, 10 * len(layers), width) and features.seconds == 1.2
    window = features.tokens[12].reshape(10, len(layers), width)  # begins with audio frame 24
    for index, layer in enumerate(layers):
        torch.testing.assert_close(window[4, index], layer[0, 24].float(), atol=0, rtol=0)
    torch.testing.assert_close(features.pooled, last[0, :known].float().mean(0))
    ends = features.tokens[-1].reshape(10, len(layers), width)
    torch.testing.assert_close(ends[9], torch.stack([layer[0, known - 1] for layer in layers]).float())
    assert from_host(output, sound_of(sound), layers="last").tokens.shape == (30, 10, width)


def test_what_was_not_heard_is_told() -> None:
    sound = audio(murmur(1.2))
    output = {"encoded_audio": torch.zeros(1, 60, 4), "audio_samples": 19200}
    for odd, told in (
        ({}, "no output of Audio Encoder Encode"),
        ({**output, "encoded_audio": torch.zeros(2, 60, 4)}, "2 were encoded"),
        ({**output, "audio_samples": 16000}, "heard a sound of 1.00 seconds, but the audio here has 1.20"),
        ({**output, "encoded_audio": torch.full((1, 60, 4), torch.inf)}, "gave NaN or infinite"),
    ):
        with pytest.raises(ValueError, match=told):
            from_host(odd, sound_of(sound))
    long = sound_of(audio(torch.zeros(16000 * 31)))
    with pytest.raises(ValueError, match="the first 30 of 31 seconds"):
        from_host({"encoded_audio": torch.zeros(1, 1500, 4), "audio_samples": 16000 * 31}, long)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """models/audio_encoders with a folder of Hugging Face's, and a file of OpenAI's in a folder of its own."""
    place = tmp_path_factory.mktemp("audio_encoders")
    folder = write_whisper(place / "whisper-small")
    (place / "audio_processor").mkdir()
    torch.save(openai_contents(folder), place / "audio_processor" / "tiny.pt")
    return place


@pytest.fixture
def nodes(pack: ModuleType, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    names = ("load_acoustic_encoder", "acoustic_features")
    loader, features = (importlib.import_module(f"{pack.__name__}.nodes.{name}") for name in names)
    paths = importlib.import_module("folder_paths")
    _, extensions = paths.folder_names_and_paths["audio_encoders"]
    monkeypatch.setitem(paths.folder_names_and_paths, "audio_encoders", ([str(models)], extensions))
    yield loader, features.AcousticFeatures
    paths.filename_list_cache.pop("audio_encoders", None)


def test_speech_is_heard_without_any_files(nodes: tuple[Any, Any]) -> None:
    sound = audio(murmur(1.3), 16000)
    features, frames, seconds, picture = nodes[1].execute(sound, 24.0, "all").args
    assert features.tokens.shape == (32, 10, 160) and frames == 32 and seconds == pytest.approx(1.3)
    assert picture.ndim == 4 and len(picture) == 1 and picture.shape[3] == 3 and picture.dtype == torch.float32
    loaded = nodes[0].LoadAcousticEncoder.execute("log-mel").args[0]
    assert torch.equal(nodes[1].execute(sound, 24.0, "all", loaded).args[0].tokens, features.tokens)


def test_whisper_of_either_layout_is_listed_and_hears(nodes: tuple[Any, Any]) -> None:
    loader = nodes[0]
    file = str(Path("audio_processor") / "tiny.pt")
    assert list(loader.acoustic_encoders()) == [file, "whisper-small"]
    assert loader.LoadAcousticEncoder.GET_SCHEMA().inputs[0].options[0] == "log-mel"
    one, two = (
        nodes[1].execute(audio(murmur(1.0)), 25.0, "all", loader.LoadAcousticEncoder.execute(name).args[0]).args[0]
        for name in ("whisper-small", file)
    )
    assert one.tokens.shape == (25, 10 * (LAYERS + 1), WIDTH) and torch.equal(one.tokens, two.tokens)
    prints = [loader.LoadAcousticEncoder.fingerprint_inputs(name) for name in ("whisper-small", file, "log-mel")]
    assert len(set(prints)) == 3


def test_a_missing_encoder_says_what_to_download(nodes: tuple[Any, Any]) -> None:
    with pytest.raises(FileNotFoundError, match="no gone in models/audio_encoders.*openai/whisper-tiny"):
        nodes[0].LoadAcousticEncoder.execute("gone")


def test_one_encoder_is_enough(nodes: tuple[Any, Any]) -> None:
    loaded = nodes[0].LoadAcousticEncoder.execute("log-mel").args[0]
    output = {"encoded_audio": torch.zeros(1, 50, 4), "audio_samples": 16000}
    with pytest.raises(ValueError, match="Two encoders are connected"):
        nodes[1].execute(audio(murmur(1.0)), 25.0, "all", loaded, output)
    features = nodes[1].execute(audio(murmur(1.0)), 25.0, "all", None, output).args[0]
    assert features.tokens.shape == (25, 10, 4)


def test_listening_is_cancelled(nodes: tuple[Any, Any]) -> None:
    management = importlib.import_module("comfy.model_management")
    loaded = nodes[0].LoadAcousticEncoder.execute("whisper-small").args[0]
    management.interrupt_current_processing(True)
    try:
        with pytest.raises(management.InterruptProcessingException):
            nodes[1].execute(audio(murmur(1.0)), 25.0, "all", loaded)
    finally:
        management.interrupt_current_processing(False)
