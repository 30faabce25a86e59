"""Text encoders learn what words mean before they guide a picture: what a scene is like, told from its caption.

Stable Diffusion takes CLIP's text encoders, which have learned that long before. Here the same is done in minutes, with
the scenes' own attributes in the place of CLIP's pictures; without it a UNet hears noise for most of its training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..captions import caption
from ..choices import BACKGROUNDS
from ..reader.attributes import CLASSES, class_indices
from ..scene import Scene
from ..training.device import bf16, device_of
from ..training.loop import Budget, Checkpoint, train
from .model import PocketBase
from .prompts import END, LENGTH
from .scenes import EXPRESSIONS

JUDGED = 8  # batches of captions that the figures are over
TOLD: Mapping[str, Sequence[str]] = {**CLASSES, "expression": EXPRESSIONS, "background": BACKGROUNDS}
"""Attribute → its values, as far as a caption may name them."""


@dataclass(frozen=True)
class TextRecipe:
    batch: int = 64
    lr: float = 2e-3
    average: float = 0.998
    seed: int = 0


def told(scene: Scene) -> list[int]:
    """The value of each attribute of TOLD, as an index."""
    strongest = scene.emotion.words[0].word if scene.emotion.weights else "neutral"
    expression = EXPRESSIONS.index(strongest)
    return [*class_indices(scene).tolist(), expression, scene.background % len(BACKGROUNDS)]


class Heads(nn.Module):
    """Reads every attribute off a state of each of some widths; only training has it."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        values = sum(len(classes) for classes in TOLD.values())
        self.proj_out = nn.ModuleList(nn.Linear(width, values) for width in widths)

    def forward(self, states: Sequence[Tensor]) -> list[Tensor]:
        """States [B,width], one for each width → logits [B, all values]."""
        return [head(state) for head, state in zip(self.proj_out, states, strict=True)]


def heard(base: PocketBase, tokens: Sequence[Tensor]) -> list[Tensor]:
    """What a UNet hears of token ids [B,77]: states [B,width] at the end of the text, at the last place, and pooled."""
    prompted = base.encode_tokens(tokens)
    end = (tokens[-1] == END).int().argmax(1)
    rows = torch.arange(len(end), device=end.device)
    found = [prompted.context[rows, end], prompted.context[:, LENGTH - 1]]
    return found if prompted.pooled is None else [*found, prompted.pooled]


def train_text(
    base: PocketBase,
    plan: Callable[[int], Scene],
    count: int,
    recipe: TextRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
) -> dict[str, float]:
    """Train the base's text encoders in place on captions of scenes plan(0) … plan(count − 1).

    Returns, for each attribute, how often it is told right from fresh captions; a caption need not name it.
    """
    device = device_of(base.unet)
    widths = [state.shape[1] for state in heard(base, [row.to(device) for row in base.tokens([""])])]
    heads = Heads(widths).to(device)

    def answered(generator: torch.Generator) -> tuple[list[list[Tensor]], Tensor]:
        """What each head says of a batch of captions, [B, classes] by attribute, and the answers [B, attributes]."""
        chosen = torch.randint(count, (recipe.batch,), generator=generator).tolist()
        seeds = torch.randint(2**31, (recipe.batch,), generator=generator).tolist()
        scenes = [plan(index) for index in chosen]
        prompts = [caption(s, random.Random(f"caption-{seed}")) for s, seed in zip(scenes, seeds, strict=True)]
        wanted = torch.tensor([told(scene) for scene in scenes], device=device)
        with bf16(device):
            logits = heads(heard(base, [row.to(device) for row in base.tokens(prompts)]))
        sizes = [len(classes) for classes in TOLD.values()]
        return [list(found.float().split(sizes, dim=1)) for found in logits], wanted

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        heard_by, wanted = answered(generator)
        losses = [
            F.cross_entropy(part, answer)
            for parts in heard_by
            for part, answer in zip(parts, wanted.unbind(1), strict=True)
        ]
        return {"loss": torch.stack(losses).mean()}

    encoders = {name: net for name, net in base.modules().items() if name.startswith("text")}
    for net in encoders.values():
        net.requires_grad_(True)
    train(
        {**encoders, "heads": heads}, loss_of, budget, checkpoint,
        lr=recipe.lr, average=recipe.average, seed=recipe.seed,
    )  # fmt: skip
    shares: dict[str, list[float]] = {name: [] for name in TOLD}
    with torch.no_grad():
        for batch in range(JUDGED):
            heard_by, wanted = answered(torch.Generator().manual_seed(2**40 + batch))
            for parts in heard_by:
                for name, part, answer in zip(TOLD, parts, wanted.unbind(1), strict=True):
                    shares[name].append(float((part.argmax(1) == answer).float().mean()))
    return {name: sum(values) / len(values) for name, values in shares.items()}
