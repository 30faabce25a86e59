# pyright: reportAttributeAccessIssue=false
"""Dia, by small files of the real layout."""

import importlib
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from expressive.speech.dia import Dia, Sampling, is_dia, own_randomness
from expressive.speech.voice_prompt import VoicePrompt

from .small_dia import POSITIONS, EndsAfter, write_codec, write_dia

TEXT = "[S1] I did it. (laughs) [S2]"
FRAME = 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dia(tmp_path_factory.mktemp("tts") / "small")


@pytest.fixture(scope="module")
def dia(folder: Path) -> Dia:
    return Dia.load(folder)


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """One second."""
    return (0.3 * np.random.default_rng(5).standard_normal(44_100)).clip(-1, 1).astype(np.float32)


def by_transformers(folder: Path, text: str, frames: int, seed: int, voice: np.ndarray | None) -> np.ndarray:
    """float32 [samples], as transformers' own processor, model and codec make them."""
    from transformers import DacModel, DiaFeatureExtractor, DiaForConditionalGeneration, DiaProcessor, DiaTokenizer

    codec = DacModel.from_pretrained(str(folder / "dac_44khz")).eval()
    extractor = DiaFeatureExtractor.from_pretrained(str(folder))
    processor = DiaProcessor(extractor, DiaTokenizer.from_pretrained(str(folder)), codec)
    network = DiaForConditionalGeneration.from_pretrained(str(folder)).eval()
    inputs = processor(text=[text], audio=voice)
    before = processor.get_audio_prompt_len(inputs["decoder_attention_mask"])
    with own_randomness(seed, torch.device("cpu")), torch.no_grad():
        torch.manual_seed(seed)
        rows: Any = network.generate(**inputs, max_new_tokens=frames + 16)
        return processor.batch_decode(rows, audio_prompt_len=before)[0].numpy()


@pytest.mark.parametrize("spoken_before", [False, True])
def test_it_speaks_as_transformers_does(folder: Path, dia: Dia, voice: np.ndarray, spoken_before: bool) -> None:
    """In parts as well as in one."""
    first = voice if spoken_before else None
    take = dia.speak(TEXT, 1.6, voice=first, seed=3)
    expected = by_transformers(folder, TEXT, dia.frames(1.6), 3, first)
    assert len(take.audio) == len(expected) == dia.frames(1.6) * FRAME and dia.frames(1.6) > 2 * 64
    np.testing.assert_allclose(take.audio, expected, atol=5e-4)  # windows round otherwise than the whole
    assert take.audio.dtype == np.float32 and take.audio.std() > 0.01


def test_a_seed_repeats_and_leaves_the_global_generator_alone(dia: Dia) -> None:
    before = torch.get_rng_state()
    one, again, other = (dia.speak(TEXT, 0.6, seed=seed).audio for seed in (2**64 - 1, 2**64 - 1, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_a_take_that_ends_by_itself_is_told_from_one_that_does_not(dia: Dia) -> None:
    with EndsAfter(dia.network, 20):
        take = dia.speak(TEXT, 1.0)
    assert take.ended and len(take.audio) == 20 * FRAME
    cut = dia.speak(TEXT, 0.6)
    assert not cut.ended and len(cut.audio) == dia.frames(0.6) * FRAME
    with EndsAfter(dia.network, 0):
        assert len(dia.speak(TEXT, 1.0).audio) == 0


def test_guidance_and_sampling_count(dia: Dia) -> None:
    usual = dia.speak(TEXT, 0.5).audio
    for sampling in (Sampling(guidance=1), Sampling(top_k=5), Sampling(temperature=3, top_p=1)):
        assert not np.array_equal(usual, dia.speak(TEXT, 0.5, sampling=sampling).audio)
    surest = Sampling(top_p=0.01)
    one, other = (dia.speak(TEXT, 0.5, sampling=surest, seed=seed).audio for seed in (1, 2))
    assert np.array_equal(one, other)
    wrongs: list[dict[str, Any]] = [{"guidance": 0.5}, {"temperature": 0.9}, {"top_p": 0.0}, {"top_k": 4}]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=f"Dia's {next(iter(wrong))} is"):
            Sampling(**wrong)


def test_it_stops_when_asked_and_tells_how_far_it_is(dia: Dia) -> None:
    class Stopped(Exception):
        pass

    asked, done = [], []

    def between() -> None:
        asked.append(1)
        if len(asked) == 10:
            raise Stopped

    before = torch.get_rng_state()
    with pytest.raises(Stopped):
        dia.speak(TEXT, 1.0, between=between, progress=lambda now, most: done.append((now, most)))
    assert len(done) == 9 and done[0] == (1, dia.frames(1.0)) and torch.equal(torch.get_rng_state(), before)
    dia.speak(TEXT, 0.5, progress=lambda now, most: done.append((now, most)))
    assert done[-1] == (dia.frames(0.5), dia.frames(0.5))


def test_a_voice_needs_room(dia: Dia, voice: np.ndarray) -> None:
    long = np.tile(voice, 6)[: 44_100 * 11 // 2]
    with pytest.raises(ValueError, match=f"of the {POSITIONS} frames.*leaves no room"):
        dia.speak(TEXT, 1.0, voice=long)
    with pytest.raises(ValueError, match="reads 1024 bytes"):
        dia.speak(f"[S1] {'no ' * 400}", 1.0)


def test_half_precision_is_that_of_the_weights_alone(folder: Path) -> None:
    half = Dia.load(folder, "bfloat16")
    assert {weight.dtype for weight in half.network.parameters()} == {torch.bfloat16} and half.dtype == "bfloat16"
    assert {buffer.dtype for buffer in half.network.buffers() if buffer.is_floating_point()} == {torch.float32}
    assert {weight.dtype for weight in half.codec.parameters()} == {torch.float32}
    assert np.isfinite(half.speak(TEXT, 0.5).audio).all()
    with pytest.raises(ValueError, match="one of bfloat16, float16, float32"):
        Dia.load(folder, "int8")


def test_other_versions_of_the_layout_load(folder: Path, dia: Dia, tmp_path: Path) -> None:
    beside = write_dia(tmp_path / "beside", tmp_path / "dac_44khz", unified=True, shards="60KB")
    assert len(list(beside.glob("model-*.safetensors"))) > 1 and not (beside / "dac_44khz").exists()
    assert np.array_equal(Dia.load(beside).speak(TEXT, 0.5).audio, dia.speak(TEXT, 0.5).audio)
    assert is_dia(beside) and is_dia(folder) and not is_dia(folder / "dac_44khz") and not is_dia(tmp_path)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    shutil.rmtree(bare / "dac_44khz")
    with pytest.raises(FileNotFoundError, match=r"bare.dac_44khz, nor in .*huggingface.co/descript/dac_44khz.*MIT"):
        Dia.load(bare)
    write_codec(tmp_path / "dac_44khz")
    (bare / "tokenizer_config.json").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"no tokenizer_config.json.*Dia-1.6B-0626 \(about 6.5 GB, Apache-2.0\)"
    ):
        Dia.load(bare)
    (bare / "model.safetensors").unlink()
    shutil.copy(folder / "tokenizer_config.json", bare)
    with pytest.raises(FileNotFoundError, match="no model.safetensors"):
        Dia.load(bare)
    (bare / "config.json").write_text(json.dumps({"data": {"delay_pattern": [0, 8]}, "model": {}}), encoding="utf-8")
    with pytest.raises(ValueError, match="Nari Labs' own format"):
        Dia.load(bare)
    (bare / "config.json").write_text(json.dumps({"model_type": "bark"}), encoding="utf-8")
    with pytest.raises(ValueError, match="kind 'bark'"):
        Dia.load(bare)


@pytest.fixture
def nodes(pack: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    loader, speaker = (importlib.import_module(f"{pack.__name__}.nodes.{name}") for name in ("load_dia", "dia_tts"))
    paths = importlib.import_module("folder_paths")
    monkeypatch.setitem(paths.folder_names_and_paths, "tts", ([str(folder.parent)], {".safetensors"}))
    return loader.LoadDia, speaker.DiaTTS


def test_the_nodes_speak(nodes: tuple[Any, Any], voice: np.ndarray) -> None:
    loader, speaker = nodes
    (combo,) = (item for item in loader.define_schema().inputs if item.id == "model")
    assert combo.options == ["small"]
    loaded = loader.execute("small", "auto").args[0]
    assert loaded.dia.dtype == "float32"  # on the CPU
    settings = {
        "seed": 1, "wording": "as written", "strength": 1.0, "tempo": 1.0, "pause": 0.3, "chunk_seconds": 14.0,
        "guidance_scale": 3.0, "temperature": 1.2, "top_p": 0.95, "top_k": 45, "attempts": 1,
        "sample_rate": "16 kHz",
    }  # fmt: skip
    spoken_before = VoicePrompt(voice, 44_100, "Hello there.")
    with EndsAfter(loaded.dia.network, 90):
        audio, speech, timings, spoken = speaker.execute(loaded, "I did it.", voice=spoken_before, **settings).args
    assert audio["sample_rate"] == speech.rate == 16_000
    assert audio["waveform"].shape == (1, 1, len(speech.audio)) and audio["waveform"].dtype == torch.float32
    assert 0.5 < speech.seconds < 1.2 and audio["waveform"].isfinite().all()
    assert [word["text"] for word in json.loads(timings)["words"]] == [word.text for word in speech.words]
    assert spoken == "[S1] I did it."
    assert loader.fingerprint_inputs("small", dtype="auto") == loader.fingerprint_inputs("small", dtype="auto")


def test_a_missing_model_says_what_to_download(nodes: tuple[Any, Any]) -> None:
    with pytest.raises(FileNotFoundError, match="no folder gone.*6.5 GB, Apache-2.0.*310 MB, MIT"):
        nodes[0].execute("gone", "auto")
