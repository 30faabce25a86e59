"""The bundled face reader under the host's memory management."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor

from .pocket_files import MODELS

if TYPE_CHECKING:
    from ..expressive.pocket.reader.encoders import PocketEncoder

BATCH = 16  # pictures at a time


@dataclass(frozen=True)
class LoadedReader:
    """The reader, whole on a device; the host keeps it there as long as somebody holds this."""

    encoder: PocketEncoder
    device: torch.device
    patcher: comfy.model_patcher.ModelPatcher


def load_face_reader() -> LoadedReader:
    """Raises FileNotFoundError where its file is missing."""
    from ..expressive.pocket.reader.encoders import PocketEncoder

    encoder = PocketEncoder.load(MODELS)
    device = comfy.model_management.get_torch_device()
    rest = comfy.model_management.unet_offload_device()
    # its layers are torch's own, which the host cannot leave half on the device: 11 MB come whole
    patcher = comfy.model_patcher.ModelPatcher(encoder.reader.net, load_device=device, offload_device=rest)
    comfy.model_management.load_models_gpu([patcher], force_full_load=True)
    return LoadedReader(encoder, device, patcher)


def parts(image: Tensor, device: torch.device) -> Iterator[Tensor]:
    """Pictures [B,H,W,C] in small batches [≤16,3,H,W] on the device; the host's cancel ends it."""
    for part in image.split(BATCH):
        comfy.model_management.throw_exception_if_processing_interrupted()
        yield part[..., :3].movedim(-1, 1).float().to(device)  # b h w c → b c h w
