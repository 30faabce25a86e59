"""Which weights of a network are trained: its adapters, or all of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


def train_all(network: nn.Module) -> int:
    """Let all weights of a network be trained, in fp32, since small updates of shorter numbers would round away.

    Returns how many there are.
    """
    network.float().requires_grad_(True)
    return sum(parameter.numel() for parameter in network.parameters())


def trained(network: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by name, in the network's order."""
    return {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}


def trained_state(network: nn.Module) -> dict[str, Tensor]:
    """Their values on the CPU in fp32; no copies where they are there already."""
    return {name: parameter.detach().float().cpu() for name, parameter in trained(network).items()}


@torch.no_grad()
def load_trained_state(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Inverse of `trained_state`. Raises ValueError where other weights are trained."""
    own = trained(network)
    if own.keys() != state.keys():
        wrong = sorted(own.keys() ^ state.keys())
        raise ValueError(f"These weights are of other layers: {len(wrong)} names differ, such as {wrong[0]}.")
    for name, parameter in own.items():
        parameter.copy_(state[name])
