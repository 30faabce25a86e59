"""How well a pocket base edits people that it never saw, read off by drawing: no learned judge.

A generated face is *read* by comparison with drawings of the same person at all expressions and intensities. The
drawings pass through the auto-encoder first, so that its blur is on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..faces import Identity
from ..latents import denormalise, normalise
from ..model import PocketEdit
from ..scene import picture as scene_picture
from . import people as drawn
from .captions import prompt
from .device import bf16, device_of
from .people import EXPRESSIONS, HELD_OUT
from .vae import EYES, MOUTH, decode_latents, encode_pictures

INTENSITIES = (0.25, 0.5, 0.75, 1.0, 1.25)
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


@dataclass(frozen=True)
class Chart:
    """All faces of one person: neutral, then the 12 expressions at each intensity, as the auto-encoder shows them."""

    faces: np.ndarray  # float32 [1 + 12 · I, features]
    expression: np.ndarray  # [1 + 12 · I]
    intensity: np.ndarray  # [1 + 12 · I]

    @staticmethod
    def of(edit: PocketEdit, seed: int, intensities: Sequence[float] = INTENSITIES) -> Chart:
        planned = [(0, 0.0)] + [(e, i) for e in range(1, len(EXPRESSIONS)) for i in intensities]
        pictures = np.stack([drawn.picture(seed, EXPRESSIONS[e], i, edit.config.size) for e, i in planned])
        seen = decode_latents(edit.vae, encode_pictures(edit.vae, pictures))
        return Chart(features(seen), *(np.array(column) for column in zip(*planned, strict=True)))

    def read(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 [N,H,W,3] → index of the nearest expression [N] and its intensity [N]."""
        distances = np.square(features(pictures)[:, None] - self.faces[None]).sum(-1)
        nearest = distances.argmin(1)
        return self.expression[nearest], self.intensity[nearest]

    def projected(self, pictures: np.ndarray, expression: int) -> np.ndarray:
        """Intensity [N] by projection on the line from the neutral face (0) to the expression at intensity 1."""
        full = self.faces[(self.expression == expression) & (self.intensity == 1.0)][0]
        axis = full - self.faces[0]
        return (features(pictures) - self.faces[0]) @ axis / (axis @ axis)


def features(pictures: np.ndarray) -> np.ndarray:
    """Pixels of eyes with brows and of the mouth, at half size: float32 [N, features]."""
    parts = []
    for left, top, right, bottom in (EYES, MOUTH):
        height, width = pictures.shape[1:3]
        crop = pictures[:, round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
        crop = crop[:, : crop.shape[1] // 2 * 2, : crop.shape[2] // 2 * 2].astype(np.float32)
        halved = crop.reshape(len(crop), crop.shape[1] // 2, 2, crop.shape[2] // 2, 2, 3).mean((2, 4))
        parts.append(halved.reshape(len(crop), -1))
    return np.concatenate(parts, axis=1)


def subject(seed: int) -> str:
    """'character' for a person who is drawn flat, else 'person'."""
    return "character" if drawn.is_character(seed) else "person"


@torch.no_grad()
def edits(edit: PocketEdit, seed: int, contexts: Tensor, steps: int = 12) -> np.ndarray:
    """Edits of one person's neutral drawing with contexts [N, tokens, width], all from one noise: uint8 [N,H,W,3]."""
    neutral = drawn.picture(seed, "neutral", 0.0, edit.config.size)
    reference = normalise(encode_pictures(edit.vae, neutral[None])).expand(len(contexts), -1, -1, -1)
    noise = torch.randn(reference[:1].shape, generator=torch.Generator().manual_seed(seed)).expand_as(reference)
    device = device_of(edit.transformer)
    with bf16(device):
        latents = edit.sample(contexts.to(device), reference.to(device), noise.to(device), steps)
    return decode_latents(edit.vae, denormalise(latents))


@torch.no_grad()
def expression_sheet(edit: PocketEdit, seeds: Sequence[int], steps: int = 12) -> list[np.ndarray]:
    """One row for each person: the neutral drawing, then its edits to neutral and the 12 expressions."""
    rows = []
    for seed in seeds:
        contexts = edit.encode_prompts([prompt(word, subject(seed)) for word in EXPRESSIONS])
        source = drawn.picture(seed, "neutral", 0.0, edit.config.size)
        rows.append(np.concatenate((source[None], edits(edit, seed, contexts, steps))))
    return rows


@torch.no_grad()
def alpha_strip(
    edit: PocketEdit, seed: int, word: str, alphas: Sequence[float] = ALPHAS, steps: int = 12
) -> np.ndarray:
    """Edits with the context neutral + α (word − neutral), one for each α: uint8 [N,H,W,3]."""
    neutral, target = edit.encode_prompts([prompt("neutral", subject(seed)), prompt(word, subject(seed))])
    return edits(edit, seed, torch.stack([neutral + a * (target - neutral) for a in alphas]), steps)


def held_out_figures(edit: PocketEdit, people: int = 24, first: int = HELD_OUT, steps: int = 12) -> dict[str, object]:
    """Figures over people that were never trained on, all edited from their neutral drawing.

    accuracy: share of edits read as the expression that was asked for; accuracy_of: the same per expression.
    confused_with: the most frequent wrong reading per expression. intensity: mean read intensity of right readings.
    identity: share of edits whose surroundings (everything but eyes and mouth) are nearest to the source among 50.
    outside_psnr: dB between source and edit outside of eyes and mouth.
    alpha_monotone: share of steps of α = 0 … 1.25 (neutral → happy) at which the projected intensity rises.
    alpha_intensity: mean projected intensity at each α.
    """
    seeds = range(first, first + people)
    read, strength, same, outside, rises, levels = [], [], [], [], [], []
    happy = EXPRESSIONS.index("happy")
    for seed in seeds:
        chart = Chart.of(edit, seed)
        contexts = edit.encode_prompts([prompt(word, subject(seed)) for word in EXPRESSIONS[1:]])
        pictures = edits(edit, seed, contexts, steps)
        found, intensity = chart.read(pictures)
        read.append(found)
        strength.append(intensity)
        source = drawn.picture(seed, "neutral", 0.0, edit.config.size)
        here = drawn.scene_of(seed)  # the others stand where the person stands, so that nothing but the person counts
        others = [
            scene_picture(replace(here, identity=Identity.sample(first + 500 + i)), edit.config.size) for i in range(50)
        ]
        crowd = np.stack((source, *others))
        same += [bool(_distances(one, crowd).argmin() == 0) for one in pictures]
        outside += [float(20 * np.log10(255 / max(_distances(one, source[None])[0] ** 0.5, 1e-3))) for one in pictures]
        level = chart.projected(alpha_strip(edit, seed, "happy", steps=steps), happy)
        levels.append(level)
        rises += list(np.diff(level) > 0)
    answers, wanted = np.stack(read), np.arange(1, len(EXPRESSIONS))[None]
    right = answers == wanted
    return {
        "people": people,
        "steps": steps,
        "accuracy": float(right.mean()),
        "accuracy_of": {EXPRESSIONS[i + 1]: float(right[:, i].mean()) for i in range(right.shape[1])},
        "confused_with": {EXPRESSIONS[i + 1]: _usual_error(answers[:, i], i + 1) for i in range(right.shape[1])},
        "intensity": float(np.stack(strength)[right].mean()) if right.any() else 0.0,
        "identity": float(np.mean(same)),
        "outside_psnr": float(np.mean(outside)),
        "alpha": list(ALPHAS),
        "alpha_monotone": float(np.mean(rises)),
        "alpha_intensity": [float(x) for x in np.mean(levels, axis=0)],
    }


def _distances(one: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """Mean squared difference outside of eyes and mouth, uint8 [H,W,3] against [N,H,W,3]: [N]."""
    keep = np.ones(one.shape[:2], dtype=bool)
    for left, top, right, bottom in (EYES, MOUTH):
        height, width = one.shape[:2]
        keep[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = False
    return np.square(crowd[:, keep].astype(np.float32) - one[keep]).mean((1, 2))


def _usual_error(answers: np.ndarray, wanted: int) -> str:
    wrong = answers[answers != wanted]
    return EXPRESSIONS[np.bincount(wrong).argmax()] if len(wrong) else ""
