"""How right depth is: AbsRel and δ1 after an affine fit, as Marigold and others before it measure them; flicker."""

from __future__ import annotations

import torch
from torch import Tensor

CLOSE = 1.25  # ratio of distances up to which δ1 takes one for right


def fitted(found: Tensor, true: Tensor, where: Tensor | None = None) -> Tensor:
    """found [N,H,W] with the scale and the shift of its own that bring each map nearest to `true` in squares.

    where: bool [N,H,W], places that count; default: all. A map that is flat becomes the mean.
    """
    weight = torch.ones_like(true) if where is None else where.to(true)
    total = weight.sum((1, 2)).clamp(min=1.0)

    def mean(values: Tensor) -> Tensor:
        return ((weight * values).sum((1, 2)) / total)[:, None, None]

    own, wanted = mean(found), mean(true)
    scale = mean((found - own) * (true - wanted)) / mean((found - own).square()).clamp(min=1e-12)
    return wanted + scale * (found - own)


def depth_errors(found: Tensor, true: Tensor, where: Tensor | None = None) -> dict[str, float]:
    """Errors of depth [N,H,W], fitted to true distances [N,H,W] above 0, as means over the pictures.

    abs_rel: mean of |found − true| / true. delta1: share of places whose ratio is below 1.25. rmse: root mean square
    of the difference. where: as in `fitted`. Raises ValueError for other shapes or distances of 0.
    """
    if found.shape != true.shape or not bool((true > 0).all()):
        raise ValueError(
            f"Depth is judged by distances above 0 of the same shape, but there are {list(found.shape)} and "
            f"{list(true.shape)}, the smallest {float(true.min()):.3g}."
        )
    found, true = found.double(), true.double()
    near = fitted(found, true, where).clamp(min=1e-6)
    weight = torch.ones_like(true) if where is None else where.to(true)
    total = weight.sum((1, 2)).clamp(min=1.0)
    difference = (near - true).abs()
    ratio = torch.maximum(near / true, true / near)
    each = {"abs_rel": difference / true, "delta1": (ratio < CLOSE).to(true), "rmse": difference.square()}
    means = {name: (weight * value).sum((1, 2)) / total for name, value in each.items()}
    means["rmse"] = means["rmse"].sqrt()
    return {name: float(value.mean()) for name, value in means.items()}


def flicker(found: Tensor, true: Tensor) -> float:
    """Mean difference from frame to frame [F,H,W] that the truth has not, as a share of the truth's range.

    One scale and one shift are fitted for the whole clip: what differs between its frames stays.
    """
    whole = fitted(found.double().flatten(0, 1)[None], true.double().flatten(0, 1)[None])[0]  # f h w → 1 (f h) w
    whole = whole.view(true.shape)
    steps = (whole[1:] - whole[:-1]) - (true[1:] - true[:-1]).double()
    return float(steps.abs().mean() / (true.max() - true.min()).clamp(min=1e-6))
