"""Talking clips: video, sound, landmarks and emotion of someone who says a text.

<folder>/<clip>.mp4              video, with sound
<folder>/<clip>.wav              the sound: 16-bit PCM, mono
<folder>/<clip>.landmarks.npz    landmarks float32 [T,553,3]; phoneme_start, phoneme_end, phoneme, viseme, each [P]
<folder>/<clip>.json             version, text, emotion, fps, sample_rate, frames, identity {seed, …}, style, voice
<folder>/identities.json         optional: clip → {"identity": …, "split": …}
"""

from __future__ import annotations

import json
import wave
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..emotion import Emotion
from .emo135 import IDENTITIES
from .rows import BadRowError, BadRows, Unexpected, mapping, number, parsed, required, shown, text
from .splits import SPLITS, check_disjoint, known_split

VERSION = 1
LANDMARKS = 553  # MediaPipe Holistic: face 478, pose 33, left hand 21, right hand 21
ABOUT = ("dataset.json", f"{IDENTITIES}.json")
"""Files of a folder that are about all of its clips."""


@dataclass(frozen=True)
class Phoneme:
    """One sound of speech: seconds from the clip's beginning, IPA ("" a pause), and how the mouth looks."""

    start: float
    end: float
    phoneme: str
    viseme: str


@dataclass(frozen=True)
class ClipRecord:
    """One clip. identity: who speaks, as text; None where it is not said. about: all fields of the clip's JSON."""

    folder: Path
    name: str
    text: str
    emotion: Emotion
    fps: float
    sample_rate: int
    frames: int
    identity: str | None
    split: str | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def video(self) -> Path:
        """The mp4."""
        return self.folder / f"{self.name}.mp4"

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.fps

    def pictures(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
        """Frames start, start + step, … before `stop`, decoded as they are asked for: uint8 [H,W,3].

        Raises ValueError for start < 0 or step < 1; BadRowError for a video that breaks off.
        """
        import av
        from av.error import FFmpegError

        if start < 0 or step < 1:
            raise ValueError(f"Expected start of 0 or more and step of 1 or more, got {start} and {step}.")
        stop = self.frames if stop is None else min(stop, self.frames)
        wanted, index = range(start, stop, step), -1
        try:
            with av.open(str(self.video)) as container:
                for index, frame in enumerate(container.decode(video=0)):
                    if index >= stop:
                        return
                    if index in wanted:
                        yield frame.to_ndarray(format="rgb24")
        except FFmpegError as error:
            raise BadRowError(
                f"{self.video}: expected a video, got one that breaks at {index + 1} ({error})."
            ) from error
        if wanted and index < wanted[-1]:
            raise BadRowError(f"{self.video}: expected {self.frames} frames, got {index + 1}.")

    def audio(self) -> np.ndarray:
        """The sound: float32 [samples], −1 … 1, at `sample_rate`."""
        with wave.open(str(self.folder / f"{self.name}.wav"), "rb") as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32767

    def landmarks(self) -> np.ndarray:
        """float32 [frames,553,3]: x and y as shares of the picture's width and height, visibility 0 or 1."""
        with np.load(self._points, allow_pickle=False) as arrays:
            return arrays["landmarks"]

    def phonemes(self) -> tuple[Phoneme, ...]:
        """What is said, in order, pauses included."""
        with np.load(self._points, allow_pickle=False) as arrays:
            columns = [arrays[name].tolist() for name in ("phoneme_start", "phoneme_end", "phoneme", "viseme")]
        return tuple(Phoneme(*one) for one in zip(*columns, strict=True))

    @property
    def _points(self) -> Path:
        return self.folder / f"{self.name}.landmarks.npz"


@dataclass(frozen=True)
class TalkingClips:
    """A folder of clips, sorted by name. bad: what was left out, and why."""

    clips: tuple[ClipRecord, ...]
    bad: BadRows

    def of_split(self, split: str) -> tuple[ClipRecord, ...]:
        """The clips of `train`, `validation` or `test`."""
        return tuple(clip for clip in self.clips if clip.split == split)


def read_talking_clips(folder: Path | str, on_bad: str = "refuse", *, check_video: bool = True) -> TalkingClips:
    """All clips of a folder: their JSON, and whether sound, landmarks and video are there and as long as it says.

    Headers are read, nothing is decoded; check_video: open the videos, too. The sound may be off by one frame.
    Raises FileNotFoundError; BadRowError if refused; SplitError if an identity stands in two splits.
    """
    folder, bad = Path(folder), BadRows(on_bad)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    splits = _splits(folder, bad)
    names = {file.stem for file in folder.glob("*.json") if file.name not in ABOUT}
    names |= {file.stem for file in folder.glob("*.mp4")}
    clips = [
        bad.attempt(folder / f"{name}.json", None, _clip, folder, name, splits, check_video)
        for name in sorted(names)
        if not name.startswith(".")
    ]
    read = TalkingClips(tuple(clip for clip in clips if clip is not None), bad)
    check_disjoint(((clip.identity, clip.split) for clip in read.clips), str(folder))
    bad.log(str(folder))
    return read


def _splits(folder: Path, bad: BadRows) -> dict[str, tuple[str, str]]:
    """Clip → (identity, split)."""
    file, rows = folder / f"{IDENTITIES}.json", {}
    if file.is_file():
        content = bad.attempt(file, None, lambda: mapping(parsed(file.read_bytes()), "the file"))
        rows = {name: bad.attempt(file, name, _split, row) for name, row in (content or {}).items()}
    return {name: row for name, row in rows.items() if row is not None}


def _split(row: Any) -> tuple[str, str]:
    row = mapping(row, "a row")
    name = text(required(row, "split", "a row"), "“split”")
    split = known_split(name)
    if split is None:
        raise Unexpected(f"“split” to be {', '.join(SPLITS)}", shown(name))
    return text(required(row, "identity", "a row"), "“identity”"), split


def _clip(folder: Path, name: str, splits: Mapping[str, tuple[str, str]], check_video: bool) -> ClipRecord:
    file = folder / f"{name}.json"
    if not file.is_file():
        raise Unexpected("the JSON of a clip beside its video", "none")
    about = mapping(parsed(file.read_bytes()), "the file")
    if required(about, "version", "a clip") != VERSION:
        raise Unexpected(f"“version” to be {VERSION}", shown(about["version"]))
    emotion = required(about, "emotion", "a clip")
    identity = about.get("identity")
    if identity is not None:
        seed = required(mapping(identity, "“identity”"), "seed", "“identity”")
        identity = f"{seed:07d}" if isinstance(seed, int) else text(seed, "“identity.seed”")
    known, split = splits.get(name, (identity, None))
    clip = ClipRecord(
        folder=folder,
        name=name,
        text=text(required(about, "text", "a clip"), "“text”"),
        emotion=_emotion(emotion),
        fps=number(required(about, "fps", "a clip"), "“fps”", 1.0, 1000.0),
        sample_rate=_whole(required(about, "sample_rate", "a clip"), "“sample_rate”"),
        frames=_whole(required(about, "frames", "a clip"), "“frames”"),
        identity=known,
        split=split,
        about=about,
    )
    _check_sound(clip)
    _check_points(clip)
    if check_video:
        _check_video(clip)
    return clip


def _whole(value: Any, what: str) -> int:
    if number(value, what, 1.0) != int(value):
        raise Unexpected(f"{what} to be a whole number", shown(value))
    return int(value)


def _emotion(value: Any) -> Emotion:
    """From an object, or from the text that `Emotion.to_json` writes."""
    try:
        return Emotion.from_json(value if isinstance(value, str) else json.dumps(value))
    except ValueError as error:
        raise Unexpected("an emotion", f"{shown(value)} ({error})") from error


def _check_sound(clip: ClipRecord) -> None:
    file = clip.folder / f"{clip.name}.wav"
    try:
        with wave.open(str(file), "rb") as sound:
            found = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate(), sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise Unexpected(f"{file.name}, a wav", str(error) or type(error).__name__) from error
    if found[:3] != (1, 2, clip.sample_rate):
        raise Unexpected(
            f"{file.name} with 1 channel of 16 bits at {clip.sample_rate} Hz",
            f"{found[0]} of {8 * found[1]} bits at {found[2]} Hz",
        )
    if abs(found[3] / clip.sample_rate - clip.seconds) > 1 / clip.fps:
        wanted = f"{clip.frames} frames, {clip.seconds:.2f} s"
        raise Unexpected(f"{file.name} as long as {wanted}", f"{found[3] / clip.sample_rate:.2f} s")


def _check_points(clip: ClipRecord) -> None:
    file = clip.folder / f"{clip.name}.landmarks.npz"
    arrays = ("phoneme_start", "phoneme_end", "phoneme", "viseme")
    try:
        with zipfile.ZipFile(file) as archive:
            shapes = {name: _shape(archive, name) for name in ("landmarks", *arrays)}
    except KeyError as error:
        raise Unexpected(f"{file.name} with landmarks, {', '.join(arrays)}", str(error).strip("'\"")) from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Unexpected(f"{file.name}, a file of NumPy arrays", str(error) or type(error).__name__) from error
    if shapes["landmarks"] != (clip.frames, LANDMARKS, 3):
        raise Unexpected(f"landmarks [{clip.frames}, {LANDMARKS}, 3]", str(list(shapes["landmarks"])))
    if len({shapes[name] for name in arrays}) > 1 or len(shapes["phoneme"]) != 1:
        raise Unexpected(f"{', '.join(arrays)} of one length", ", ".join(str(list(shapes[name])) for name in arrays))


def _shape(archive: zipfile.ZipFile, name: str) -> tuple[int, ...]:
    """The shape of one array of an npz, from its header."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return read(file)[0]


def _check_video(clip: ClipRecord) -> None:
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(clip.video)) as container:
            if not container.streams.video:
                raise Unexpected(f"{clip.video.name} with pictures", "sound only")
            stream = container.streams.video[0]
            frames, rate = stream.frames, stream.average_rate
            if not frames:  # the container does not say
                frames = sum(1 for packet in container.demux(stream) if packet.size)
    except (OSError, FFmpegError) as error:
        raise Unexpected(f"{clip.video.name}, a video", str(error)) from error
    if frames != clip.frames:
        raise Unexpected(f"{clip.video.name} with {clip.frames} frames", str(frames))
    if rate is not None and abs(float(rate) - clip.fps) > 0.01:
        raise Unexpected(f"{clip.video.name} at {clip.fps:g} frames a second", f"{float(rate):g}")
