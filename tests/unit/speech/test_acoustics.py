"""What each frame of a video hears: frames, spectra, the sound itself, and what is kept of it."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from expressive.speech.acoustics.encoder import AcousticStates
from expressive.speech.acoustics.extraction import extract
from expressive.speech.acoustics.features import AcousticFeatures
from expressive.speech.acoustics.frames import AFTER, WINDOW, frame_count, tokens, windows
from expressive.speech.acoustics.log_mel import LogMelEncoder, log_mel
from expressive.speech.acoustics.picture import HEIGHT, RULER, WIDTH, spectrogram
from expressive.speech.acoustics.sound import RATE, sound_of

from .sounds import audio, murmur

RATES = (12.0, 23.976, 24.0, 25.0, 29.97, 30.0, 60.0)


def test_windows_are_those_of_echomimic() -> None:
    """⌊50 i / fps⌋ − 4 … + 5, the ends held."""
    at_25 = windows(50, 25.0, 100)
    assert at_25[10].tolist() == list(range(16, 26))
    assert at_25[0].tolist() == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert at_25[49].tolist() == [94, 95, 96, 97, 98, 99, 99, 99, 99, 99]
    assert windows(8, 24.0, 100)[7].tolist() == list(range(10, 20))
    assert windows(4, 30.0, 100)[3].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("fps", RATES)
def test_a_window_hears_all_of_its_frame(fps: float) -> None:
    found = windows(40, fps, 10_000)[5:]  # away from the beginning
    for index, row in enumerate(found.tolist(), start=5):
        assert row == list(range(row[0], row[0] + WINDOW))
        begins, ends = math.floor(50 * index / fps), math.ceil(50 * (index + 1) / fps) - 1
        assert row[0] <= begins <= ends <= row[-1] and row[-1] - begins == AFTER


@pytest.mark.parametrize("fps", RATES)
def test_the_frames_show_all_of_the_sound_and_none_beyond(fps: float) -> None:
    for seconds in (0.001, 0.5, 1.0, 2.0, 3.337, 61.7):
        count = frame_count(seconds, fps)
        assert count / fps >= seconds - 0.011 / fps and (count == 1 or (count - 1) / fps < seconds)
    whole = round(7 * fps)
    assert frame_count(whole / fps, fps) == whole
    assert frame_count(math.ceil(whole / fps * 44100) / 44100, fps) == whole  # rounded up to a sample


def test_tokens_are_audio_frame_by_audio_frame() -> None:
    states = torch.arange(20 * 3 * 2).reshape(20, 3, 2).float()
    found = tokens(states, 6, 25.0)
    assert found.shape == (6, 30, 2)
    torch.testing.assert_close(found[4], states[4:14].reshape(30, 2))
    torch.testing.assert_close(tokens(states, 6, 25.0, "last")[4], states[4:14, 2])


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("time", [0.5, 0.713, 1.2034])
def test_a_click_is_heard_in_the_frame_that_shows_it(fps: float, time: float) -> None:
    samples = torch.zeros(2 * RATE)
    samples[round(time * RATE)] = 1.0
    features = extract(sound_of(audio(samples)), LogMelEncoder(), fps)
    loudness = features.tokens.amax(2)  # [F,10]
    shows = int(time * fps)
    assert loudness[shows].max() == loudness.max()
    place = 4 + 50 * (time - shows / fps)  # in the window, whose fifth audio frame is where the video frame begins
    assert abs(int(loudness[shows].argmax()) - place) <= 1.5
    quiet = loudness.amax(1) < loudness.min() + 0.1  # [F]
    for frame in range(features.frames):
        apart = frame / fps - time
        assert quiet[frame] or -0.13 < apart < 0.13
    assert not quiet[shows]


@pytest.mark.parametrize("mels", [80, 128])
def test_spectra_are_those_of_whispers_own_extractor(mels: int) -> None:
    from transformers import WhisperFeatureExtractor

    samples = murmur(1.37)
    extractor = WhisperFeatureExtractor(feature_size=mels)
    expected = extractor(samples.numpy(), sampling_rate=RATE, padding="longest", return_tensors="pt")["input_features"]
    torch.testing.assert_close(log_mel(samples, mels), expected[0].float(), atol=1e-4, rtol=0)


def test_log_mel_features_need_no_weights_and_repeat() -> None:
    sound = sound_of(audio(murmur(2.0)))
    one, two = (extract(sound, LogMelEncoder()) for _ in range(2))
    assert one.tokens.shape == (50, 10, 160) and one.pooled.shape == (160,) and one.encoder == "log-mel"
    assert torch.equal(one.tokens, two.tokens) and torch.equal(one.pooled, two.pooled)
    mel = log_mel(sound.samples)
    torch.testing.assert_close(one.tokens[20, 4], mel[:, 80:82].T.flatten())  # frame 20 begins with audio frame 40
    torch.testing.assert_close(one.pooled, torch.cat([mel.mean(1), mel.std(1, correction=0)]))


def test_channels_are_mixed_and_any_rate_is_heard() -> None:
    left, right = murmur(1.0, 1), murmur(1.0, 2)
    stereo = sound_of(audio(torch.stack([left, right])))
    torch.testing.assert_close(stereo.samples, (left + right) / 2)
    time = torch.arange(44100) / 44100
    tone = sound_of(audio((2 * math.pi * 1000 * time).sin(), 44100))
    assert tone.seconds == 1.0 and len(tone.samples) == RATE
    inner = tone.samples[1000:-1000]
    expected = (2 * math.pi * 1000 * torch.arange(RATE) / RATE).sin()[1000:-1000]
    torch.testing.assert_close(inner, expected, atol=0.02, rtol=0)
    assert extract(tone, LogMelEncoder()).frames == 25


@pytest.mark.parametrize("samples", [1, 100, 399, 1601])
def test_a_blink_of_sound_and_silence_are_heard(samples: int) -> None:
    features = extract(sound_of(audio(torch.zeros(samples))), LogMelEncoder())
    assert features.frames == frame_count(samples / RATE, 25.0) and bool(features.tokens.isfinite().all())
    torch.testing.assert_close(features.tokens, torch.full_like(features.tokens, -1.5))


def test_a_sound_that_cannot_be_heard_is_told() -> None:
    fine = audio(torch.zeros(100))
    for odd, told in (
        (None, "no sound"),
        ({"waveform": torch.zeros(1, 1, 9)}, "has a waveform and a sample rate"),
        ({**fine, "waveform": torch.zeros(100)}, "float32 \\[100\\]"),
        ({**fine, "waveform": torch.zeros(1, 1, 100, dtype=torch.int16)}, "int16"),
        ({**fine, "waveform": torch.zeros(3, 1, 100)}, "3 came"),
        ({**fine, "waveform": torch.zeros(1, 1, 0)}, "empty"),
        ({**fine, "waveform": torch.full((1, 1, 100), math.nan)}, "NaN"),
        ({**fine, "sample_rate": 0}, "1 Hz"),
    ):
        with pytest.raises(ValueError, match=told):
            sound_of(odd)


def test_what_does_not_fit_is_told() -> None:
    class Large(LogMelEncoder):
        layers, width = 33, 1280

        def encode(self, samples: Any, between: Any) -> AcousticStates:
            raise AssertionError("it has listened")

    class Broken(LogMelEncoder):
        def encode(self, samples: Any, between: Any) -> AcousticStates:
            return AcousticStates(torch.full((9, 1, 4), math.nan), torch.zeros(4))

    sound = sound_of(audio(torch.zeros(RATE)))
    with pytest.raises(ValueError, match="330 × 1280 each, take .* GB, and 4 GB is the most"):
        extract(replace(sound, seconds=600.0), Large())
    with pytest.raises(ValueError, match="log-mel gave NaN"):
        extract(sound, Broken())
    for fps in (9.0, 121.0, math.nan):
        with pytest.raises(ValueError, match="10 to 120 frames a second"):
            extract(sound, LogMelEncoder(), fps)
    with pytest.raises(ValueError, match="one of all, last, got “first”"):
        extract(sound, LogMelEncoder(), layers="first")


def test_features_are_read_as_they_were_written(tmp_path: Path) -> None:
    features = extract(sound_of(audio(murmur(1.0))), LogMelEncoder(), 23.976)
    read = AcousticFeatures.load(features.save(tmp_path / "kept" / "voice.safetensors"))
    assert torch.equal(read.tokens, features.tokens) and torch.equal(read.pooled, features.pooled)
    assert (read.fps, read.seconds, read.encoder) == (23.976, 1.0, "log-mel")
    other = tmp_path / "other.safetensors"
    from safetensors.torch import save_file

    save_file({"tokens": features.tokens}, str(other))
    with pytest.raises(ValueError, match="does not hold acoustic features"):
        AcousticFeatures.load(other)
    other.write_bytes(b"none")
    with pytest.raises(ValueError, match="is damaged"):
        AcousticFeatures.load(other)


def test_a_window_is_some_of_the_frames() -> None:
    features = extract(sound_of(audio(murmur(1.0))), LogMelEncoder())
    part = features.window(5, 10)
    assert torch.equal(part.tokens, features.tokens[5:15]) and part.pooled is features.pooled
    assert part.frames == 10 and part.seconds == pytest.approx(0.4) and part.fps == features.fps
    for start, count in ((-1, 3), (20, 6), (3, 0)):
        with pytest.raises(ValueError, match="has frames 0 to 24"):
            features.window(start, count)


def test_features_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[F,T,D\] and \[D'\]"):
        AcousticFeatures(torch.zeros(3, 4), torch.zeros(4), 25.0, 1.0, "x")
    with pytest.raises(ValueError, match="float16"):
        AcousticFeatures(torch.zeros(1, 3, 4).half(), torch.zeros(4), 25.0, 1.0, "x")
    with pytest.raises(ValueError, match="more than 0 frames"):
        AcousticFeatures(torch.zeros(1, 3, 4), torch.zeros(4), 0.0, 1.0, "x")


def test_the_picture_shows_when_and_how_high() -> None:
    """A low tone, then silence, then a high one."""
    time = torch.arange(RATE) / RATE
    low, high = ((2 * math.pi * hertz * time).sin() for hertz in (200, 6000))
    page = spectrogram(torch.cat([low, torch.zeros(RATE), high]), 25.0)
    assert page.shape == (HEIGHT + RULER, WIDTH, 3) and 0 <= float(page.min()) <= float(page.max()) <= 1
    light = page[:HEIGHT].mean(2)
    first, middle, last = light[:, 60:280], light[:, 400:620], light[:, 740:960]
    assert first[HEIGHT // 2 :].max() > 0.7 and last[: HEIGHT // 2].max() > 0.6
    assert first.mean(1).argmax() > HEIGHT // 2 > last.mean(1).argmax()
    assert middle.max() < 0.1
    assert (page[HEIGHT:] < 0.9).any()
    quiet = spectrogram(torch.zeros(200), 25.0)[:HEIGHT]
    assert quiet.max() < 0.2
