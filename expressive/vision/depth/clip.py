"""One measure of depth for all frames of a clip.

Marigold measures each picture anew: the same wall is a little nearer in one frame and farther in the next. As in
RollingDepth (Ke et al., CVPR 2025) every prediction gets a scale and a shift, and all of them are found together, by a
robust fit of frames that follow each other and of frames that lie farther apart. Ours: single frames in place of its
snippets of three, and that a place counts only as far as both pictures look alike there, since what moves is allowed to
change its depth.

Two frames' scales are compared by the spread of depth in what they share, not by least squares: noise makes a least
squares scale smaller than 1, and over many frames nothing would be left of the range.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from ...encoders.loading import package

GAPS = (1, 2, 4, 8, 16)  # frames that lie so far apart are compared
GRID = 48  # places of a picture along each side
ALIKE = 0.05  # mean difference of colours, in 0…1, beyond which two places are hardly the same thing
COMMON = 0.05  # share of a picture that has to look alike; with less there is a cut between both
NEAR = 0.02  # difference of depths beyond which a place hardly counts
ROUNDS = 4  # of weighing and measuring
OWN_SCALE, OWN_SHIFT = 1e-5, 1e-3  # weights of each frame's own measure: it stays where nothing else says anything
FLAT = 1e-6  # a spread below this is none


def aligned(depth: Tensor, pictures: Tensor) -> Tensor:
    """Depth [F,H,W] of the frames of a clip [F,H,W,3] → the same in one measure, within 0…1."""
    if len(depth) == 1:
        return depth
    scale, shift = (each.to(depth)[:, None, None] for each in measures(depth, pictures))
    moved = depth * scale + shift
    low, high = min(0.0, float(moved.min())), max(1.0, float(moved.max()))
    return (moved - low) / (high - low)


def measures(depth: Tensor, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Scale above 0 and shift [F], float64, of each frame's depth [F,H,W], that bring together what stays."""
    small = _pooled(depth[..., None])[..., 0]  # [F,P]
    seen = _pooled(pictures)  # [F,P,3]
    alike = {gap: _alike(seen[:-gap], seen[gap:]) for gap in GAPS if gap < len(depth)}
    scale, shift = _measured(small, alike)
    for _ in range(ROUNDS - 1):
        moved = small * scale[:, None] + shift[:, None]
        # Cauchy's weights: what differs by more than the rest is something else
        weights = {gap: own / (1 + ((moved[gap:] - moved[:-gap]) / NEAR) ** 2) for gap, own in alike.items()}
        scale, shift = _measured(small, weights)
    return scale, shift


def _pooled(maps: Tensor) -> Tensor:
    """[F,H,W,C] → float64 [F,P,C], the means of a grid of places."""
    grid = (min(GRID, maps.shape[1]), min(GRID, maps.shape[2]))
    parts = F.adaptive_avg_pool2d(maps.detach().movedim(-1, 1).float().cpu(), grid)  # f c h w
    return parts.flatten(2).transpose(1, 2).double()  # f c (h w) → f p c


def _alike(before: Tensor, after: Tensor) -> Tensor:
    """Colours [N,P,3] → [N,P]: 1 where they are the same, falling to 0; all 0 for pictures with little in common."""
    alike = torch.exp(-(((after - before).abs().mean(-1) / ALIKE) ** 2))
    return alike * (alike.mean(1, keepdim=True) >= COMMON)


def _measured(depth: Tensor, weights: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Scale and shift [F] of depth [F,P]. weights: gap → [F − gap, P], how much the places of (k, k + gap) count."""
    ratios, trust, shares, means = {}, {}, {}, {}
    for gap, weight in weights.items():
        share = weight / weight.sum(1, keepdim=True).clamp(min=FLAT)
        both = depth[:-gap], depth[gap:]
        middle = tuple((share * one).sum(1) for one in both)
        off = tuple(one - mean[:, None] for one, mean in zip(both, middle, strict=True))
        before, after = ((share * one.square()).sum(1).sqrt().clamp(min=FLAT) for one in off)
        together = (share * off[0] * off[1]).sum(1) / (before * after)
        ratios[gap], means[gap], shares[gap] = (before / after).log(), middle, weight.mean(1)
        trust[gap] = shares[gap] * before * after * together.clamp(0, 1)
    scale = _joined(ratios, trust, torch.zeros_like(depth[:, 0]), OWN_SCALE).exp()
    steps = {gap: scale[:-gap] * before - scale[gap:] * after for gap, (before, after) in means.items()}
    return scale, _joined(steps, shares, (1 - scale) * depth.mean(1), OWN_SHIFT)


def _joined(steps: Mapping[int, Tensor], weights: Mapping[int, Tensor], own: Tensor, pull: float) -> Tensor:
    """x [F] that makes Σ w (x[k + gap] − x[k] − step)² + pull · Σ (x − own)² least; steps, weights: gap → [F − gap]."""
    band = own.new_zeros(max(steps) + 1, len(own))  # row r, column c: entry (c + r, c) of a symmetric matrix
    band[0] += pull
    wanted = pull * own
    for gap, weight in weights.items():
        band[0, :-gap] += weight
        band[0, gap:] += weight
        band[gap, :-gap] -= weight
        wanted[:-gap] -= weight * steps[gap]
        wanted[gap:] += weight * steps[gap]
    linalg = package("scipy.linalg", "find one measure for a clip")
    return torch.from_numpy(linalg.solveh_banded(band.numpy(), wanted.numpy(), lower=True))
