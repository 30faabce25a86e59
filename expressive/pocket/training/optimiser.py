"""Muon (Jordan et al., 2024) for matrices and kernels, AdamW for the rest; and the moving average of weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from .device import quick_bf16

_NOT_MATRICES = ("embedding", "img_mod", "txt_mod", "norm", "time_text_embed", "conv_in", "conv_out", "proj_out")


class Muon(torch.optim.Muon):
    """PyTorch's Muon, which orthogonalises in bf16 alone, with fp32 on machines that are slow at bf16."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One step from the gradients that are there."""
        if all(quick_bf16(p.device) for group in self.param_groups for p in group["params"]):
            super().step(closure)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                buffer = self.state[parameter].setdefault("momentum_buffer", torch.zeros_like(parameter))
                buffer.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(buffer, group["momentum"]) if group["nesterov"] else buffer
                scale = 0.2 * max(parameter.shape) ** 0.5  # "match_rms_adamw"
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(orthogonal(update, *group["ns_coefficients"]), alpha=-group["lr"] * scale)


def orthogonal(matrix: Tensor, a: float, b: float, c: float, steps: int = 5) -> Tensor:
    """Newton–Schulz iteration towards the nearest matrix with orthonormal rows or columns, in the matrix's type."""
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class MuonAdamW:
    """Two optimisers that step together.

    A convolution kernel counts as a matrix [out, in·k·k]. Of a causal 3-D kernel only the last time slice is trained
    (see `still`). Muon's update is scaled to the root mean square of AdamW's, so that one learning rate serves both.
    """

    def __init__(self, modules: Iterable[nn.Module], lr: float, weight_decay: float = 0.01) -> None:
        named = [(name, p) for module in modules for name, p in module.named_parameters() if p.requires_grad]
        named = [(name, p) for name, p in named if "time_conv" not in name]
        is_matrix = [
            p.ndim >= 2 and min(p.shape[:2]) > 1 and not any(w in name for w in _NOT_MATRICES) for name, p in named
        ]
        kernels = [p for (_, p), matrix in zip(named, is_matrix, strict=True) if matrix and p.ndim > 2]
        self._kernels = [(p, nn.Parameter(_flat(p).clone())) for p in kernels]
        matrices = [p for (_, p), matrix in zip(named, is_matrix, strict=True) if matrix and p.ndim == 2]
        rest = [p for (_, p), matrix in zip(named, is_matrix, strict=True) if not matrix]
        self.parameters = [p for _, p in named]
        self.lr = lr
        self._optimisers: list[torch.optim.Optimizer] = [
            Muon(
                [*matrices, *(flat for _, flat in self._kernels)],
                lr=lr,
                weight_decay=weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.98), weight_decay=0.0),
        ]

    def step(self, scale: float) -> None:
        """One step at `scale` times the learning rate, from the gradients that are there; clears them."""
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for kernel, flat in self._kernels:
            if kernel.grad is not None:
                flat.grad = _flat(kernel.grad)
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.lr * scale
            optimiser.step()
        with torch.no_grad():
            for kernel, flat in self._kernels:
                _flat_view(kernel).copy_(flat.view_as(_flat_view(kernel)))
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        return {"optimisers": [o.state_dict() for o in self._optimisers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Call after the modules' weights have been loaded."""
        for optimiser, saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for kernel, flat in self._kernels:
            flat.data.copy_(_flat(kernel.data))


def _flat_view(kernel: Tensor) -> Tensor:
    return kernel.detach()[:, :, -1] if kernel.ndim == 5 else kernel.detach()


def _flat(kernel: Tensor) -> Tensor:
    return _flat_view(kernel).reshape(kernel.shape[0], -1)


class MovingAverage:
    """Exponential moving average of weights; the decay ramps up as (1 + n) / (10 + n), so it never lags early."""

    def __init__(self, modules: Iterable[nn.Module], limit: float) -> None:
        self._live = [p for module in modules for p in module.parameters()]
        self.weights = [p.detach().clone() for p in self._live]
        self.limit, self.updates = limit, 0

    def update(self) -> None:
        self.updates += 1
        decay = min(self.limit, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            for average, live in zip(self.weights, self._live, strict=True):
                average.lerp_(live, 1 - decay)

    def swap(self) -> None:
        """Exchange average and live weights; call twice around an evaluation."""
        for average, live in zip(self.weights, self._live, strict=True):
            kept = live.detach().clone()
            live.data.copy_(average)
            average.copy_(kept)

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self.weights, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for average, saved in zip(self.weights, state["weights"], strict=True):
            average.copy_(saved)
        self.updates = state["updates"]
