"""What a face reader says of generated pictures: did the model make what was asked for, and is it the same person?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..emotion import vocabulary
from .reader import attributes
from .reader.net import Reading
from .reader.reader import FaceReader
from .reader.train import read_all
from .scene import Scene

WORDS: tuple[str, ...] = tuple(word.word for word in vocabulary.pixelsmile())
NEUTRAL_BELOW = 0.2
"""A face of which no expression is read above this intensity counts as neutral."""


def read(reader: FaceReader, pictures: np.ndarray) -> Reading:
    """The reading of uint8 [N,H,W,3], on the CPU."""
    return read_all(reader.net, pictures)


def expressions(reading: Reading) -> list[str]:
    """The dominant expression of each picture, "neutral" where none is read above NEUTRAL_BELOW."""
    strength, which = reading.intensities.max(dim=1)
    read_as = zip(strength.tolist(), which.tolist(), strict=True)
    return [WORDS[index] if value > NEUTRAL_BELOW else "neutral" for value, index in read_as]


def attribute(reading: Reading, name: str) -> list[str]:
    """The value that is read of one of attributes.CLASSES, for each picture."""
    place = list(attributes.CLASSES).index(name)
    logits = reading.attributes.split([len(values) for values in attributes.CLASSES.values()], dim=1)[place]
    return [attributes.CLASSES[name][index] for index in logits.argmax(1).tolist()]


def text_to_picture(reader: FaceReader, pictures: np.ndarray, scenes: Sequence[Scene]) -> dict[str, float]:
    """Shares of pictures uint8 [N,H,W,3] that show what scenes [N] do: expression, gender, hair colour, glasses, style.

    expression: among those whose scene shows one of the 12. neutral: among those whose scene shows none. glasses: worn
    or not.
    """
    reading = read(reader, pictures)
    asked = [scene.emotion.nearest_pixelsmile() for scene in scenes]
    found = expressions(reading)
    right = np.array([a == b for a, b in zip(asked, found, strict=True)])
    felt = np.array([word != "neutral" for word in asked])
    wanted = {
        "gender": [scene.identity.gender for scene in scenes],
        "hair": [scene.identity.hair_name for scene in scenes],
        "style": [scene.style for scene in scenes],
        "race": [scene.identity.race for scene in scenes],
    }
    shares = {
        name: float(np.mean([a == b for a, b in zip(values, attribute(reading, name), strict=True)]))
        for name, values in wanted.items()
    }
    worn = [(scene.identity.glasses != "none") for scene in scenes]
    seen = [glasses != "none" for glasses in attribute(reading, "glasses")]
    return {
        "expression": float(right[felt].mean()) if felt.any() else float("nan"),
        "neutral": float(right[~felt].mean()) if (~felt).any() else float("nan"),
        "glasses": float(np.mean([a == b for a, b in zip(worn, seen, strict=True)])),
        **shares,
    }


@dataclass(frozen=True)
class EditFigures:
    """accuracy: share of edits read as the word that was asked for; accuracy_of: the same for each word.

    kept: share of edits more similar to their source than 99 % of edits are to another person's source (`threshold`).
    similarity: mean cosine between source and edit. taken_for: word → its most frequent wrong reading.
    """

    accuracy: float
    accuracy_of: dict[str, float]
    taken_for: dict[str, str]
    kept: float
    threshold: float
    similarity: float


def edits(reader: FaceReader, sources: np.ndarray, edited: np.ndarray, words: Sequence[str] = WORDS) -> EditFigures:
    """Judge edits uint8 [people, words, H, W, 3] of sources uint8 [people, H, W, 3], at least two people."""
    people, each = edited.shape[:2]
    source = read(reader, sources).identity  # [P,D]
    reading = read(reader, edited.reshape(-1, *edited.shape[2:]))
    answers = np.array(expressions(reading)).reshape(people, each)
    right = answers == np.array(words)[None]
    cosines = torch.einsum("sd,pwd->spw", source, reading.identity.unflatten(0, (people, each))).numpy()
    own = np.eye(people, dtype=bool)
    threshold = float(np.quantile(cosines[~own], 0.99))  # [P·(P−1), words] of other people
    return EditFigures(
        accuracy=float(right.mean()),
        accuracy_of={word: float(right[:, i].mean()) for i, word in enumerate(words)},
        taken_for={word: _usual(answers[~right[:, i], i]) for i, word in enumerate(words)},
        kept=float((cosines[own] > threshold).mean()),
        threshold=threshold,
        similarity=float(cosines[own].mean()),
    )


def stylized(reader: FaceReader, sources: np.ndarray, made: np.ndarray, style: str) -> dict[str, float]:
    """How many avatars uint8 [N,H,W,3] of N ≥ 2 different people's pictures [N,H,W,3] keep what they should, as shares.

    expression: read as what the source is read as. identity: more similar to their source than 99 % of avatars are to
    another person's. style: read as `style`. similarity: the mean cosine to the source, no share.
    """
    source, found = read(reader, sources), read(reader, made)
    cosines = (found.identity @ source.identity.T).numpy()  # [N avatars, N people]
    own = np.eye(len(made), dtype=bool)
    threshold = float(np.quantile(cosines[~own], 0.99))
    alike = [a == b for a, b in zip(expressions(source), expressions(found), strict=True)]
    return {
        "expression": float(np.mean(alike)),
        "identity": float((cosines[own] > threshold).mean()),
        "style": float(np.mean([name == style for name in attribute(found, "style")])),
        "similarity": float(cosines[own].mean()),
    }


def _usual(answers: np.ndarray) -> str:
    values, counts = np.unique(answers, return_counts=True)
    return str(values[counts.argmax()]) if len(values) else ""
