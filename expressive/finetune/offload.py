"""Frozen layers whose weights wait in the computer's memory and come to the device only while they are used."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StreamedLinear(nn.Module):
    """A frozen linear layer; its weight is copied to the input's device in the forward and again in the backward pass.

    Nothing of the weight is kept on the device in between, with or without gradient checkpointing, so that a model
    needs the memory of its activations, its adapters and one layer. Every pass pays for the copy.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight = _waiting(layer.weight)  # plain tensors: `to` and `state_dict` leave them where they are
        self.bias = None if layer.bias is None else _waiting(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[..., in] → [..., out]."""
        return _Streamed.apply(x, self.weight, self.bias)  # pyright: ignore[reportReturnType]


class _Streamed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.waiting = weight  # not saved for backward: autograd would keep the copy
        here = {"device": x.device, "dtype": x.dtype, "non_blocking": True}
        return F.linear(x, weight.to(**here), None if bias is None else bias.to(**here))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        return gradient @ ctx.waiting.to(gradient.device, gradient.dtype, non_blocking=True), None, None


def stream_linears(network: nn.Module) -> int:
    """Put a StreamedLinear in the place of every frozen linear layer, in place; returns how many bytes wait then.

    Layers that are trained stay, so adapters have to be in the network before.
    """
    freed = 0
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear and not layer.weight.requires_grad:
                streamed = StreamedLinear(layer)
                setattr(parent, name, streamed)
                freed += sum(part.nbytes for part in (streamed.weight, streamed.bias) if part is not None)
    return freed


def _waiting(parameter: Tensor) -> Tensor:
    found = parameter.detach().cpu()
    return found.pin_memory() if torch.cuda.is_available() else found
