"""What the real bases share: a folder in diffusers' layout, of which no more is in memory than is needed."""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .cache import weights_hash


class DiffusersFolder(ABC):
    """Text encoders and network are read when they are first needed, and never lie side by side.

    name: of the repository to download. parts: files and folders that have to be there. encoders: the text encoders
    among them. network: the folder of what is adapted.
    """

    name: str
    parts: tuple[str, ...]
    encoders: tuple[str, ...]
    network_part: str

    def __init__(self, folder: Path, device: torch.device | str, dtype: torch.dtype) -> None:
        """Raises FileNotFoundError, with what is missing, for a folder that is not one of this model."""
        if missing := [part for part in self.parts if not (folder / part).exists()]:
            raise FileNotFoundError(
                f"{folder} is not a folder of {self.name} in diffusers' layout: {missing[0]} is missing. Download all "
                f"of {self.name} and set base.path to that folder."
            )
        self._folder, self.device, self._dtype = folder, torch.device(device), dtype
        self.key = f"{weights_hash(*self._files(*self.encoders, 'vae'))} {dtype}"
        self.network_key = weights_hash(*self._files(self.network_part))
        self._network: nn.Module | None = None
        self._called: nn.Module | None = None
        self._forgotten = False
        self._pipeline: Any = self._read_pipeline(dict.fromkeys((*self.encoders, self.network_part)))
        self._vae = self._pipeline.vae.to(self.device).eval().requires_grad_(False)

    @property
    def network(self) -> nn.Module:
        """What is adapted, in the computer's memory: the training moves it, or parts of it, to the device."""
        if self._network is None:
            self._network = self._read_network().eval().requires_grad_(False)
        return self._network

    def use(self, network: nn.Module) -> None:
        """Call a wrapper of the network from now on."""
        self._called = network

    def forget_encoder(self) -> None:
        """Free the text encoders."""
        for part in self.encoders:
            setattr(self._pipeline, part, None)
        self._forgotten = True
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    @abstractmethod
    def _read_pipeline(self, absent: dict[str, None]) -> Any:
        """diffusers' own pipeline, without the parts that are `absent`."""

    @abstractmethod
    def _read_network(self) -> nn.Module: ...

    @abstractmethod
    def _read_encoder(self, part: str) -> nn.Module: ...

    def _with_encoders(self) -> Any:
        """The pipeline, its text encoders on the device. Raises RuntimeError once they were freed."""
        if self._forgotten:
            raise RuntimeError("The text encoder was freed already; encode every text before the training begins.")
        for part in self.encoders:
            if getattr(self._pipeline, part) is None:
                encoder = self._read_encoder(part).eval().requires_grad_(False)
                setattr(self._pipeline, part, nn.Module.to(encoder, self.device))
        return self._pipeline

    def _files(self, *parts: str) -> Sequence[Path]:
        return [file for part in parts for file in sorted((self._folder / part).glob("*.safetensors"))]
