"""The two backbones of POSTER (Zheng et al. 2023), with the parameter names of its published checkpoints.

Both see the face at 112 × 112: the first three stages of an IR-50 (the ArcFace residual network) for appearance, and a
MobileFaceNet trained for 68 landmarks, whose last feature map stands for the face's shape.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 112
IR_STAGES = ((64, 3), (128, 4), (256, 14))
"""Channels and residual units of each stage; each begins by halving the map."""


class IrUnit(nn.Module):
    """norm → 3 × 3 → PReLU → 3 × 3 (with the stride) → norm, and a shortcut around."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        if channels == out:
            self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        else:
            self.shortcut_layer = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, out, 3, 1, 1, bias=False),
            nn.PReLU(out),
            nn.Conv2d(out, out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class Ir50(nn.Module):
    """[B, 3, H, W] → tokens [B, 49, 1024].

    The 256 × 14 × 14 map is read as 49 rows of 1024 numbers in memory order, as the original does; a token is therefore
    a run of channels, not a place. `output_layer` is in the checkpoints and takes no part.
    """

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(0.0), nn.Flatten(), nn.Linear(512 * 7 * 7, 512), nn.BatchNorm1d(512)
        )
        units, channels = [], 64
        for out, count in IR_STAGES:
            units += [IrUnit(channels, out, 2)] + [IrUnit(out, out, 1) for _ in range(count - 1)]
            channels = out
        self.body = nn.Sequential(*units)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, size=SIDE)  # nearest: of 224 every second pixel
        return self.body(self.input_layer(x)).reshape(-1, 49, 1024)


class ConvNorm(nn.Module):
    """Convolution and norm, with a PReLU where `active`."""

    def __init__(
        self, channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1, active: bool = True
    ) -> None:
        super().__init__()
        # 3 × 3 keeps the size, 7 × 7 takes the whole map
        padding = 1 if kernel == 3 else 0
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out)
        if active:
            self.prelu = nn.PReLU(out)
        self._active = active

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return self.prelu(x) if self._active else x


class DepthWise(nn.Module):
    """1 × 1 to `inner` channels, depth-wise 3 × 3, 1 × 1 to `out`; with a shortcut where `residual`."""

    def __init__(self, channels: int, out: int, inner: int, stride: int = 2, residual: bool = False) -> None:
        super().__init__()
        self.conv = ConvNorm(channels, inner)
        self.conv_dw = ConvNorm(inner, inner, 3, stride, groups=inner)
        self.project = ConvNorm(inner, out, active=False)
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        found = self.project(self.conv_dw(self.conv(x)))
        return x + found if self._residual else found


class DepthWiseStage(nn.Module):
    """`count` residual DepthWise of the same width."""

    def __init__(self, channels: int, inner: int, count: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(DepthWise(channels, channels, inner, 1, residual=True) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class LandmarkHead(nn.Module):
    """The 68 landmarks (136 numbers) that the backbone was trained for: in the checkpoints, takes no part."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_6_dw = ConvNorm(512, 512, 7, groups=512, active=False)
        self.linear = nn.Linear(512, 136, bias=False)
        self.bn = nn.BatchNorm1d(136)


class MobileFaceNet(nn.Module):
    """[B, 3, 112, 112] → features [B, 512, 7, 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvNorm(3, 64, 3, 2)
        self.conv2_dw = ConvNorm(64, 64, 3, groups=64)
        self.conv_23 = DepthWise(64, 64, 128)
        self.conv_3 = DepthWiseStage(64, 128, 4)
        self.conv_34 = DepthWise(64, 128, 256)
        self.conv_4 = DepthWiseStage(128, 256, 6)
        self.conv_45 = DepthWise(128, 128, 512)
        self.conv_5 = DepthWiseStage(128, 256, 2)
        self.conv_6_sep = ConvNorm(128, 512)
        self.output_layer = LandmarkHead()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_3(self.conv_23(self.conv2_dw(self.conv1(x))))
        x = self.conv_4(self.conv_34(x))
        return self.conv_6_sep(self.conv_5(self.conv_45(x)))
