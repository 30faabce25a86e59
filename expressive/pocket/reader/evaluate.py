"""How well a reader reads people that it was never trained on."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from ...emotion import vocabulary
from ...metrics.ffe_bench import pearson
from ..faces import STYLES
from ..scene import FRAMES
from ..scene.overlay import overlay
from ..scene.truth import FACE
from ..training.collection import Collection
from ..training.device import device_of
from . import attributes
from .labels import Labels
from .losses import inter_ocular
from .net import FaceReaderNet, Reading
from .train import read_all
from .verification import equal_error_rate, verification_pairs

STRONG = 0.6  # from this intensity on the dominant expression counts
_PAIRED = 3600  # pictures whose pairs are compared at most

Figures = dict[str, Any]


def held_out_figures(net: FaceReaderNet, collection: Collection, labels: Labels | None = None) -> Figures:
    """All figures over held-out people. Those of the first level are over faces that fill the picture; `upper_body`
    holds the same over upper bodies, `style` the chief ones by style.

    dominant: share of pictures of one of the 12 expressions at intensity ≥ 0.6 in which it is the strongest read.
    intensity_r: Pearson's r between the shown and the read intensity of that expression, over pictures that show one
    of the 12 at any intensity; intensity_r_all: over all 12 intensities of all pictures.
    eer_expressions: equal error rate between pictures of one style; eer_styles: between pictures of two styles; the
    expression, pose, light and background differ in both.
    landmarks: mean distance of the 478 points of the face as a share of the distance between the outer corners of the
    eyes; landmarks_seen: of those that can be seen; body, hands: the same of the other points that can be seen.
    top1, top5: over pictures of one of the 135 words. action_units: mean absolute error. depth: mean absolute error.
    visibility: share of the 553 points rightly told to be seen or not. caption_top1: share of pictures whose own
    caption is the nearest of 64. age_years: mean absolute error. One accuracy for each of attributes.CLASSES.
    """
    labels = labels or Labels.of(collection)
    reading = read_all(net, collection.pictures)
    frame = labels.attributes[:, list(attributes.CLASSES).index("frame")].numpy()
    style = np.array(collection.style)
    found: Figures = {"pictures": len(collection), "people": len(np.unique(collection.identity))}
    for index, name in enumerate(FRAMES):
        rows = np.flatnonzero(frame == index)
        if len(rows):
            figures = _figures(net, reading[torch.from_numpy(rows)], labels[torch.from_numpy(rows)], style[rows])
            found |= figures if name == "face" else {name: figures}
    faces = np.flatnonzero(frame == list(FRAMES).index("face"))
    found["style"] = {
        name: _chief(reading[torch.from_numpy(rows)], labels[torch.from_numpy(rows)])
        for index, name in enumerate(STYLES)
        if len(rows := faces[style[faces] == index])
    }
    return found


def _figures(net: FaceReaderNet, reading: Reading, labels: Labels, style: np.ndarray) -> Figures:
    found: Figures = {**_chief(reading, labels)}
    person = labels.person.numpy()[:_PAIRED]
    embeddings = reading.identity.numpy()[:_PAIRED]
    for name, across in (("eer_expressions", False), ("eer_styles", True)):
        same, different = verification_pairs(embeddings, person, style[:_PAIRED], across=across)
        if len(same) and len(different):
            found[name], found[f"{name}_threshold"] = equal_error_rate(same, different)
            found[f"{name}_different_99"] = float(np.quantile(different, 0.99))
    true = labels.landmarks.float()
    distance = (reading.landmarks - true[..., :2]).norm(dim=-1) / inter_ocular(true)[:, None]  # [N,553]
    for name, part in (
        ("landmarks_seen", slice(0, FACE)),
        ("body", slice(FACE, FACE + 33)),
        ("hands", slice(-42, None)),
    ):
        seen = true[:, part, 2] > 0.5
        if bool(seen.any()):
            found[name] = float(distance[:, part][seen].mean())
    found["visibility"] = float(((reading.visibility > 0) == (true[..., 2] > 0.5)).float().mean())
    named = labels.emo135 >= 0
    if bool(named.any()):
        ranked = reading.emo135[named].topk(5, dim=1).indices == labels.emo135[named, None]
        found |= {"top1": float(ranked[:, 0].float().mean()), "top5": float(ranked.any(1).float().mean())}
    found["action_units"] = float((reading.action_units - labels.action_units).abs().mean())
    found["depth"] = float((reading.depth - labels.depth.float()).abs().mean())
    found["presence"] = float((reading.presence > 0).float().mean())
    found["caption_top1"] = _caption_accuracy(net, reading, labels)
    years = attributes.years(reading.proportions.numpy()) - attributes.years(labels.proportions.numpy())
    found["age_years"] = float(np.abs(years).mean())
    for index, (name, values) in enumerate(attributes.CLASSES.items()):
        logits = reading.attributes.split([len(v) for v in attributes.CLASSES.values()], dim=1)[index]
        if len(values) > 1 and name != "frame":
            found[name] = float((logits.argmax(1) == labels.attributes[:, index]).float().mean())
    return found


def _chief(reading: Reading, labels: Labels) -> Figures:
    """The figures that are cheap and need few pictures."""
    found: Figures = {}
    shown, strong = labels.dominant >= 0, (labels.dominant >= 0) & (labels.strength >= STRONG)
    if bool(strong.any()):
        right = reading.intensities[strong].argmax(1) == labels.dominant[strong]
        found["dominant"] = float(right.float().mean())
    if bool(shown.any()):
        own = labels.dominant[shown, None]
        read, true = (x[shown].gather(1, own)[:, 0] for x in (reading.intensities, labels.intensities))
        found["intensity_r"] = pearson(read.numpy(), true.numpy())
    found["intensity_r_all"] = pearson(reading.intensities.numpy().ravel(), labels.intensities.numpy().ravel())
    true = labels.landmarks[:, :FACE].float()
    distance = (reading.landmarks[:, :FACE] - true[..., :2]).norm(dim=-1).mean(1)
    found["landmarks"] = float((distance / inter_ocular(true)).mean())
    return found


@torch.no_grad()
def _caption_accuracy(net: FaceReaderNet, reading: Reading, labels: Labels, pool: int = 64) -> float:
    device = device_of(net)
    order = random.Random("captions").sample(range(len(labels)), len(labels) // pool * pool)
    right: list[bool] = []
    for start in range(0, len(order), pool):
        rows = torch.tensor(order[start : start + pool])
        texts = net.read_texts(labels.captions[rows, 0].long().to(device)).cpu()
        nearest = (reading.image[rows] @ texts.T).argmax(1)
        right += (labels.captions[rows, 0] == labels.captions[rows[nearest], 0]).all(1).tolist()
    return float(np.mean(right)) if right else 0.0


def reading_rows(net: FaceReaderNet, collection: Collection, count: int = 24, side: int = 256) -> list[np.ndarray]:
    """Pictures to look at, spread over the collection, with the landmarks that were read; below them the depth that
    was read, near in white. Rows of eight: uint8 [8,side,side,3]."""
    rows = np.linspace(0, len(collection) - 1, count).astype(int)
    reading = read_all(net, collection.pictures[rows])
    points = torch.cat((reading.landmarks, (reading.visibility > 0).float()[..., None]), dim=-1)
    for hand in (points[:, -42:-21], points[:, -21:]):
        hand[hand[..., 2].mean(1) < 0.5] = 0
    shown = np.stack(
        [overlay(*pair, size=side) for pair in zip(collection.pictures[rows], points.numpy(), strict=True)]
    )
    near = F.interpolate(1 - reading.depth[:, None], (side, side), mode="nearest")[:, 0]
    depth = (near * 255).round().byte().numpy()[..., None].repeat(3, -1)
    return [part[i : i + 8] for i in range(0, count, 8) for part in (shown, depth)]


def confusion(net: FaceReaderNet, collection: Collection, labels: Labels) -> dict[str, str]:
    """Expression → the one that it is most often taken for, at intensity ≥ 0.6; empty where it never is."""
    rows = torch.nonzero((labels.dominant >= 0) & (labels.strength >= STRONG))[:, 0]
    answers = read_all(net, collection.pictures[rows.numpy()]).intensities.argmax(1)
    names, wanted = [word.word for word in vocabulary.pixelsmile()], labels.dominant[rows]
    return {name: _usual_error(answers[wanted == i].numpy(), i, names) for i, name in enumerate(names)}


def _usual_error(answers: np.ndarray, right: int, names: list[str]) -> str:
    wrong = answers[answers != right]
    return names[int(np.bincount(wrong).argmax())] if len(wrong) else ""
