"""What a training changes in a network, and how that is written: adapters of LoRA, or all weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from .bases import EditBase
from .config import Config
from .hearing import PARTS
from .lora import LoraShape, add_lora, save_lora
from .painting import PaintBase
from .trained import train_all

log = logging.getLogger(__name__)


class Change(Protocol):
    """Something in a network that is trained."""

    said: str  # how much it is, for people
    suffix: str  # of the architecture's name in the metadata
    metadata: Mapping[str, object]

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write it as the host loads it; the file."""
        ...


class LoraChange:
    """Adapters in the layers that a configuration names. Raises ValueError where a name matches none."""

    suffix = "/lora"

    def __init__(self, config: Config, base: EditBase | PaintBase) -> None:
        lora = config.lora
        self._network, self._naming = base.network, base.naming
        self._shape = LoraShape(lora.rank, lora.alpha, lora.dropout, lora.targets or tuple(base.targets))
        adapted = add_lora(self._network, self._shape)
        if lora.text_encoders and not all(any(name.startswith(f"{part}.") for name in adapted) for part in PARTS):
            raise ValueError("lora.targets names no layers of the text encoders, and lora.text_encoders is true.")
        self.said = f"{len(adapted)} layers adapted"
        self.metadata: Mapping[str, object] = {
            "expressive.domain": config.objective.domain,
            "expressive.rank": lora.rank,
            "expressive.alpha": lora.alpha,
        }

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write `name`.safetensors."""
        file = folder / f"{name}.safetensors"
        count = save_lora(file, self._network, self._shape, self._naming, metadata)
        log.info("all %d layers of the file fit", count)
        return file


class FullChange:
    """All weights of a painting model's network."""

    suffix = ""

    def __init__(self, base: PaintBase) -> None:
        self._base = base
        self.said = f"{train_all(base.network):,} weights"
        self.metadata: Mapping[str, object] = {}

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write the network."""
        return self._base.save_network(folder, name, metadata)


def lighten(network: nn.Module, checkpointing: bool, offload: bool) -> None:
    """Give up time for memory: compute blocks twice, keep frozen layers off the device."""
    from .offload import stream_linears

    net: Any = network
    if checkpointing and hasattr(net, "enable_gradient_checkpointing"):
        net.enable_gradient_checkpointing()
    network.train()
    if offload:
        log.info("%.1f GB of frozen layers wait in the computer's memory", stream_linears(network) / 1e9)
