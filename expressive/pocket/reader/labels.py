"""What the losses want to know of a collection: its truth as tensors, people as classes, captions as tokens."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from .. import text
from ..captions import caption
from ..training.collection import Collection
from . import attributes


@dataclass(frozen=True)
class Labels:
    """Of N pictures, or of a batch of them; see `Collection` and `Reading` for units.

    person: int64 [N], 0 … people − 1. dominant: int64 [N], the strongest of the 12 expressions where one word of the 12
    is shown alone, else −1. strength: float32 [N], the emotion's intensity. captions: int16 [N,K,77] token ids, 0 after
    the end.
    """

    person: Tensor
    intensities: Tensor
    dominant: Tensor
    strength: Tensor
    emo135: Tensor
    action_units: Tensor
    landmarks: Tensor
    depth: Tensor
    attributes: Tensor
    proportions: Tensor
    captions: Tensor

    @classmethod
    def of(cls, collection: Collection, captions: int = 4) -> Labels:
        """Everything that is known of a collection, with `captions` captions for each picture.

        Raises ValueError for a collection that was drawn without its truth.
        """
        count = len(collection)
        if len(collection.landmarks) != count:
            raise ValueError(f"The reader learns from the truth, but these {count} pictures were drawn without it.")
        dominant, strength = np.full(count, -1), np.zeros(count, np.float32)
        classes = np.zeros((count, len(attributes.CLASSES)), np.int64)
        numbers = np.zeros((count, attributes.PROPORTIONS), np.float32)
        tokens = np.zeros((count, captions, text.MAX_TOKENS), np.int16)
        for index in range(count):
            scene = collection.scene(index)
            weights = scene.emotion.weights
            if len(weights) == 1 and weights[0][0].startswith("pixelsmile."):
                dominant[index] = int(collection.intensities[index].argmax())
            strength[index] = scene.emotion.intensity
            classes[index] = attributes.class_indices(scene)
            numbers[index] = attributes.proportions(scene.identity)
            rng = random.Random(f"reader-captions-{index}")
            for place in range(captions):
                ids = tokens_of(caption(scene, rng))
                tokens[index, place, : len(ids)] = ids
        people = np.unique(collection.identity, return_inverse=True)[1]
        return cls(
            person=torch.from_numpy(people.reshape(-1)),
            intensities=torch.from_numpy(np.array(collection.intensities)),
            dominant=torch.from_numpy(dominant),
            strength=torch.from_numpy(strength),
            emo135=torch.from_numpy(np.array(collection.label)),
            action_units=torch.from_numpy(np.array(collection.action_units)),
            landmarks=torch.from_numpy(np.array(collection.landmarks)),
            depth=torch.from_numpy(np.array(collection.depth)),
            attributes=torch.from_numpy(classes),
            proportions=torch.from_numpy(numbers),
            captions=torch.from_numpy(tokens),
        )

    def __len__(self) -> int:
        return len(self.person)

    def __getitem__(self, rows: Tensor | slice) -> Labels:
        return Labels(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def to(self, device: torch.device) -> Labels:
        """The same on a device, with numbers as float32."""
        moved = {field.name: getattr(self, field.name).to(device) for field in fields(self)}
        return Labels(
            **{name: value.float() if value.dtype == torch.float16 else value for name, value in moved.items()}
        )


def tokens_of(words: str) -> list[int]:
    """Token ids of a text; of one that is too long, of as many of its words as there is room for.

    Raises ValueError for an empty text.
    """
    kept = text.unwrap(words).split()
    if not kept:
        raise ValueError("An empty text says nothing about a picture.")
    while True:
        try:
            return text.tokenize(" ".join(kept))
        except ValueError:
            if len(kept) == 1:
                kept[0] = kept[0][: len(kept[0]) // 2]
            else:
                kept.pop()
