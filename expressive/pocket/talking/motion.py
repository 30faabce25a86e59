"""What moves while someone talks, beside the lips: blinks, gaze, head, breath, brows and hands.

Everything follows from a seed and the speech, is continuous in time, and can be asked for at any time in any order.
Rates and sizes follow what is measured of people in conversation: blinks every 2 to 6 s that last about 170 ms
(Bentivoglio et al., 1997), saccades of some 30 to 50 ms with fixations of 0.5 to 3 s, head nods and brow raises with
stressed words (Graf et al., 2002), gesture strokes on stresses (McNeill, 1992).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ...emotion import Emotion
from ...speech.spoken import Speech
from ..body import Arm, Body
from ..faces import Pose

_CLOSE, _SHUT, _OPEN = 0.055, 0.040, 0.085  # seconds of a blink; shut for one frame at 25 fps
_SACCADE = 0.045  # seconds
_DRIFT = {"yaw": 2.6, "pitch": 1.5, "roll": 1.3}  # degrees, about three standard deviations at rest
_BANDS = 4  # sinusoids of a drift, 0.08 … 0.45 Hz
_NOD = 2.6  # degrees
_BROW = 0.22  # AU1 and AU2 of an emphasis
_BREATH = 0.26  # Hz
_SWAY = 1.2  # of the head's roll
_REACH = 0.48  # seconds that a hand takes to rise, or to sink
_BEAT = 0.10  # lift of a beat

GESTURES_OF = {
    "anger": ("fist", "one", "stop"),
    "disgust": ("stop", "palm", "dislike"),
    "fear": ("palm", "stop", "relaxed"),
    "joy": ("palm", "palm", "like", "ok"),
    "neutral": ("relaxed", "palm", "one", "four"),
    "sadness": ("relaxed", "palm"),
    "surprise": ("palm", "four", "stop"),
}
"""Class → hand shapes that go with it."""

_BOTH_HANDS = ("palm", "relaxed", "four", "stop")
"""Hand shapes that both hands make at once."""


@dataclass(frozen=True)
class Look:
    """A fixation: from `start`, the eyes rest on x (picture's right > 0) and y (up > 0), −1 … 1."""

    start: float
    x: float
    y: float


@dataclass(frozen=True)
class Stroke:
    """One rise and fall of a hand, in seconds, with beats in between."""

    left: bool  # the person's own left
    gesture: str
    start: float
    end: float
    lift: float
    out: float
    turn: float
    beats: tuple[float, ...]


@dataclass(frozen=True)
class Motion:
    """The movements of one clip; see `moving`. Times are seconds."""

    blinks: tuple[float, ...]  # when each begins
    looks: tuple[Look, ...]
    drift: tuple[tuple[tuple[float, float, float], ...], ...]  # yaw, pitch, roll: (degrees, Hz, phase) each
    stresses: tuple[tuple[float, float], ...]  # time and weight
    strokes: tuple[Stroke, ...]
    breath: float  # phase

    def face(self, time: float) -> dict[str, float]:
        """Blinks, gaze and emphasis of the brows: FACS code → intensity."""
        units: dict[str, float] = {}
        lids = max((_blink(time - start) for start in self.blinks), default=0.0)
        if lids > 0:
            units["AU43"] = lids
        x, y = self.gaze(time)
        for code, value in (("AU61", x), ("AU62", -x), ("AU63", y), ("AU64", -y)):
            if value > 0:
                units[code] = value
        brows = _BROW * max((weight * _bump(time - at - 0.02, 0.20) for at, weight in self.stresses), default=0.0)
        if brows > 0:
            units["AU1"] = units["AU2"] = brows
        return units

    def gaze(self, time: float) -> tuple[float, float]:
        """Where the eyes look: x and y as in `Look`."""
        x = y = 0.0
        before = Look(-1.0, 0.0, 0.0)
        for look in self.looks:
            share = _smooth((time - look.start) / _SACCADE)
            if share <= 0:
                break
            x, y = before.x + (look.x - before.x) * share, before.y + (look.y - before.y) * share
            before = look
        return x, y

    def pose(self, time: float) -> Pose:
        """The head's offset from where it is held."""
        yaw, pitch, roll = (sum(a * math.sin(2 * math.pi * f * time + p) for a, f, p in axis) for axis in self.drift)
        nod = _NOD * sum(weight * _bump(time - at, 0.26) for at, weight in self.stresses)
        x, _ = self.gaze(time)
        return Pose(yaw + 1.5 * x, pitch - nod, roll)

    def body(self, time: float) -> Body:
        """Arms, hands, breath, and shoulders that follow the head a little."""
        return Body(
            left=self._arm(time, left=True),
            right=self._arm(time, left=False),
            sway=_SWAY * sum(amplitude * math.sin(2 * math.pi * f * time + p) for amplitude, f, p in self.drift[2]),
            breath=0.5 + 0.5 * math.sin(2 * math.pi * _BREATH * time + self.breath),
        )

    def _arm(self, time: float, left: bool) -> Arm:
        for stroke in self.strokes:
            if stroke.left == left and stroke.start < time < stroke.end:
                up = _smooth((time - stroke.start) / _REACH) * _smooth((stroke.end - time) / _REACH)
                # a beat: the hand rises a little before the stress and drops on it
                beat = sum(_bump(time - at + 0.10, 0.16) - 0.8 * _bump(time - at - 0.04, 0.14) for at in stroke.beats)
                raised = Arm(stroke.gesture, stroke.lift + _BEAT * beat, stroke.out, stroke.turn + 6 * beat)
                return Arm().blend(raised, up)
        return Arm()


def moving(seed: int | str, speech: Speech, emotion: Emotion | None = None, *, gestures: bool = True) -> Motion:
    """The movements of someone who says this and feels that (the middle of a changing emotion is enough)."""
    felt = emotion or Emotion.neutral()
    _, arousal = felt.valence_arousal()
    stresses = _stresses(speech)
    return Motion(
        blinks=_blinks(random.Random(f"blinks-{seed}"), speech.seconds),
        looks=_looks(random.Random(f"gaze-{seed}"), speech.seconds),
        drift=_drift(random.Random(f"head-{seed}"), 1.0 + 0.35 * arousal),
        stresses=tuple((time, weight * (1.0 + 0.4 * arousal)) for time, weight in stresses),
        strokes=_strokes(random.Random(f"hands-{seed}"), speech, stresses, felt) if gestures else (),
        breath=random.Random(f"breath-{seed}").uniform(0, 2 * math.pi),
    )


def _blinks(rng: random.Random, seconds: float) -> tuple[float, ...]:
    """A Poisson process with a dead time, cut to intervals of 2 … 6 s."""
    starts: list[float] = []
    time = rng.uniform(0.3, 3.0)
    while time < seconds:
        starts.append(time)
        time += min(6.0, 2.0 + rng.expovariate(1 / 1.6))
    return tuple(starts)


def _looks(rng: random.Random, seconds: float) -> tuple[Look, ...]:
    """Mostly at the viewer, with small shifts within the face looked at, and now and then away."""
    looks = [Look(-1.0, rng.gauss(0, 0.03), rng.gauss(0, 0.03))]
    time = rng.uniform(0.4, 1.6)
    while time < seconds:
        away = rng.random() < 0.22 and abs(looks[-1].x) < 0.2
        if away:
            looks.append(Look(time, rng.choice((-1, 1)) * rng.uniform(0.25, 0.6), rng.uniform(-0.35, 0.3)))
            time += rng.uniform(0.4, 1.1)
        else:
            looks.append(Look(time, rng.gauss(0, 0.05), rng.gauss(0, 0.04)))
            time += rng.uniform(0.7, 2.6)
    return tuple(looks)


def _drift(rng: random.Random, size: float) -> tuple[tuple[tuple[float, float, float], ...], ...]:
    def axis(limit: float) -> tuple[tuple[float, float, float], ...]:
        share = size * limit / 3 * math.sqrt(2 / _BANDS)  # so that the sum's standard deviation is a third of limit
        return tuple((share, rng.uniform(0.08, 0.45), rng.uniform(0, 2 * math.pi)) for _ in range(_BANDS))

    return tuple(axis(limit) for limit in _DRIFT.values())


def _stresses(speech: Speech) -> tuple[tuple[float, float], ...]:
    """Middles of stressed vowels at least 0.35 s apart, with their weights 0.4 … 1: the longer, the heavier."""
    found: list[tuple[float, float]] = []
    for phoneme in speech.phonemes:
        length = phoneme.end - phoneme.start
        middle = phoneme.start + length / 2
        if "ˈ" in phoneme.text and length > 0.07 and (not found or middle - found[-1][0] > 0.35):
            found.append((middle, min(1.0, max(0.4, length / 0.2))))
    return tuple(found)


def _strokes(
    rng: random.Random, speech: Speech, stresses: Sequence[tuple[float, float]], felt: Emotion
) -> tuple[Stroke, ...]:
    """Gesture phrases: a hand rises for a stress, beats on the next ones, and sinks again."""
    _, arousal = felt.valence_arousal()
    shapes = GESTURES_OF[felt.nearest_text7()]
    chance = min(1.0, max(0.15, 0.6 + 0.6 * arousal))
    strokes: list[Stroke] = []
    free = 0.0
    for index, (time, _) in enumerate(stresses):
        if time - _REACH < free or rng.random() > chance:
            continue
        beats = [at for at, _ in stresses[index : index + rng.randint(1, 4 if arousal > 0 else 2)]]
        end = min(beats[-1] + 0.35 + _REACH, max(speech.seconds, beats[-1] + _REACH))
        side = rng.random() < 0.4  # most people's leading hand is the right
        shape, lift, out = rng.choice(shapes), rng.uniform(0.4, 0.72) + 0.1 * arousal, rng.uniform(-0.1, 0.5)
        both = shape in _BOTH_HANDS and rng.random() < 0.35
        for left in (side, not side) if both else (side,):
            strokes.append(Stroke(left, shape, time - _REACH, end, lift, out, rng.uniform(-12, 12), tuple(beats)))
        free = end + 0.1 + rng.uniform(0.2, 1.0) * (1.0 - arousal)
    return tuple(strokes)


def _blink(age: float) -> float:
    """How far the lids are closed `age` seconds into a blink: 0 … 1."""
    return min(_smooth(age / _CLOSE), _smooth((_CLOSE + _SHUT + _OPEN - age) / _OPEN))


def _bump(away: float, half: float) -> float:
    """A smooth hill of height 1 and half-width `half` around 0."""
    return 0.5 * (1 + math.cos(math.pi * away / half)) if abs(away) < half else 0.0


def _smooth(x: float) -> float:
    """0 up to 0, 1 from 1 on, level at both ends."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
