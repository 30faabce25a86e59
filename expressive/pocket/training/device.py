"""Where training runs: on a CUDA device if there is one, else on the CPU; in bf16 on both."""

from __future__ import annotations

import torch
from torch import nn


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_of(module: nn.Module) -> torch.device:
    """The device of a module's weights."""
    return next(module.parameters()).device


def place(*modules: nn.Module) -> None:
    """Move modules to the best device."""
    for module in modules:
        nn.Module.to(module, best_device())  # typed for any module, unlike the libraries' own overloads


def bf16(device: torch.device) -> torch.autocast:
    """Mixed precision on this device, as a context."""
    return torch.autocast(device.type, torch.bfloat16)
