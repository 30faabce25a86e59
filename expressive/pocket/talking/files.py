"""Talking clips on disk.

A clip NAME in a folder is four files, the JSON written last, so that a clip with a JSON is whole:

- NAME.mp4: H.264 (yuv420p, 25 fps, square) and AAC (mono, 16 kHz), of equal length.
- NAME.wav: the sound before AAC: 16-bit PCM, mono, 16 kHz, 640 samples a frame.
- NAME.landmarks.npz: `landmarks` float32 [T, 553, 3] as in `scene.Truth`; and of the P phonemes `phoneme_start` and
  `phoneme_end` float64 [P] in seconds, `phoneme` str [P] (IPA, "" a pause), `viseme` str [P] (one of VISEMES).
- NAME.json: `version` 1, `text`, `emotion` (as `Emotion.to_json` writes it, of the middle of the clip), `emotions`
  (the same of each frame, only if it changes), `fps`, `sample_rate`, `frames`, `size`, `identity` (its attributes),
  `seed` (of the movements), `style`, `frame`, `voice` (the fields of `speech.Voice`, with the emotion in it), `words`
  ([word, start, end] each).
"""

from __future__ import annotations

import json
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .clip import FPS, SAMPLES_A_FRAME, TalkingClip
from .mouth import timed_visemes
from .speech import RATE

VERSION = 1
_QUALITY = {"crf": "16", "preset": "fast"}


def save(
    clip: TalkingClip,
    folder: Path | str,
    name: str,
    size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw a clip and write its four files; the path of its JSON.

    size: pixels of a side, even. progress: called with frames done and frames in all; what it raises ends the work and
    leaves no file. Raises ValueError for an odd size or a name with a folder in it, and as `speak` does.
    """
    from ..scene import picture
    from ..scene.truth import truth

    if size % 2 or size < 16:
        raise ValueError(f"A clip's size is an even number of pixels from 16 on, got {size}.")
    if name != Path(name).name or name in ("", ".", ".."):
        raise ValueError(f"A clip's name is a file name without folder and ending, got {name!r}.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count, landmarks, felt = clip.count, [], []

    def pictures() -> Iterator[np.ndarray]:
        for index, scene in enumerate(clip.frames()):
            landmarks.append(truth(scene, size, maps=False).landmarks)
            felt.append(scene.emotion)
            yield picture(scene, size)
            if progress is not None:
                progress(index + 1, count)

    with _whole(folder, name, ("mp4", "wav", "landmarks.npz", "json")) as (video, sound, points, text):
        write_video(video, pictures(), clip.speech.audio, size)
        write_sound(sound, clip.speech.audio)
        phonemes = clip.speech.phonemes
        with points.open("wb") as file:
            np.savez_compressed(
                file,
                landmarks=np.stack(landmarks).astype(np.float32),
                phoneme_start=np.array([phoneme.start for phoneme in phonemes]),
                phoneme_end=np.array([phoneme.end for phoneme in phonemes]),
                phoneme=np.array([phoneme.text for phoneme in phonemes]),
                viseme=np.array(timed_visemes(clip.speech)),
            )
        facts: dict[str, Any] = {
            "version": VERSION,
            "text": clip.text,
            "emotion": json.loads(felt[count // 2].to_json()),
            "fps": FPS,
            "sample_rate": RATE,
            "frames": count,
            "size": size,
            "identity": asdict(clip.identity),
            "seed": clip.seed,
            "style": clip.style,
            "frame": clip.frame,
            "voice": asdict(clip.spoken_voice),
            "words": [[word.text, round(word.start, 4), round(word.end, 4)] for word in clip.speech.words],
        }
        if len(set(felt)) > 1:
            facts["emotions"] = [json.loads(emotion.to_json()) for emotion in felt]
        text.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return folder / f"{name}.json"


def write_video(path: Path, pictures: Iterator[np.ndarray], audio: np.ndarray, size: int) -> None:
    """An mp4 of uint8 [size, size, 3] pictures at 25 fps, with float32 audio at 16 kHz."""
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options=dict(_QUALITY))
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1  # so that the file depends on nothing but its pictures
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        for index, pixels in enumerate(pictures):
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            piece = audio[index * SAMPLES_A_FRAME : (index + 1) * SAMPLES_A_FRAME]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece)[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, index * SAMPLES_A_FRAME
            container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))


def write_sound(path: Path, audio: np.ndarray) -> None:
    """A wav of float32 audio, −1 … 1, at 16 kHz: 16-bit PCM, mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(audio, -1, 1) * 32767).round().astype("<i2").tobytes())


@contextmanager
def _whole(folder: Path, name: str, endings: tuple[str, ...]) -> Iterator[list[Path]]:
    """Temporary paths that get their names once all of them are written; nothing is left of a failure."""
    drafts = [folder / f".{name}.{os.getpid()}.{ending}" for ending in endings]
    try:
        yield drafts
        for draft, ending in zip(drafts, endings, strict=True):
            draft.replace(folder / f"{name}.{ending}")
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)
