"""The frozen encoders that a configuration names, as losses and the calibration use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .cache import weights_hash
from .calibrate import Scores
from .config import Objective
from .pixelsmile import Judge, Judges

if TYPE_CHECKING:
    from ..encoders import FacePoints
    from ..pocket.reader.encoders import PocketEncoder

READER = "reader"
"""The bundled face reader, which knows drawn faces."""
READER_FILE = "face-reader.safetensors"


def judges_of(objective: Objective, models: Path, device: torch.device) -> Judges:
    """The encoders of the losses that weigh something.

    models: the pack's own weights, for the encoder “reader”; others are folders: of a CLIP model for the contrast, of
    an InsightFace pack for the identity. Raises FileNotFoundError where files are missing, and ValueError where a loss
    counts and nothing says by which encoder.
    """
    contrast, identity = objective.contrast, objective.identity
    return Judges(
        contrast=_contrast(_named(contrast.encoder, "contrast", "a CLIP model"), models, device)
        if contrast.weight > 0
        else None,
        identity=_identity(_named(identity.encoder, "identity", "an InsightFace pack"), models, device)
        if identity.weight > 0
        else None,
    )


def expression_scores(models: Path, device: torch.device) -> Scores:
    """The reader's twelve intensities of pictures. Raises FileNotFoundError where its file is missing."""
    from ..metrics.readings import read_faces

    reader = _reader(models, device)
    return lambda pictures: [reading.scores for reading in read_faces(reader, pictures)]


def _named(encoder: str, loss: str, kind: str) -> str:
    if not encoder:
        raise ValueError(
            f"objective.{loss}.encoder is not set: name the folder of {kind}, or “{READER}” for drawn faces; or set "
            f"objective.{loss}.weight to 0."
        )
    return encoder


def _reader(models: Path, device: torch.device) -> PocketEncoder:
    from ..pocket.reader.encoders import PocketEncoder

    encoder = PocketEncoder.load(models)
    encoder.reader.to(device)
    return encoder


def _contrast(name: str, models: Path, device: torch.device) -> Judge:
    if name == READER:
        reader = _reader(models, device)
        key = f"expression {weights_hash(models / READER_FILE)}"
        return Judge(key, lambda pictures, faces: reader.encode_expression(pictures).embeddings)
    from ..encoders.clip import load_clip

    clip = load_clip(Path(name))
    nn.Module.to(clip.network, device)
    key = f"clip pooled {weights_hash(*sorted(Path(name).glob('*.safetensors')))}"
    return Judge(key, lambda pictures, faces: clip.encode_pooled(pictures))


def _identity(name: str, models: Path, device: torch.device) -> Judge:
    if name == READER:
        reader = _reader(models, device)
        key = f"identity {weights_hash(models / READER_FILE)}"
        return Judge(key, lambda pictures, faces: reader.encode_identity(pictures).embeddings)
    from ..encoders.insightface import find_pack, load_insightface

    found = load_insightface(Path(name))
    if found.network is not None:
        nn.Module.to(found.network, device)

    def features(pictures: Tensor, faces: FacePoints | None) -> Tensor:
        return found.encode_identity(pictures, faces).embeddings

    return Judge(f"arcface {weights_hash(*find_pack(Path(name))[1:])}", features, found.find_faces)
