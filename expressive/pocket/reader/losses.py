"""What the reader is trained on: one loss for each thing that it reads, and their weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..scene.truth import FACE
from .anchors import ANCHORS
from .attributes import CLASSES
from .labels import Labels
from .net import Reading

LEFT_EYE, RIGHT_EYE = (33, 133), (362, 263)  # the corners of the eyes on the picture's left and right


@dataclass(frozen=True)
class LossWeights:
    """Weights in the sum; those of landmarks are for errors in pixels of a face as large as in a portrait."""

    presence: float = 0.2
    identity: float = 0.1
    attributes: float = 0.5
    proportions: float = 0.5
    intensities: float = 12.0
    dominant: float = 0.15
    emo135: float = 0.15
    action_units: float = 8.0
    landmarks: float = 0.25
    heat: float = 0.05
    visibility: float = 0.3
    depth: float = 3.0
    image: float = 0.15


class MarginHead(nn.Module):
    """Additive angular margins over the people of the training set; thrown away afterwards.

    "arc": ArcFace (Deng et al., 2019), cos(θ + m). "cos": CosFace (Wang et al., 2018), cos θ − m.
    """

    def __init__(self, people: int, width: int, margin: float = 0.25, scale: float = 20.0, kind: str = "cos") -> None:
        super().__init__()
        if kind not in ("arc", "cos"):
            raise ValueError(f"The margin is of the kind “arc” or “cos”, not “{kind}”.")
        self.class_embedding = nn.Parameter(F.normalize(torch.randn(people, width), dim=1))
        self.margin, self.scale, self.kind = margin, scale, kind

    def forward(self, embeddings: Tensor, person: Tensor) -> Tensor:
        """Cross-entropy over people of embeddings [B,D] of length 1; person: int64 [B]."""
        cosine = embeddings @ F.normalize(self.class_embedding, dim=1).T
        own = cosine.gather(1, person[:, None])
        if self.kind == "cos":
            wanted = own - self.margin
        else:
            angle = own.clamp(-1 + 1e-5, 1 - 1e-5).acos()
            wanted = torch.where(angle + self.margin < torch.pi, (angle + self.margin).cos(), own - self.margin**2)
        return F.cross_entropy(self.scale * cosine.scatter(1, person[:, None], wanted), person)


def inter_ocular(landmarks: Tensor) -> Tensor:
    """Distance [B] between the outer corners of the eyes, in the unit of landmarks [B,553,2 or 3]."""
    return (landmarks[:, RIGHT_EYE[1], :2] - landmarks[:, LEFT_EYE[0], :2]).norm(dim=-1)


def landmark_loss(found: Tensor, true: Tensor, size: int = 128) -> Tensor:
    """Mean distance in pixels, as if every face were as large as in a portrait (36 of 128 pixels between the eyes).

    found [B,553,2], true [B,553,3]. The face weighs as much as body and hands together; points that cannot be seen
    count a quarter and those beyond the picture less the farther they are; a hand that is not there does not count.
    """
    there = true.abs().sum(-1) > 0
    beyond = (true[..., :2] - 0.5).abs().amax(-1).sub(0.5).clamp(min=0)
    weight = there * (0.25 + 0.75 * true[..., 2]) / (1 + 20 * beyond)
    weight = torch.cat((weight[:, :FACE] / FACE, weight[:, FACE:] / (true.shape[1] - FACE)), dim=1)
    scale = 0.28 / inter_ocular(true).clamp(0.08, 0.4)  # [B]
    error = (found - true[..., :2]).square().sum(-1).add(1e-8).sqrt()
    return size * (weight * error * scale[:, None]).sum(1).mean()


def heat_loss(heat: Tensor, true: Tensor, spread: float = 0.8) -> Tensor:
    """Cross-entropy of where the anchors lie, against a bell of `spread` cells about the truth; anchors that are not in
    the picture do not count. heat: log-shares [B,K,S,S]; true [B,553,3]."""
    side = heat.shape[-1]
    place = true[:, list(ANCHORS)]  # [B,K,3]
    inside = ((place[..., :2] > 0) & (place[..., :2] < 1)).all(-1)
    ticks = torch.arange(side, device=heat.device) + 0.5
    bell = (-0.5 * ((ticks - place[..., :2, None] * side) / spread).square()).exp()  # [B,K,2,S]
    bell = bell / bell.sum(-1, keepdim=True).clamp(min=1e-6)
    along_x = (heat @ bell[:, :, 0, :, None])[..., 0]  # [B,K,S]
    return -((along_x * bell[:, :, 1]).sum(2) * inside).sum() / inside.sum().clamp(min=1)


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, tokens: Tensor) -> Tensor:
    """Symmetric cross-entropy between pictures and their captions (CLIP). images, texts [B,D] of length 1; tokens
    [B,N]: pictures with the same caption share it."""
    logits = scale * images @ texts.T
    same = (tokens[:, None] == tokens[None]).all(-1).float()
    wanted = same / same.sum(1, keepdim=True)
    return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2


def attribute_loss(logits: Tensor, true: Tensor) -> Tensor:
    """Mean cross-entropy over the attributes of attributes.CLASSES; true: int64 [B, attributes]."""
    parts = logits.split([len(values) for values in CLASSES.values()], dim=1)
    return torch.stack([F.cross_entropy(part, true[:, i]) for i, part in enumerate(parts)]).mean()


def reading_losses(
    reading: Reading, labels: Labels, margin: MarginHead, texts: Tensor, tokens: Tensor, scale: Tensor
) -> dict[str, Tensor]:
    """Every loss by the name of its weight, but `presence`. texts: the captions `tokens` as vectors; scale: inverse
    temperature between pictures and texts."""
    alone = labels.dominant >= 0
    sure = (labels.strength * 2).clamp(max=1) * alone  # a faint expression could be any
    logits = 12 * reading.intensities
    named = labels.emo135 >= 0
    certain = (labels.strength * 2).clamp(max=1) * named
    return {
        "identity": margin(reading.identity, labels.person),
        "attributes": attribute_loss(reading.attributes, labels.attributes),
        "proportions": F.smooth_l1_loss(reading.proportions, labels.proportions, beta=0.3),
        "intensities": F.smooth_l1_loss(reading.intensities, labels.intensities, beta=0.1),
        "dominant": _weighted(F.cross_entropy(logits, labels.dominant.clamp(min=0), reduction="none"), sure),
        "emo135": _weighted(F.cross_entropy(reading.emo135, labels.emo135.clamp(min=0), reduction="none"), certain),
        "action_units": F.smooth_l1_loss(reading.action_units, labels.action_units, beta=0.1),
        "landmarks": landmark_loss(reading.landmarks, labels.landmarks),
        "heat": heat_loss(reading.heat, labels.landmarks),
        "visibility": F.binary_cross_entropy_with_logits(reading.visibility, labels.landmarks[..., 2]),
        "depth": (reading.depth - labels.depth).abs().mean(),
        "image": contrastive_loss(reading.image, texts, scale, tokens),
    }


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1)
