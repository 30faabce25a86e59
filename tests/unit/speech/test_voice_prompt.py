# pyright: reportAttributeAccessIssue=false
"""Voices that are kept: a sound, and what it says."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from expressive.speech.voice_prompt import FORMAT, VoicePrompt
from expressive.weights import write_weights

RATE = 22_050
WORDS = "This is how I speak. (laughs)"


def hum(seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(np.arange(round(seconds * rate)) * 0.05)).astype(np.float32)


def host_audio(seconds: float = 6.0, channels: int = 2) -> dict[str, Any]:
    both = torch.from_numpy(hum(seconds)).repeat(channels, 1) * torch.tensor([1.0, 0.5][:channels])[:, None]
    return {"waveform": both[None], "sample_rate": RATE}  # [C,S] → [1,C,S]


def test_a_voice_is_read_as_it_was_written(tmp_path: Path) -> None:
    voice = VoicePrompt(hum(), RATE, "“Grüße” — [S1] Hello.\nThere.", "Änne")
    read = VoicePrompt.load(voice.save(tmp_path / "deep" / "anne.safetensors"))
    assert read.same_as(voice) and (read.rate, read.transcript, read.name) == (RATE, voice.transcript, "Änne")
    assert read.audio.dtype == np.float32 and read.seconds == pytest.approx(6.0)
    assert not read.same_as(VoicePrompt(hum(), RATE, voice.transcript, "Anne"))
    assert not read.same_as(VoicePrompt(0.5 * hum(), RATE, voice.transcript, "Änne"))


def test_a_sound_becomes_one_channel_at_its_own_rate() -> None:
    voice = VoicePrompt.of_audio(host_audio(), " This is\n how I speak. ", "me")
    np.testing.assert_allclose(voice.audio, 0.75 * hum(), atol=1e-6)
    assert (voice.rate, voice.transcript, voice.name) == (RATE, "This is how I speak.", "me")
    with pytest.raises(ValueError, match=r"one sound \[1, channels, samples\], but \[2, 1, 9\] came"):
        VoicePrompt.of_audio({"waveform": torch.zeros(2, 1, 9), "sample_rate": RATE}, WORDS)


@pytest.mark.parametrize(("seconds", "words"), [(3.0, "3.0 s is short"), (12.0, "12.0 s is long"), (7.0, "")])
def test_it_says_what_would_be_better(seconds: float, words: str) -> None:
    advice = VoicePrompt(hum(seconds), RATE, WORDS).advice
    assert advice.startswith(words) and bool(advice) == bool(words)


@pytest.mark.parametrize(
    ("audio", "rate", "transcript", "message"),
    [
        (hum(), RATE, " (laughs) [S1] ", "the transcript is empty"),
        (hum(0.5), RATE, WORDS, "1 to 20 seconds long, this one 0.5"),
        (hum(21.0), RATE, WORDS, "this one 21.0"),
        (0 * hum(), RATE, WORDS, "is silent"),
        (np.full(60_000, np.nan, np.float32), RATE, WORDS, "NaN"),
        (hum().astype(np.float64), RATE, WORDS, r"float32 \[samples\], but here it is float64"),
        (hum()[None], RATE, WORDS, r"here it is float32 \[1, "),
        (hum(), 100, WORDS, "8,000 to 192,000 Hz, got 100"),
    ],
)
def test_what_makes_no_voice_is_said(audio: np.ndarray, rate: int, transcript: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VoicePrompt(audio, rate, transcript)


def test_another_file_is_no_voice(tmp_path: Path) -> None:
    file = tmp_path / "file.safetensors"
    with pytest.raises(FileNotFoundError, match="Make one with Save Voice"):
        VoicePrompt.load(file)
    file.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="file.safetensors is damaged"):
        VoicePrompt.load(file)
    write_weights(file, {"audio": torch.zeros(9)}, {})
    with pytest.raises(ValueError, match="is not a voice"):
        VoicePrompt.load(file)
    told = {"format.name": FORMAT, "transcript": WORDS, "name": "me"}
    write_weights(file, {"sound": torch.zeros(9)}, {**told, "rate": RATE})
    with pytest.raises(ValueError, match="is damaged"):
        VoicePrompt.load(file)
    write_weights(file, {"audio": torch.zeros(9)}, {**told, "rate": "fast"})
    with pytest.raises(ValueError, match="sample rate is 'fast'"):
        VoicePrompt.load(file)


@pytest.fixture
def nodes(pack: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    paths = importlib.import_module("folder_paths")
    monkeypatch.setitem(paths.folder_names_and_paths, "voices", ([str(tmp_path / "voices")], {".safetensors"}))
    return importlib.import_module(f"{pack.__name__}.nodes.voice_files")


def test_a_saved_voice_is_loaded(nodes: Any, tmp_path: Path) -> None:
    saved = nodes.SaveVoice.execute(host_audio(), WORDS, "my voice").args[0]
    file = tmp_path / "voices" / "my voice.safetensors"
    loaded = nodes.LoadVoice.execute({"source": "file", "voice": file.name}).args[0]
    assert loaded.same_as(saved) and loaded.name == "my voice"
    combo = nodes.LoadVoice.define_schema().inputs[0].options[0].inputs[0]
    assert combo.options == [file.name]
    written = file.stat().st_mtime_ns
    nodes.SaveVoice.execute(host_audio(), WORDS, "my voice")  # the same: whoever loads it need not run again
    assert file.stat().st_mtime_ns == written
    assert nodes.SaveVoice.fingerprint_inputs("my voice") == str(written)
    assert nodes.LoadVoice.fingerprint_inputs({"source": "file", "voice": file.name}) == str(written)
    assert nodes.SaveVoice.fingerprint_inputs("other") != nodes.SaveVoice.fingerprint_inputs("other")
    nodes.SaveVoice.execute(host_audio(7.0), WORDS, "my voice")
    assert nodes.LoadVoice.execute({"source": "file", "voice": file.name}).args[0].seconds == pytest.approx(7.0)
    file.write_bytes(b"no tensors")
    nodes.SaveVoice.execute(host_audio(), WORDS, "my voice")
    assert VoicePrompt.load(file).seconds == pytest.approx(6.0)


def test_a_sound_is_a_voice_without_a_file(nodes: Any, tmp_path: Path) -> None:
    voice = nodes.LoadVoice.execute({"source": "sound", "audio": host_audio(), "transcript": WORDS}).args[0]
    assert voice.transcript == WORDS and not (tmp_path / "voices").exists()
    with pytest.raises(ValueError, match="no sound to make a voice of"):
        nodes.LoadVoice.execute({"source": "sound", "transcript": WORDS})
    with pytest.raises(FileNotFoundError, match="no voice gone in models/voices"):
        nodes.LoadVoice.execute({"source": "file", "voice": "gone"})
    with pytest.raises(ValueError, match="none of: file, sound"):
        nodes.LoadVoice.execute(None)
    with pytest.raises(ValueError, match="cannot be the name of a voice"):
        nodes.SaveVoice.execute(host_audio(), WORDS, "../me")
