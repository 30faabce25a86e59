"""Training of the reader on a collection of drawings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..training.collection import Collection
from ..training.device import bf16, device_of
from ..training.loop import Budget, Checkpoint, train
from .anchors import fit_weights
from .augment import AugmentRecipe, degrade, faceless, move
from .labels import Labels
from .losses import LossWeights, MarginHead, reading_losses
from .net import FaceReaderNet, Reading

_FITTED_ON = 4000  # pictures whose landmarks give the weights between anchors and landmarks


@dataclass(frozen=True)
class TrainRecipe:
    batch: int = 64
    lr: float = 3e-3
    weight_decay: float = 0.02
    average: float = 0.998
    margin: float = 0.25
    scale: float = 20.0
    margin_kind: str = "cos"  # "arc" (ArcFace) or "cos" (CosFace)
    faceless: float = 0.06  # pictures without a face beside each batch, as a share of it
    calibration: int = 24  # batches that give the averaged weights their batch statistics
    save_every: float = 240.0  # seconds
    augment: AugmentRecipe = field(default_factory=AugmentRecipe)
    weights: LossWeights = field(default_factory=LossWeights)
    seed: int = 0


def to_pictures(pictures: np.ndarray, device: torch.device) -> Tensor:
    """uint8 [B,H,W,3] → float [B,3,H,W] in 0..1."""
    return torch.from_numpy(np.array(pictures)).to(device).permute(0, 3, 1, 2).float() / 255


class Batches:
    """Draws pictures with their labels from a collection, moved and degraded as the recipe says."""

    def __init__(self, collection: Collection, labels: Labels, recipe: TrainRecipe, device: torch.device) -> None:
        self._pictures, self._labels, self._recipe, self._device = collection.pictures, labels, recipe, device

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Labels, Tensor]:
        """(pictures [B,3,H,W], their labels, one caption of each as token ids [B,N])."""
        recipe, augment = self._recipe, self._recipe.augment
        chosen = torch.randint(len(self._labels), (recipe.batch,), generator=generator).sort().values
        labels = self._labels[chosen].to(self._device)
        pictures = to_pictures(self._pictures[chosen.numpy()], self._device)
        if float(torch.rand((), generator=generator)) < augment.moved:
            pictures, landmarks, depth = move(pictures, labels.landmarks, labels.depth, augment, generator)
            values = {**vars(labels), "landmarks": landmarks, "depth": depth}
            labels = Labels(**values)
        which = torch.randint(labels.captions.shape[1], (recipe.batch,), generator=generator).to(self._device)
        tokens = labels.captions[torch.arange(recipe.batch, device=self._device), which].long()
        return degrade(pictures, augment, generator), labels, tokens[:, : int((tokens != 0).sum(1).max())]


def with_faceless(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Pictures [B,3,H,W], and after them as many without a face as `share` of them, at least one."""
    return torch.cat((pictures, faceless(pictures[: max(1, round(len(pictures) * share))], generator)))


def train_reader(
    net: FaceReaderNet,
    collection: Collection,
    recipe: TrainRecipe,
    budget: Budget,
    checkpoint: Checkpoint,
    on_save: Callable[[int], None] | None = None,
) -> int:
    """Train in place; at the end the weights are the moving average, with batch statistics of their own.

    on_save: called after each checkpoint with the net ready to be judged. Returns the number of steps done.
    """
    device = device_of(net)
    labels = Labels.of(collection)
    some = slice(None, None, max(1, len(labels) // _FITTED_ON))
    net.landmark_weights.copy_(torch.from_numpy(fit_weights(labels.landmarks[some].float().numpy())))
    batches = Batches(collection, labels, recipe, device)
    people = int(labels.person.max()) + 1
    margin = MarginHead(people, net.config.identity, recipe.margin, recipe.scale, recipe.margin_kind).to(device)
    weights = asdict(recipe.weights)

    def loss_of(generator: torch.Generator) -> dict[str, Tensor]:
        net.train()
        pictures, known, tokens = batches.draw(generator)
        with bf16(device):
            reading = net(with_faceless(pictures, recipe.faceless, generator))
            texts = net.read_texts(tokens)
        losses = reading_losses(
            reading[: len(pictures)], known, margin, texts, tokens, net.logit_scale.clamp(max=4.0).exp()
        )
        there = torch.arange(len(reading.presence), device=device) < len(pictures)
        losses["presence"] = nn.functional.binary_cross_entropy_with_logits(reading.presence, there.float())
        total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        return {"loss": total, **losses}

    def ready(step: int) -> None:
        calibrate(net, batches, recipe)
        if on_save is not None:
            on_save(step)

    return train(
        {"net": net, "margin": margin}, loss_of, budget, checkpoint,
        lr=recipe.lr, weight_decay=recipe.weight_decay, average=recipe.average, seed=recipe.seed,
        save_every=recipe.save_every, on_save=ready,
    )  # fmt: skip


@torch.no_grad()
def calibrate(net: FaceReaderNet, batches: Batches, recipe: TrainRecipe) -> None:
    """Give every batch norm the mean and variance that its input has under the present weights; leaves eval mode.

    The statistics gathered in training belong to weights that change; those of a moving average were never seen. The
    batches are those of training, pictures without a face included: the few of them move the statistics far.
    """
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    net.train()
    for index in range(recipe.calibration):
        generator = torch.Generator().manual_seed(1_000_000_007 + index)
        net(with_faceless(batches.draw(generator)[0], recipe.faceless, generator))
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
    net.eval()


@torch.no_grad()
def read_all(net: FaceReaderNet, pictures: np.ndarray, batch: int = 64) -> Reading:
    """The reading of uint8 [N,H,W,3], on the CPU, without heat maps and in eval mode."""
    device = device_of(net)
    net.eval()
    parts = []
    for start in range(0, len(pictures), batch):
        reading = net(to_pictures(pictures[start : start + batch], device))
        values = {name: value.cpu() for name, value in vars(reading).items()}
        parts.append({**values, "heat": values["heat"][:, :0]})
    return Reading(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]})
