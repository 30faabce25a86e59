"""LPIPS (Zhang et al. 2018, arXiv 1801.03924): how different two pictures look. Lower is more alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import loading
from .interfaces import check_pictures

BACKBONE = "alexnet-owt-7be5be79.pth"
"""torchvision's AlexNet, trained on ImageNet; the calibrated layers on top of it come with the package lpips."""


class Lpips:
    """Version 0.1 over AlexNet, which the authors recommend for measuring."""

    name = "LPIPS (AlexNet)"
    licence = "BSD-2-Clause; AlexNet BSD-3-Clause"

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    @torch.no_grad()
    def distances(self, one: Tensor, other: Tensor) -> Tensor:
        """Pictures [B,3,H,W] in 0…1 of one size → [B], from 0 up. ValueError for other shapes."""
        check_pictures(one)
        check_pictures(other)
        if one.shape != other.shape:
            raise ValueError(
                f"LPIPS compares pictures of one size, but these are {list(one.shape)} and {list(other.shape)}."
            )
        found = self.network(*(loading.to_network(part, self.network) * 2 - 1 for part in (one, other)))  # [B,1,1,1]
        return found.flatten().to(one.device)


def load_lpips(file: Path) -> Lpips:
    """From torchvision's AlexNet file (BACKBONE).

    Raises FileNotFoundError or ValueError for a file that is missing or another network's, and ImportError.
    """
    purpose = "torchvision's AlexNet"
    package: Any = loading.package("lpips", "measure how different pictures look")
    network = package.LPIPS(net="alex", pnet_rand=True, verbose=False)
    weights = torch.load(loading.file(file, purpose), map_location="cpu", weights_only=True)
    places = {
        key.partition(".")[2]: f"net.{key}"
        for key in network.net.state_dict()  # "slice2.3.weight" is AlexNet's "features.3.weight"
    }
    state = {
        places[rest]: value
        for key, value in weights.items()
        if key.startswith("features.") and (rest := key.removeprefix("features.")) in places
    }
    loading.all_keys({f"net.{key}" for key in network.net.state_dict()} - state.keys(), (), purpose, file)
    network.load_state_dict(state, strict=False)
    return Lpips(loading.freeze(network))
