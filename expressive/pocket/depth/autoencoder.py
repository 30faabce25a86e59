"""PocketXL's auto-encoder behind the interface of diffusers' AutoencoderKL, as far as a Marigold pipeline uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...weights import reading_weights, write_weights
from ..xl.autoencoder import PocketAutoencoder
from ..xl.config import LATENTS, AutoencoderConfig, BaseConfig

KIND = "PocketAutoencoder"
"""What stands in config.json for the class's name."""
_WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Described:
    """The entries of AutoencoderKL's config that a pipeline reads; one level more than halvings of the picture."""

    block_out_channels: tuple[int, ...]
    latent_channels: int
    scaling_factor: float


class Encoded(NamedTuple):
    """latents: [N,4,H/r,W/r], not yet scaled by the config's factor."""

    latents: Tensor


class DepthAutoencoder(nn.Module):
    """`net` with other names for what it does. Deterministic."""

    def __init__(self, shape: AutoencoderConfig) -> None:
        super().__init__()
        self.shape = shape
        self.net = PocketAutoencoder(shape)
        self.config = Described((shape.widths[0], *shape.widths), LATENTS, shape.scale)

    @property
    def device(self) -> torch.device:
        return self.net.mean.device

    @property
    def dtype(self) -> torch.dtype:
        return self.net.mean.dtype

    def encode(self, pictures: Tensor) -> Encoded:
        """Pictures [N,3,H,W] in −1…1, H and W multiples of the ratio."""
        return Encoded(self.net.encode(pictures))

    def decode(self, latents: Tensor, return_dict: bool = True) -> tuple[Tensor]:
        """Latents [N,4,h,w] → (pictures [N,3,rh,rw],), nominally in −1…1; return_dict changes nothing."""
        return (self.net.decode(latents),)

    @classmethod
    def load(cls, folder: Path) -> DepthAutoencoder:
        """From config.json and weights, in float32. Raises ValueError for damaged files."""
        path = folder / "config.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            shape = BaseConfig.from_values(
                {"vae": {key: value for key, value in found.items() if not key.startswith("_")}}
            ).vae
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} does not describe a pocket auto-encoder: {error}. Make it anew.") from error
        made = cls(shape)
        with reading_weights(folder / _WEIGHTS) as opened:
            made.net.load_state_dict({key: opened.get_tensor(key).float() for key in opened.keys()})  # noqa: SIM118
        return made.eval().requires_grad_(False)

    def save(self, folder: Path, metadata: Mapping[str, object]) -> Path:
        """Write config.json and the weights in half precision; the file of the weights."""
        file = write_weights(
            folder / _WEIGHTS, {key: value.half() for key, value in self.net.state_dict().items()}, metadata
        )
        described = json.dumps({"_class_name": KIND, **asdict(self.shape)}, indent=2)
        (folder / "config.json").write_text(described + "\n", encoding="utf-8")
        return file
