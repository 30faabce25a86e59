"""Sample sheets while training: what the shipped workflow would make of some pictures with the LoRA as it is now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..contact_sheet import contact_sheet
from .bases import EditBase
from .buckets import fit
from .config import Config
from .pairs import Pairs, prompt, to_tensor

PICTURES = 2  # sources of the data that are taken where the configuration names no pictures


class Sampler:
    """Draws the same pictures, prompts and noise each time; texts are encoded at once, the base may then forget."""

    def __init__(self, config: Config, base: EditBase, pairs: Pairs, folder: Path) -> None:
        self._config, self._base, self._folder = config, base, folder
        how, domain = config.samples, config.objective.domain
        self._sources: list[Tensor] = []
        self._texts: list[list[Tensor]] = []  # of each picture: neutral, then each expression
        if not how.every:
            return
        size = (config.data.size, config.data.size)
        for path in how.pictures or pairs.sources(PICTURES):
            with Image.open(path) as picture:
                source = to_tensor(fit(picture, size))
            self._sources.append(source)
            words = ["neutral", *how.expressions]
            self._texts.append(base.encode_texts([prompt(word, domain) for word in words], source))

    @torch.no_grad()
    def sheet(self, step: int) -> None:
        """Write `step-<step>.png`: a row for each picture and expression, a column for each α."""
        how = self._config.samples
        network: nn.Module = self._base.network
        training = network.training
        network.eval()
        rows, names = [], []
        for index, (source, (neutral, *targets)) in enumerate(zip(self._sources, self._texts, strict=True)):
            latents = self._base.encode(source)
            noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(how.seed)).to(latents)
            for word, target in zip(how.expressions, targets, strict=True):
                texts = torch.stack([neutral + alpha * (target - neutral) for alpha in how.alphas])
                count = len(texts)
                made = self._base.sample(
                    texts, None, latents.expand(count, -1, -1, -1), noise.expand(count, -1, -1, -1), how.steps
                )
                pictures = torch.cat((source.to(made), self._base.decode(made))).float().clamp(0, 1)
                rows.append(pictures.movedim(1, -1).cpu())  # n c h w → n h w c
                names.append(f"{index + 1} {word}")
        network.train(training)
        columns = ["source", *(f"α {alpha:g}" for alpha in how.alphas)]
        page = contact_sheet(rows, columns, rows=len(rows), title=f"{self._config.name}, step {step}", row_labels=names)
        self._folder.mkdir(parents=True, exist_ok=True)
        pixels = (page[0].numpy() * 255).round().astype(np.uint8)
        Image.fromarray(pixels).save(self._folder / f"step-{step:06d}.png")
