import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from expressive.datasets.rows import BadRowError
from expressive.datasets.splits import SplitError
from expressive.datasets.talking_clips import read_talking_clips
from expressive.emotion import Emotion

av = pytest.importorskip("av")

FRAMES, FPS, RATE = 10, 25, 16_000


def video(path: Path, frames: int = FRAMES, fps: int = FPS) -> None:
    """Frame i is a grey of 20 · i."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "1"})
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            pixels = np.full((32, 32, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def sound(path: Path, samples: int = FRAMES * RATE // FPS, rate: int = RATE, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.full(samples * channels, 16383, "<i2").tobytes())


def points(path: Path, frames: int = FRAMES, **changes: Any) -> None:
    arrays = {
        "landmarks": np.full((frames, 553, 3), 0.5, np.float32),
        "phoneme_start": np.array([0.0, 0.1]),
        "phoneme_end": np.array([0.1, 0.4]),
        "phoneme": np.array(["", "ˈaɪ"]),
        "viseme": np.array(["rest", "aa"]),
    }
    np.savez_compressed(path, **{key: value for key, value in (arrays | changes).items() if value is not None})


def about(**changes: Any) -> dict[str, Any]:
    facts = {
        "version": 1,
        "text": "Look at that.",
        "emotion": json.loads(Emotion.of("delight", 0.8).to_json()),
        "fps": FPS,
        "sample_rate": RATE,
        "frames": FRAMES,
        "identity": {"seed": 7, "gender": "woman"},
        "style": "portrait",
        "voice": {"name": "en-us"},
    }
    return {key: value for key, value in (facts | changes).items() if value is not ...}


def written(folder: Path, name: str = "a", **changes: Any) -> Path:
    video(folder / f"{name}.mp4")
    sound(folder / f"{name}.wav")
    points(folder / f"{name}.landmarks.npz")
    (folder / f"{name}.json").write_text(json.dumps(about(**changes)))
    return folder


def test_a_clip(tmp_path: Path) -> None:
    (clip,) = read_talking_clips(written(tmp_path)).clips
    assert (clip.name, clip.text, clip.identity, clip.split) == ("a", "Look at that.", "0000007", None)
    assert clip.emotion == Emotion.of("delight", 0.8) and clip.about["style"] == "portrait"
    assert (clip.frames, clip.fps, clip.seconds) == (10, 25.0, 0.4)
    assert clip.landmarks().shape == (10, 553, 3) and clip.landmarks().dtype == np.float32
    assert [(one.start, one.end, one.phoneme, one.viseme) for one in clip.phonemes()] == [
        (0.0, 0.1, "", "rest"),
        (0.1, 0.4, "ˈaɪ", "aa"),
    ]
    audio = clip.audio()
    assert audio.shape == (6400,) and audio.dtype == np.float32 and audio[0] == pytest.approx(0.5, abs=1e-3)


def test_frames_are_decoded_when_asked_for(tmp_path: Path) -> None:
    (clip,) = read_talking_clips(written(tmp_path)).clips
    grey = [int(frame.mean().round()) for frame in clip.pictures()]
    assert grey == pytest.approx([20 * index for index in range(10)], abs=3)
    assert [frame.mean() for frame in clip.pictures(2, 9, 3)] == pytest.approx([40, 100, 160], abs=3)
    assert next(clip.pictures(4)).shape == (32, 32, 3) and list(clip.pictures(3, 3)) == []
    with pytest.raises(ValueError, match="step of 1 or more"):
        next(clip.pictures(step=0))


def test_splits_come_from_the_identity_file(tmp_path: Path) -> None:
    written(tmp_path, "a")
    written(tmp_path, "b", identity={"seed": 8})
    (tmp_path / "dataset.json").write_text("{}")
    file = tmp_path / "identities.json"
    file.write_text(json.dumps({"a": {"identity": "0000007", "split": "val"}}))
    read = read_talking_clips(tmp_path)
    assert [clip.split for clip in read.clips] == ["validation", None] and len(read.of_split("validation")) == 1
    file.write_text(json.dumps({name: {"identity": "x", "split": name} for name in ("a", "b")}))
    with pytest.raises(BadRowError, match=r"identities\.json, entry “a”: expected “split” to be train"):
        read_talking_clips(tmp_path)
    file.write_text(json.dumps({"a": {"identity": "x", "split": "train"}, "b": {"identity": "x", "split": "test"}}))
    with pytest.raises(SplitError, match="x in test and train"):
        read_talking_clips(tmp_path)


JSON = [
    (about(version=2), "“version” to be 1, got 2"),
    (about(text=...), "a clip to have “text”"),
    (about(emotion="happy"), "an emotion, got “happy”"),
    (about(emotion={"version": 1, "weights": {"emo135.hapiness": 1}}), "an emotion, got"),
    (about(frames=0), "“frames” to be at least 1, got 0"),
    (about(frames=9.5), "“frames” to be a whole number"),
    (about(fps="25"), "“fps” to be a number, got “25”"),
    (about(sample_rate=44_100), "a.wav with 1 channel of 16 bits at 44100 Hz, got 1 of 16 bits at 16000 Hz"),
    (about(frames=12), "a.wav as long as 12 frames, 0.48 s, got 0.40 s"),
    (about(frames=11), "landmarks [11, 553, 3], got [10, 553, 3]"),
    (about(identity=7), "“identity” to be an object"),
    (about(identity={}), "“identity” to have “seed”"),
    ([], "the file to be an object"),
]


@pytest.mark.parametrize(("content", "message"), JSON)
def test_facts_that_do_not_fit(tmp_path: Path, content: Any, message: str) -> None:
    (written(tmp_path) / "a.json").write_text(json.dumps(content))
    with pytest.raises(BadRowError) as caught:
        read_talking_clips(tmp_path)
    assert f"{tmp_path / 'a.json'}: expected " in str(caught.value) and message in str(caught.value)
    written(tmp_path, "b")
    read = read_talking_clips(tmp_path, "skip")
    assert [clip.name for clip in read.clips] == ["b"] and read.bad.count == 1


FILES: list[tuple[Callable[[Path], Any], str]] = [
    (lambda folder: (folder / "a.wav").unlink(), "a.wav, a wav, got"),
    (lambda folder: (folder / "a.wav").write_bytes(b"RIFF"), "a.wav, a wav, got"),
    (lambda folder: sound(folder / "a.wav", channels=2), "1 channel of 16 bits at 16000 Hz, got 2 of 16 bits"),
    (lambda folder: sound(folder / "a.wav", samples=5000), "as long as 10 frames, 0.40 s, got 0.31 s"),
    (lambda folder: (folder / "a.landmarks.npz").unlink(), "a.landmarks.npz, a file of NumPy arrays"),
    (lambda folder: (folder / "a.landmarks.npz").write_bytes(b"no"), "a file of NumPy arrays"),
    (lambda folder: points(folder / "a.landmarks.npz", viseme=None), "with landmarks, phoneme_start"),
    (
        lambda folder: points(folder / "a.landmarks.npz", viseme=np.array(["a"])),
        "of one length, got [2], [2], [2], [1]",
    ),
    (lambda folder: points(folder / "a.landmarks.npz", landmarks=np.zeros((10, 543, 3))), "got [10, 543, 3]"),
    (lambda folder: (folder / "a.mp4").unlink(), "a.mp4, a video, got"),
    (lambda folder: (folder / "a.mp4").write_bytes(b"no video"), "a.mp4, a video, got"),
    (lambda folder: video(folder / "a.mp4", frames=8), "a.mp4 with 10 frames, got 8"),
    (lambda folder: video(folder / "a.mp4", fps=30), "a.mp4 at 25 frames a second, got 30"),
    (lambda folder: (folder / "a.json").unlink(), "the JSON of a clip beside its video, got none"),
]


@pytest.mark.parametrize(("spoil", "message"), FILES)
def test_files_that_do_not_fit(tmp_path: Path, spoil: Callable[[Path], Any], message: str) -> None:
    spoil(written(tmp_path))
    with pytest.raises(BadRowError) as caught:
        read_talking_clips(tmp_path)
    assert message in str(caught.value)
    assert read_talking_clips(tmp_path, "skip").bad.count == 1


def test_videos_need_not_be_opened(tmp_path: Path) -> None:
    (written(tmp_path) / "a.mp4").write_bytes(b"no video")
    (clip,) = read_talking_clips(tmp_path, check_video=False).clips
    with pytest.raises(BadRowError, match="expected a video"):
        next(clip.pictures())


def test_a_video_that_ends_early_says_so(tmp_path: Path) -> None:
    video(written(tmp_path) / "a.mp4", frames=6)
    (clip,) = read_talking_clips(tmp_path, check_video=False).clips
    with pytest.raises(BadRowError, match="expected 10 frames, got 6"):
        list(clip.pictures())
    assert len(list(clip.pictures(0, 5))) == 5


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        read_talking_clips(tmp_path / "nowhere")
