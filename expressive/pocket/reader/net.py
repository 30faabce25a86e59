"""The reader's network: a small residual network with a fine map for places and a coarse one for meaning."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import text
from ..scene.truth import LANDMARKS
from . import attributes
from .anchors import ANCHORS, FACE_ANCHORS
from .layers import ConvNorm, LinearNorm, Residual, TextTower

EXPRESSIONS, WORDS = 12, 135
DEPTH = 32  # side of the depth map


@dataclass(frozen=True)
class ReaderConfig:
    """Everything that is needed to build the network; stored as JSON in the weights file."""

    size: int = 128  # pixels, width and height of what the network sees
    stem: int = 16  # channels at size / 2
    widths: tuple[int, int, int, int] = (24, 64, 128, 160)  # channels at size / 4, / 8, / 16 and / 32
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)  # residual blocks at each of these sizes
    fine: int = 40  # channels of the map at size / 4 that places are read from
    local: int = 24  # channels of what is read off at each anchor of the face
    layout: int = 40  # channels of the coarsest map that keep their place
    hidden: int = 256
    identity: int = 128  # width of the identity embedding
    joint: int = 128  # width of the space of pictures and texts
    text_width: int = 80
    text_layers: int = 2
    text_heads: int = 4
    vocabulary: int = 0  # words that the text tower knows; 0: all of today's
    action_units: tuple[str, ...] = ()  # FACS codes, in the order of their outputs

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, described: str) -> ReaderConfig:
        """The config that `to_json` wrote. Raises ValueError for JSON that is not one."""
        try:
            found = json.loads(described)
            known = {field.name for field in fields(cls)}
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items() if k in known}
            return cls(**values)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"This is not the description of a face reader: {error}.") from error


@dataclass(frozen=True)
class Reading:
    """What is read from B pictures; float32, differentiable.

    presence: [B] logit: there is a face. identity: [B,128] of length 1. intensities: [B,12] ≥ 0 in PixelSmile's order.
    emo135: logits [B,135]. action_units: [B,A] ≥ 0. landmarks: [B,553,2], x and y as shares of the picture.
    visibility: logits [B,553]. depth: [B,32,32], 0 nearest … 1 farthest. image: [B,128] of length 1, in one space with
    texts. attributes: logits of all `attributes.CLASSES` side by side. proportions: [B, attributes.PROPORTIONS].
    expression: [B,hidden], what the expression is read from. heat: log-shares [B,anchors,size/4,size/4] of where each
    anchor lies.
    """

    presence: Tensor
    identity: Tensor
    intensities: Tensor
    emo135: Tensor
    action_units: Tensor
    landmarks: Tensor
    visibility: Tensor
    depth: Tensor
    image: Tensor
    attributes: Tensor
    proportions: Tensor
    expression: Tensor
    heat: Tensor

    def __getitem__(self, rows: slice | Tensor) -> Reading:
        return Reading(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


class FaceReaderNet(nn.Module):
    """Pictures float [B,3,H,W] in 0..1 → Reading. `read_texts`: token ids → the space of `Reading.image`."""

    landmark_weights: Tensor

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        w, hidden, side = config.widths, config.hidden, config.size // 32
        self.conv_in = ConvNorm(3, config.stem, stride=2)
        self.stages = nn.ModuleList()
        inward = config.stem
        for width, count in zip(w, config.blocks, strict=True):
            self.stages.append(
                nn.Sequential(ConvNorm(inward, width, stride=2), *(Residual(width) for _ in range(count)))
            )
            inward = width
        self.coarse_to_8, self.side_8 = nn.Conv2d(w[3], w[1], 1), nn.Conv2d(w[2], w[1], 1)
        self.side_16, self.join_16 = nn.Conv2d(w[1], w[1], 1), ConvNorm(w[1], w[1])
        self.down_16, self.join_32 = nn.Conv2d(w[1], w[0], 1), ConvNorm(w[0], config.fine)
        self.heat = nn.Linear(config.fine, len(ANCHORS), bias=False)
        self.local = nn.Linear(config.fine, config.local)
        self.layout = nn.Conv2d(w[3], config.layout, 1)
        self.whole = LinearNorm(w[3] + config.layout * side * side, hidden)
        self.details = LinearNorm(FACE_ANCHORS * (config.local + 2), hidden)
        self.who, self.feeling = LinearNorm(2 * hidden, hidden), LinearNorm(2 * hidden, hidden)
        self.placing = LinearNorm(2 * hidden, hidden // 4)
        self.shift = nn.Parameter(torch.zeros(len(ANCHORS), config.fine, 2))
        outputs = {
            "presence": (2 * hidden, 1),
            "identity": (hidden, config.identity),
            "attributes": (hidden, attributes.LOGITS),
            "proportions": (hidden, attributes.PROPORTIONS),
            "intensities": (hidden, EXPRESSIONS),
            "emo135": (hidden, WORDS),
            "action_units": (hidden, len(config.action_units)),
            "image": (2 * hidden, config.joint),
            "landmarks": (hidden // 4, 2 * LANDMARKS),
            "visibility": (hidden // 4, LANDMARKS),
        }
        self.proj_out = nn.ModuleDict({name: nn.Linear(*widths) for name, widths in outputs.items()})
        self.depth_proj_out = nn.Conv2d(config.fine, 1, 1)
        self.texts = TextTower(
            config.vocabulary or len(text.vocabulary()),
            text.MAX_TOKENS,
            config.text_width,
            config.text_layers,
            config.text_heads,
            config.joint,
        )
        self.logit_scale = nn.Parameter(torch.tensor(2.3))  # log of the inverse temperature between pictures and texts
        self.register_buffer("landmark_weights", torch.full((LANDMARKS, len(ANCHORS)), 1 / len(ANCHORS)))
        for parameter in self.proj_out["landmarks"].parameters():
            nn.init.zeros_(parameter)

    def maps(self, pictures: Tensor) -> list[Tensor]:
        """Pictures [B,3,H,W] → maps [B,widths[i],side,side], the side size / 4, / 8, / 16 and / 32."""
        x = self.conv_in(
            (_sized(pictures.float(), self.config.size) * 4 - 2).contiguous(memory_format=torch.channels_last)
        )
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, pictures: Tensor) -> Reading:
        maps = self.maps(pictures)
        x = maps[-1]
        fine = self._fine(maps)
        whole = self.whole(torch.cat((x.mean((2, 3)), self.layout(x).flatten(1)), dim=1))
        with torch.autocast(pictures.device.type, enabled=False):  # places need more digits than bf16 has
            return self._read(fine.float(), whole.float())

    def _read(self, fine: Tensor, whole: Tensor) -> Reading:
        anchors, seen, heat = self._anchors(fine)
        local = F.relu(self.local(seen[:, :FACE_ANCHORS]))  # [B,F,local]
        middle = anchors[:, :FACE_ANCHORS] - anchors[:, :FACE_ANCHORS].mean(1, keepdim=True)
        details = self.details(torch.cat((local, 4 * middle), dim=2).flatten(1))
        both = torch.cat((whole, details), dim=1)
        who, feeling, placing = self.who(both), self.feeling(both), self.placing(both)
        out = self.proj_out
        return Reading(
            presence=out["presence"](both)[:, 0],
            identity=F.normalize(out["identity"](who), dim=-1),
            intensities=F.softplus(out["intensities"](feeling), beta=6),
            emo135=out["emo135"](feeling),
            action_units=F.softplus(out["action_units"](feeling), beta=6),
            landmarks=self.landmark_weights @ anchors + 0.1 * out["landmarks"](placing).unflatten(1, (LANDMARKS, 2)),
            visibility=out["visibility"](placing),
            depth=_sized(self.depth_proj_out(fine), DEPTH)[:, 0].sigmoid(),
            image=F.normalize(out["image"](both), dim=-1),
            attributes=out["attributes"](who),
            proportions=out["proportions"](who),
            expression=feeling,
            heat=heat.unflatten(2, fine.shape[-2:]),
        )

    def read_texts(self, tokens: Tensor) -> Tensor:
        """Token ids [B,N], 0 after a text's end → [B,joint] of length 1."""
        return self.texts(tokens)

    def _fine(self, maps: list[Tensor]) -> Tensor:
        """[B,fine,size/4,size/4]: the finest map with what the coarser ones know."""
        x = self.side_8(maps[2]) + _doubled(self.coarse_to_8(maps[3]))
        x = self.join_16(self.side_16(maps[1]) + _doubled(x))
        return self.join_32(maps[0] + _doubled(self.down_16(x)))

    def _anchors(self, fine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the anchors lie, [B,K,2] as shares of the picture; the fine map there, [B,K,fine]; heat [B,K,S·S].

        A place is the mean over the heat, and a shift by what is seen there.
        """
        side = fine.shape[-1]
        ticks = (torch.arange(side, device=fine.device) + 0.5) / side
        grid = torch.stack((ticks.repeat(side), ticks.repeat_interleave(side)), dim=1)  # [S·S,2]: x, y
        cells = fine.permute(0, 2, 3, 1).flatten(1, 2)  # [B,S·S,fine], a view of channels last
        weight = self.heat.weight.expand(len(fine), -1, -1)
        heat = (weight @ cells.transpose(1, 2)).log_softmax(-1)
        found = heat.exp() @ torch.cat((cells, grid.expand(len(fine), -1, -1)), dim=2)
        seen, places = found[..., :-2], found[..., -2:]
        return places + torch.einsum("bkc,kcd->bkd", seen, self.shift) / side, seen, heat


def _sized(x: Tensor, side: int) -> Tensor:
    """[B,C,H,W] → [B,C,side,side]."""
    if x.shape[-2:] == (side, side):
        return x
    return F.interpolate(x, (side, side), mode="bilinear", antialias=max(x.shape[-2:]) > side)


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def parameter_count(net: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in net.parameters())
