"""A talking clip: who says what, feeling what, as a sequence of scenes with sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...emotion import Emotion
from ...speech.spoken import Speech
from ..faces import Identity, Pose
from ..scene import Camera, Light, Scene
from . import face
from .motion import Motion, moving
from .mouth import contact, mouth, speaking
from .prosody import articulation, expressive, voice_of
from .speech import RATE, Voice, speak

FPS = 25
SAMPLES_A_FRAME = RATE // FPS
_FARTHEST = 30.0  # degrees that a head is drawn turned
EmotionCurve = Callable[[float], Emotion]
"""Seconds from the clip's beginning → what is felt then."""


@dataclass(frozen=True)
class TalkingClip:
    """Someone says a text.

    emotion: one for the whole clip, or a curve over time; the voice takes a curve's middle. Frame i shows the middle of
    its 40 ms. Raises ValueError as `speak` does, when speech is first needed.
    """

    identity: Identity
    text: str
    emotion: Emotion | EmotionCurve = field(default_factory=Emotion.neutral)
    seed: int = 0  # of blinks, gaze, head and hands
    style: str = "portrait"
    frame: str = "upper_body"
    pose: Pose = field(default_factory=Pose)  # around which the head moves
    light: Light = field(default_factory=Light)
    background: int = 0
    camera: Camera = field(default_factory=Camera)
    voice: Voice | None = None  # as it speaks without emotion; the identity's own if None
    gestures: bool = True
    before: float = 0.24  # seconds of silence first
    after: float = 0.40  # seconds of silence last

    @cached_property
    def spoken_voice(self) -> Voice:
        """The voice with the emotion in it."""
        return expressive(self.voice or voice_of(self.identity), self._main_emotion)

    @cached_property
    def speech(self) -> Speech:
        """The sound and its timings; the audio is a whole number of frames long."""
        said = speak(self.text, self.spoken_voice)
        length = round(self.before * RATE) + len(said.audio) + round(self.after * RATE)
        missing = math.ceil(length / SAMPLES_A_FRAME) * SAMPLES_A_FRAME - length
        return said.padded(self.before, self.after + missing / RATE)

    @cached_property
    def motion(self) -> Motion:
        """Everything that moves beside the lips."""
        return moving(self.seed, self.speech, self._main_emotion, gestures=self.gestures)

    @property
    def count(self) -> int:
        """Frames."""
        return len(self.speech.audio) // SAMPLES_A_FRAME

    @property
    def times(self) -> np.ndarray:
        """The time that each frame shows, float64 [count], seconds."""
        return (np.arange(self.count) + 0.5) / FPS

    def felt(self, time: float) -> Emotion:
        """The emotion at a time."""
        return self.emotion if isinstance(self.emotion, Emotion) else self.emotion(time)

    def frames(self) -> Iterator[Scene]:
        """The clip's scenes, 25 a second."""
        return self.at(self.times)

    def at(self, times: Sequence[float] | np.ndarray) -> Iterator[Scene]:
        """The scenes at any times, in seconds."""
        lips = mouth(self.speech, times, articulation(self._main_emotion))
        speaks, touch = speaking(self.speech, times), contact(self.speech, times)
        for index, time in enumerate(np.asarray(times, dtype=np.float64).tolist()):
            felt = self.felt(time)
            units = felt.action_units()
            movements = face.spoken(units, lips[index], float(speaks[index]), float(touch[index]))
            for code, value in self.motion.face(time).items():
                movements[code] = movements.get(code, 0.0) + value
            drift = self.motion.pose(time)
            yield Scene(
                identity=self.identity,
                emotion=felt,
                movements={code: round(value, 5) for code, value in movements.items()},
                style=self.style,
                pose=Pose(
                    _turned(self.pose.yaw + drift.yaw),
                    _turned(self.pose.pitch + drift.pitch),
                    _turned(self.pose.roll + drift.roll),
                ),
                light=self.light,
                background=self.background,
                frame=self.frame,
                camera=self.camera,
                body=self.motion.body(time),
            )

    @cached_property
    def _main_emotion(self) -> Emotion:
        """The only emotion; of a curve the one in the middle of the text, at about 150 words a minute."""
        return self.felt(self.before + 0.2 * len(self.text.split()))


def _turned(degrees: float) -> float:
    return max(-_FARTHEST, min(_FARTHEST, degrees))
