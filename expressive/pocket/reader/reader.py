"""The face reader as others use it: load it, give it pictures, get everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ...weights import write_weights
from ..training.device import device_of
from .labels import tokens_of
from .net import FaceReaderNet, ReaderConfig, Reading

NAME = "face-reader"


class FaceReader:
    """A trained reader with frozen weights. Everything that it reads is differentiable with respect to the pictures."""

    def __init__(self, net: FaceReaderNet) -> None:
        self.net = net.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path, name: str = NAME) -> FaceReader:
        """Read `<name>.safetensors` from a folder.

        Raises FileNotFoundError, or ValueError for a file that is not a face reader's.
        """
        from safetensors import safe_open

        file = folder / f"{name}.safetensors"
        if not file.is_file():
            raise FileNotFoundError(f"{file.name} is not in {folder}; build it with: python run.py pocket reader")
        with safe_open(file, "pt") as opened:
            described = (opened.metadata() or {}).get("pocket.config")
            if described is None:
                raise ValueError(f"{file.name} is not a face reader's file: it does not say how the network is built.")
            state = {key: opened.get_tensor(key).float() for key in opened.keys()}  # noqa: SIM118
        net = FaceReaderNet(ReaderConfig.from_json(described))
        missing, unknown = net.load_state_dict(state, strict=False)
        missing = [key for key in missing if not key.endswith("num_batches_tracked")]
        if missing or unknown:
            raise ValueError(f"{file.name} does not fit the reader: without {missing}, with unknown {unknown}.")
        return cls(net)

    def save(self, folder: Path, name: str, metadata: Mapping[str, object]) -> Path:
        """Write `<name>.safetensors` in fp16. Values of `metadata` that are not text become JSON."""
        state = {key: value.half() for key, value in self.net.state_dict().items() if "num_batches_tracked" not in key}
        described = {**metadata, "pocket.config": self.net.config.to_json()}
        return write_weights(folder / f"{name}.safetensors", state, described)

    def to(self, device: torch.device | str) -> FaceReader:
        """Move the network; returns itself."""
        torch.nn.Module.to(self.net, torch.device(device))
        return self

    @property
    def device(self) -> torch.device:
        return device_of(self.net)

    def read(self, pictures: Tensor) -> Reading:
        """Everything about pictures float [B,3,H,W] in 0..1, of any size; on the network's device."""
        return self.net(pictures.to(self.device))

    def read_texts(self, texts: Sequence[str]) -> Tensor:
        """Texts → [B,128] of length 1, in one space with `Reading.image`. Words beyond the 77th token are left out.

        Raises ValueError for no text or an empty one.
        """
        if not texts:
            raise ValueError("Expected at least one text.")
        rows = [tokens_of(words) for words in texts]
        tokens = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.long)
        for index, row in enumerate(rows):
            tokens[index, : len(row)] = torch.tensor(row)
        return self.net.read_texts(tokens.to(self.device))
