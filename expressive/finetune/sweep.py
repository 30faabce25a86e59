"""Edits of some pictures along α by a base as it is now: for sample sheets, for calibration, for measuring."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .bases import EditBase
from .pairs import prompt


class Sweep:
    """The same pictures, prompts and noise each time. Texts are encoded at once: the base may then forget its encoder.

    pictures: [1,3,H,W] each, in 0…1. words: expressions that will be asked for.
    """

    def __init__(
        self, base: EditBase, pictures: Sequence[Tensor], words: Sequence[str], domain: str, steps: int, seed: int
    ) -> None:
        self._base, self._steps, self._seed = base, steps, seed
        self.pictures, self.words = list(pictures), tuple(words)
        asked = ["neutral", *self.words]
        self._texts = [  # of each picture by word
            dict(zip(asked, base.encode_texts([prompt(word, domain) for word in asked], picture), strict=True))
            for picture in self.pictures
        ]

    @torch.no_grad()
    def edits(self, index: int, word: str, alphas: Sequence[float]) -> Tensor:
        """Edits [A,3,H,W] of one picture, in 0…1, on the base's device."""
        texts = self._texts[index]
        neutral, target = texts["neutral"], texts[word]
        wanted = torch.stack([neutral + alpha * (target - neutral) for alpha in alphas])
        network: nn.Module = self._base.network
        training = network.training
        network.eval()
        source = self._base.encode(self.pictures[index])
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(self._seed)).to(source)
        many = (len(alphas), -1, -1, -1)
        made = self._base.sample(wanted, None, source.expand(many), noise.expand(many), self._steps)
        network.train(training)
        return self._base.decode(made).float().clamp(0, 1)
