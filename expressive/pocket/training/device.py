"""Where training runs: on a CUDA device if there is one, else on the CPU; in bf16 where the machine is quick at it."""

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


def quick_bf16(device: torch.device) -> bool:
    """Whether bf16 is worth it. A CPU without AVX-512 BF16 or AMX (any before Zen 4 or Cooper Lake) imitates it, and
    its products of matrices then take 70 times as long as in fp32."""
    if device.type != "cpu":
        return True
    known = torch.cpu.get_capabilities()
    return any(known.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def bf16(device: torch.device) -> torch.autocast:
    """Mixed precision as a context, where this device is quick at it; else a context that changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=quick_bf16(device))
