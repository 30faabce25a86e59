"""Talking clips: sound and pictures of one length, and files that say all about themselves."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from expressive.emotion import Emotion
from expressive.pocket.faces import Identity
from expressive.pocket.talking import SAMPLES_A_FRAME, VISEMES, TalkingClip, save

WHO = Identity.sample(1_000_000)
HAPPY = Emotion.of("pixelsmile.happy", 0.8)


@pytest.fixture(scope="module")
def clip() -> TalkingClip:
    return TalkingClip(WHO, "Bob may go.", HAPPY, seed=3, frame="face", before=0.12, after=0.12)


@pytest.fixture(scope="module")
def saved(clip: TalkingClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(clip, tmp_path_factory.mktemp("clips"), "bob", size=96)


def test_sound_and_pictures_have_one_length(clip: TalkingClip) -> None:
    scenes = list(clip.frames())
    assert len(scenes) == clip.count == len(clip.times)
    assert len(clip.speech.audio) == SAMPLES_A_FRAME * clip.count
    assert all(scene.emotion == HAPPY and scene.identity == WHO for scene in scenes)


def test_the_same_clip_again_is_the_same_and_any_time_can_be_asked_for(clip: TalkingClip) -> None:
    again = TalkingClip(WHO, "Bob may go.", HAPPY, seed=3, frame="face", before=0.12, after=0.12)
    scenes = list(clip.frames())
    assert scenes == list(again.frames())
    assert next(clip.at([clip.times[7]])) == scenes[7]


def test_emotion_may_change_over_time() -> None:
    turning = TalkingClip(WHO, "Bob may go.", lambda time: HAPPY.scaled(min(1.0, time)))
    scenes = list(turning.frames())
    assert scenes[0].emotion.intensity < scenes[10].emotion.intensity < scenes[-1].emotion.intensity


def test_files_read_back(clip: TalkingClip, saved: Path) -> None:
    import av

    assert sorted(path.name for path in saved.parent.iterdir()) == [
        "bob.json", "bob.landmarks.npz", "bob.mp4", "bob.wav"
    ]  # fmt: skip
    with av.open(str(saved.with_suffix(".mp4"))) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate, video.pix_fmt) == (96, 96, 25, "yuv420p")
        assert (video.codec_context.name, sound.codec_context.name, sound.rate) == ("h264", "aac", 16_000)
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video)]
    assert len(pictures) == clip.count
    with av.open(str(saved.with_suffix(".mp4"))) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    with wave.open(str(saved.with_suffix(".wav"))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    np.testing.assert_allclose(sound, clip.speech.audio, atol=2e-5)
    common = min(len(heard), len(sound))
    shifts = [
        float(np.dot(heard[1200 + s : common - 1200 + s], sound[1200 : common - 1200])) for s in range(-1100, 1101)
    ]
    assert abs(int(np.argmax(shifts)) - 1100) <= 32  # 2 ms: AAC's delay is written into the file


def test_files_tell_the_truth(clip: TalkingClip, saved: Path) -> None:
    facts = json.loads(saved.read_text(encoding="utf-8"))
    assert Emotion.from_json(json.dumps(facts["emotion"])) == HAPPY
    assert (facts["version"], facts["text"], facts["fps"], facts["sample_rate"]) == (1, "Bob may go.", 25, 16_000)
    assert (facts["frames"], facts["identity"]["seed"], facts["frame"]) == (clip.count, 1_000_000, "face")
    assert [word for word, _, _ in facts["words"]] == ["Bob", "may", "go"]
    with np.load(saved.parent / "bob.landmarks.npz", allow_pickle=False) as truth:
        points = truth["landmarks"]
        assert points.shape == (clip.count, 553, 3) and points.dtype == np.float32 and np.isfinite(points).all()
        assert list(truth["phoneme"]) == [phoneme.text for phoneme in clip.speech.phonemes]
        assert set(truth["viseme"]) <= set(VISEMES)
        assert truth["phoneme_end"][-1] == pytest.approx(clip.count / 25)
        lips = np.linalg.norm(points[:, 13, :2] - points[:, 14, :2], axis=1) * 96  # inner lips, in pixels
        for start, end, name in zip(truth["phoneme_start"], truth["phoneme_end"], truth["viseme"], strict=True):
            inside = (clip.times > start - 0.02) & (clip.times < end + 0.02)
            if name == "PP":
                assert lips[inside].min() < 0.35
            elif name in ("aa", "oh", "E"):
                assert lips[inside].max() > 1.0


def test_what_fails_leaves_nothing_behind(clip: TalkingClip, tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        save(clip, tmp_path, "bob", size=32, progress=stop)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="even number"):
        save(clip, tmp_path, "bob", size=33)
    with pytest.raises(ValueError, match="without folder"):
        save(clip, tmp_path, "../bob")
    with pytest.raises(ValueError, match="nothing to say"):
        next(TalkingClip(WHO, " ").frames())
