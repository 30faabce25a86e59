"""Contact sheets of the drawn world: who can be drawn, and what they can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..contact_sheet.sheet import contact_sheet
from ..contact_sheet.style import SheetStyle
from ..emotion import Emotion, vocabulary
from .body import GESTURES, Body
from .faces import BACKGROUNDS, HAIR_STYLES, Identity, Pose, balanced
from .scene import STYLES, Light, Scene, picture
from .scene.overlay import depth_picture, overlay
from .scene.sampling import random_emotion, random_scene
from .scene.truth import truth

HELD_OUT = 1_000_000  # the sheets show people that nothing was trained on
TURNS = (-30, -15, 0, 15, 30)  # degrees


def _batch(scenes: Sequence[Scene], size: int) -> Tensor:
    return torch.stack([torch.tensor(picture(scene, size)) for scene in scenes]).float() / 255  # [N,H,W,3]


def _person(number: int, emotion: Emotion | None = None) -> Scene:
    return Scene(Identity.sample(HELD_OUT + number), emotion or Emotion.neutral(), background=number % len(BACKGROUNDS))


def people(size: int) -> Tensor:
    """The 56 people of one round of the balanced sampler."""
    drawn = list(balanced(56, first_seed=HELD_OUT))
    scenes = [Scene(who, style=STYLES[i % len(STYLES)], background=i % len(BACKGROUNDS)) for i, who in enumerate(drawn)]
    labels = [f"{who.age}, {who.race}" for who in drawn]
    title = "Balanced over gender, race and age; hair, eyes, glasses, beards and clothes from the seed"
    return contact_sheet([_batch(scenes, size)], labels, columns=8, title=title)


def expressions(size: int) -> Tensor:
    """PixelSmile's 12 expressions in every style."""
    words = ["neutral", *(word.word for word in vocabulary.pixelsmile())]
    felt = [Emotion.neutral(), *(Emotion.of(word.id) for word in vocabulary.pixelsmile())]
    batches = [
        _batch([replace(_person(7 * row + 3, emotion), style=style) for emotion in felt], size)
        for row, style in enumerate(STYLES)
    ]
    title = "PixelSmile's twelve expressions at full intensity"
    return contact_sheet(batches, words, rows=len(STYLES), row_labels=list(STYLES), title=title)


def emotions(size: int) -> Tensor:
    """All 135 words, in the order of Shaver's tree."""
    words = vocabulary.emo135()
    scenes = [
        replace(_person(i % 9, Emotion.of(word.id)), style=STYLES[i % len(STYLES)]) for i, word in enumerate(words)
    ]
    title = "The 135 emotions, drawn from their action units"
    return contact_sheet([_batch(scenes, size)], [word.word for word in words], columns=15, title=title)


def intensities(size: int) -> Tensor:
    """An expression from none to more than full."""
    words, steps = ("happy", "angry", "surprised", "sad"), (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
    batches = [
        _batch([replace(_person(5, Emotion.of(f"pixelsmile.{word}", step)), style=style) for step in steps], size)
        for word, style in zip(words, STYLES, strict=True)
    ]
    labels = [f"α = {step:g}" for step in steps]
    return contact_sheet(batches, labels, rows=4, row_labels=words, title="Any intensity", style=SheetStyle())


def poses(size: int) -> Tensor:
    """Yaw against pitch for one person, then roll."""
    who = _person(11, Emotion.of("pixelsmile.happy", 0.5))
    rows = [[replace(who, pose=Pose(yaw=yaw, pitch=pitch)) for yaw in TURNS] for pitch in (30, 15, 0, -15, -30)]
    rows.append([replace(who, pose=Pose(roll=roll)) for roll in TURNS])
    names = [*(f"pitch {pitch}°" for pitch in (30, 15, 0, -15, -30)), "roll"]
    labels = [f"{turn}°" for turn in TURNS]
    batches = [_batch(row, size) for row in rows]
    return contact_sheet(batches, labels, rows=6, row_labels=names, title="Head pose: yaw from left to right")


def lights(size: int) -> Tensor:
    """Light from the sides, from above and below, cold and warm."""
    kinds = {
        "even": Light(),
        "from the left": Light(-70, 20, 0.9),
        "from the right": Light(70, 20, 0.9),
        "from above": Light(0, 60, 0.9),
        "from below": Light(0, -10, 0.9),
        "cold": Light(-40, 30, 0.6, -0.8),
        "warm": Light(40, 30, 0.6, 0.8),
    }
    batches = [
        _batch([replace(_person(4 + 5 * row), style=style, light=light) for light in kinds.values()], size)
        for row, style in enumerate(STYLES)
    ]
    return contact_sheet(batches, list(kinds), rows=len(STYLES), row_labels=list(STYLES), title="Light")


def hair(size: int) -> Tensor:
    """Every hair style in every style."""
    who = [Identity.sample(HELD_OUT + 40 + i, hair_style=style) for i, style in enumerate(HAIR_STYLES)]
    batches = [
        _batch([Scene(one, style=style, pose=Pose(yaw=8), background=2) for one in who], size) for style in STYLES
    ]
    return contact_sheet(batches, HAIR_STYLES, rows=len(STYLES), row_labels=list(STYLES), title="Hair")


def gestures(size: int) -> Tensor:
    """Every gesture in every style."""
    batches = [
        _batch(
            [
                replace(_person(3 * i + row), style=style, frame="upper_body", body=Body().gesturing(gesture))
                for i, gesture in enumerate(GESTURES)
            ],
            size,
        )
        for row, style in enumerate(STYLES)
    ]
    return contact_sheet(batches, GESTURES, rows=len(STYLES), row_labels=list(STYLES), title="Gestures of HaGRID")


def backgrounds(size: int) -> Tensor:
    """Every background in two styles."""
    numbers = range(len(BACKGROUNDS))
    batches = [
        _batch([replace(_person(8), style=style, background=i) for i in numbers], size)
        for style in ("portrait", "anime")
    ]
    return contact_sheet(batches, [str(i) for i in numbers], rows=2, title="Backgrounds")


def truths(size: int) -> Tensor:
    """What is known of a picture: landmarks, depth, person."""
    scenes = [
        random_scene(f"truth-{i}", Identity.sample(HELD_OUT + 60 + i), random_emotion(f"truth-{i}"), frame=frame)
        for i, frame in enumerate(("face",) * 5 + ("upper_body",) * 3)
    ]
    known = [truth(scene, size) for scene in scenes]
    rows = [
        [picture(scene, size) for scene in scenes],
        [overlay(picture(scene, size), one.landmarks, size=size) for scene, one in zip(scenes, known, strict=True)],
        [depth_picture(one.depth, size) for one in known],
    ]
    batches = [torch.stack([torch.tensor(one) for one in row]).float() / 255 for row in rows]
    labels = ["picture", "553 landmarks", "depth"]
    return contact_sheet(batches, rows=3, row_labels=labels, title="The truth about a picture, in MediaPipe's order")


SHEETS: dict[str, tuple[Callable[[int], Tensor], int]] = {
    "people": (people, 160),
    "expressions": (expressions, 160),
    "emotions": (emotions, 112),
    "intensities": (intensities, 160),
    "poses": (poses, 176),
    "lights": (lights, 160),
    "hair": (hair, 144),
    "gestures": (gestures, 176),
    "backgrounds": (backgrounds, 144),
    "truths": (truths, 224),
}
"""Name → what draws it, and the pictures' size in pixels."""


def save_sheets(folder: Path, names: Sequence[str] = tuple(SHEETS)) -> list[Path]:
    """Draw sheets into `folder` as NAME.jpg."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        draw, size = SHEETS[name]
        pixels = (draw(size)[0] * 255).round().byte().numpy()
        file = folder / f"{name}.jpg"
        Image.fromarray(pixels).save(file, quality=86)
        written.append(file)
    return written
