"""The frozen encoders that a configuration names, as functions from pictures to features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .calibrate import Scores
from .config import Objective
from .pixelsmile import Features, Judges

if TYPE_CHECKING:
    from ..encoders import IdentityEncoder
    from ..pocket.reader.encoders import PocketEncoder

READER = "reader"
"""The bundled face reader, which knows drawn faces."""


def judges_of(objective: Objective, models: Path, device: torch.device | str = "cpu") -> Judges:
    """The encoders of the losses that weigh something.

    models: the pack's own weights, for the encoder “reader”; others are folders: of a CLIP vision model for the
    contrast, of an InsightFace model for the identity. Raises FileNotFoundError where files are missing.
    """
    contrast = objective.contrast.encoder if objective.contrast.weight > 0 else ""
    identity = objective.identity.encoder if objective.identity.weight > 0 else ""
    reader = _reader(models, device) if READER in (contrast, identity) else None
    return Judges(
        contrast=_contrast(contrast, reader, device) if contrast else None,
        identity=_identity(identity, reader, device) if identity else None,
    )


def expression_scores(models: Path, device: torch.device | str = "cpu") -> Scores:
    """The reader's twelve intensities of pictures. Raises FileNotFoundError where its file is missing."""
    from ..metrics.readings import read_faces

    reader = _reader(models, device)
    return lambda pictures: [reading.scores for reading in read_faces(reader, pictures)]


def _reader(models: Path, device: torch.device | str) -> PocketEncoder:
    from ..pocket.reader.encoders import PocketEncoder

    encoder = PocketEncoder.load(models)
    encoder.reader.to(device)
    return encoder


def _contrast(name: str, reader: PocketEncoder | None, device: torch.device | str) -> Features:
    if name == READER and reader is not None:
        return lambda pictures: reader.encode_expression(pictures).embeddings
    from ..encoders.clip import load_clip

    clip = load_clip(Path(name))
    if clip.network is not None:
        nn.Module.to(clip.network, torch.device(device))
    return clip.encode_image


def _identity(name: str, reader: PocketEncoder | None, device: torch.device | str) -> Features:
    if name == READER and reader is not None:
        return _embeddings(reader)
    from ..encoders.insightface import load_insightface

    return _embeddings(load_insightface(Path(name)))


def _embeddings(encoder: IdentityEncoder) -> Features:
    def features(pictures: Tensor) -> Tensor:
        return encoder.encode_identity(pictures).embeddings

    return features
