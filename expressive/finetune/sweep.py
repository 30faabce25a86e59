"""Edits of some pictures along α by a base as it is now: for sample sheets, for calibration, for measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..conditioning import blend
from .encoded import EncodedEdits, View
from .pairs import prompts_of


class Sweep:
    """The same pictures, prompts and noise each time. Texts are encoded at once: the base may then forget its encoder.

    words: expressions that will be asked for. Raises ValueError where one has another number of tokens than “neutral”.
    """

    def __init__(
        self, encoded: EncodedEdits, views: Sequence[View], words: Sequence[str], domain: str, steps: int, seed: int
    ) -> None:
        self._base, self._encoded, self._steps, self._seed = encoded.base, encoded, steps, seed
        self.views, self.words = list(views), tuple(words)
        self._texts = [self._read(view, domain) for view in self.views]

    def _read(self, view: View, domain: str) -> dict[str, tuple[Tensor, Tensor]]:
        """The two ends of each word for a picture."""
        found = {}
        for word in self.words:
            prompts = prompts_of(word, domain)
            neutral, target = self._encoded.texts(prompts, view)
            if neutral.shape != target.shape:
                raise ValueError(
                    f"“{prompts[1]}” has another number of tokens than “{prompts[0]}”: choose other words."
                )
            found[word] = (neutral[None], target[None])
        return found

    def edits(self, index: int, word: str, alphas: Sequence[float]) -> Tensor:
        """Edits [A,3,H,W] of one picture, in 0…1, on the base's device."""
        neutral, target = self._texts[index][word]
        return self._sampled(index, blend(neutral, [target], [[alpha] for alpha in alphas]))

    def blend(self, index: int, parts: Mapping[str, float]) -> Tensor:
        """One edit [1,3,H,W] towards several expressions, each at its own α: e_neu + Σ α (e_tgt − e_neu)."""
        ends = [self._texts[index][word] for word in parts]
        return self._sampled(index, blend(ends[0][0], [target for _, target in ends], [list(parts.values())]))

    @torch.no_grad()
    def _sampled(self, index: int, texts: Tensor) -> Tensor:
        """A picture for each of the texts [A,L,D], all from the same noise."""
        texts = texts.to(self._base.device)
        network: nn.Module = self._base.network
        training = network.training
        network.eval()
        source = self._encoded.latents(self.views[index]).to(self._base.device)
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(self._seed)).to(source)
        many = (len(texts), -1, -1, -1)
        made = self._base.sample(texts, None, source.expand(many), noise.expand(many), self._steps)
        network.train(training)
        return self._base.decode(made).float().clamp(0, 1)
