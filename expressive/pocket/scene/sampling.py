"""Random scenes: the same person as seen on another day."""

from __future__ import annotations

import random
from dataclasses import replace

from ...emotion import Emotion, vocabulary
from ..body import GESTURES, Arm, Body
from ..body.body import PRESENTED
from ..faces import BACKGROUNDS, STYLES, Identity, Pose
from .scene import Camera, Light, Scene

POSE_LIMIT = 30.0  # degrees


def random_scene(
    seed: int | str,
    identity: Identity,
    emotion: Emotion | None = None,
    *,
    styles: tuple[str, ...] = STYLES,
    frame: str = "face",
    spread: tuple[float, float, float] = (11.0, 6.0, 4.0),
    lit: float = 0.5,
    looking: float = 0.3,
    moved: float = 0.05,
    gestures: float = 0.75,
) -> Scene:
    """A scene of this person with everything else drawn from `seed`.

    spread: standard deviations of yaw, pitch and roll in degrees, cut at ±30. lit: share of scenes with light from a
    side. looking: share that do not look at the viewer. moved: standard deviation of the camera's shift and zoom.
    gestures: share of upper bodies that lift a hand (one in five of them both).
    """
    rng = random.Random(f"scene-{seed}")
    yaw, pitch, roll = (max(-POSE_LIMIT, min(POSE_LIMIT, rng.gauss(0.0, sd))) for sd in spread)
    light = Light()
    if rng.random() < lit:
        light = Light(rng.uniform(-80, 80), rng.uniform(-10, 60), rng.uniform(0.2, 0.9), rng.uniform(-0.4, 0.4))
    movements: dict[str, float] = {}
    if rng.random() < looking:
        movements[rng.choice(("AU61", "AU62"))] = rng.uniform(0.1, 0.9)
        movements[rng.choice(("AU63", "AU64"))] = rng.uniform(0.0, 0.6)
    camera = Camera(
        x=_cut(rng.gauss(0.0, moved), 0.12),
        y=_cut(rng.gauss(0.0, moved * 0.7), 0.08),
        zoom=1.0 + _cut(rng.gauss(0.0, moved * 1.4), 0.15),
    )
    body = Body()
    if frame == "upper_body" and rng.random() < gestures:
        both = rng.random() < 0.2
        first = rng.random() < 0.5
        body = Body(
            left=_arm(rng) if both or first else Arm(),
            right=_arm(rng) if both or not first else Arm(),
        )
    return Scene(
        identity=identity,
        emotion=emotion or Emotion.neutral(),
        movements=movements,
        style=rng.choice(styles),
        pose=Pose(yaw, pitch, roll),
        light=light,
        background=rng.randrange(len(BACKGROUNDS)),
        frame=frame,
        camera=camera,
        body=body,
    )


def random_emotion(seed: int | str, words: tuple[str, ...] = ("neutral", "pixelsmile", "emo135", "blend")) -> Emotion:
    """An emotion of one of these kinds, drawn from `seed`.

    neutral; one of PixelSmile's 12 at intensity 0.1 … 1.25; one of the 135 at 0.4 … 1.1; or two of the 12 that add up
    to 0.5 … 1.1.
    """
    rng = random.Random(f"emotion-{seed}")
    kind = rng.choice(words)
    twelve = vocabulary.pixelsmile()
    if kind == "pixelsmile":
        return Emotion.of(rng.choice(twelve).id, rng.uniform(0.1, 1.25))
    if kind == "emo135":
        return Emotion.of(rng.choice(vocabulary.emo135()).id, rng.uniform(0.4, 1.1))
    if kind == "blend":
        first, second = rng.sample(twelve, 2)
        total, share = rng.uniform(0.5, 1.1), rng.uniform(0.25, 0.75)
        return Emotion.of(first.id, total * share) + Emotion.of(second.id, total * (1 - share))
    return Emotion.neutral()


def _arm(rng: random.Random) -> Arm:
    """A gesture as it is shown to the viewer, moved a little; one in six hands is held anywhere."""
    gesture = rng.choice(GESTURES[1:])
    if rng.random() < 1 / 6:
        return Arm(gesture, lift=rng.uniform(0.3, 1.0), out=rng.uniform(-0.2, 0.8), turn=rng.uniform(-20, 20))
    shown = PRESENTED[gesture]
    return replace(
        shown,
        lift=shown.lift + rng.uniform(-0.06, 0.06),
        out=shown.out + rng.uniform(-0.08, 0.08),
        turn=shown.turn + rng.uniform(-10, 10),
    )


def _cut(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
