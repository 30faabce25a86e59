"""The frozen encoders that a configuration names, as losses and the calibration use them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .cache import weights_hash
from .calibrate import Scores
from .config import Expression, Identity, Objective
from .encoded import Judge
from .pixelsmile import Judges

if TYPE_CHECKING:
    from ..encoders import FaceFinder, FacePoints
    from ..pocket.reader.encoders import PocketEncoder

READER = "reader"
"""The bundled face reader, which knows drawn faces."""
READER_FILE = "face-reader.safetensors"


def identity_judge(how: Identity, models: Path, device: torch.device) -> Judge | None:
    """The encoder of the identity loss; None where it weighs nothing. Raises as `judges_of`."""
    if how.weight == 0:
        return None
    return _identity(_named(how.encoder, "objective.identity", "an InsightFace pack"), models, device)


def judges_of(objective: Objective, models: Path, device: torch.device) -> Judges:
    """The encoders of the losses that weigh something.

    models: the pack's own weights, for the encoder “reader”; others are folders: of a CLIP model for the contrast, of
    an InsightFace pack for the identity. Raises FileNotFoundError where files are missing, and ValueError where a loss
    counts and nothing says by which encoder.
    """
    contrast = objective.contrast
    return Judges(
        contrast=_contrast(_named(contrast.encoder, "objective.contrast", "a CLIP model"), models, device)
        if contrast.weight > 0
        else None,
        identity=identity_judge(objective.identity, models, device),
    )


def expression_judge(
    how: Expression, finder: str, models: Path, device: torch.device, table: str = "painting.expression"
) -> Judge | None:
    """The encoder of GenEAva's expression loss; None where it weighs nothing.

    finder: who looks for faces, see `face_finder`. table: of the configuration, for what is said. Raises
    FileNotFoundError where files are missing, and ValueError where nothing says by which encoder.
    """
    if how.weight == 0:
        return None
    name = _named(how.encoder, table, "a POSTER checkpoint")
    if name == READER:
        return _contrast(name, models, device)
    from ..encoders.poster import load_poster

    places = face_finder(finder, models, device)
    poster = load_poster(Path(name), finder=places)
    nn.Module.to(poster.network, device)

    def features(pictures: Tensor, faces: FacePoints | None) -> Tensor:
        return poster.encode_expression(pictures, faces).embeddings

    key = f"poster {weights_hash(Path(name))} {finder_key(finder, models)}"
    return Judge(key, features, places.find_faces if places is not None else None)


def finder_key(name: str, models: Path) -> str:
    """Of the weights of `face_finder`; empty for nobody."""
    if not name:
        return ""
    if name == READER:
        return weights_hash(models / READER_FILE)
    from ..encoders.insightface import find_pack

    return weights_hash(find_pack(Path(name))[1])


def face_finder(name: str, models: Path, device: torch.device) -> FaceFinder | None:
    """Who looks for faces: the reader, an InsightFace pack's detector, or nobody for an empty name."""
    if not name:
        return None
    if name == READER:
        from ..encoders.landmark_faces import LandmarkFaces

        return LandmarkFaces(_reader(models, device))
    from ..encoders.insightface import find_pack
    from ..encoders.scrfd import Scrfd

    return Scrfd.load(find_pack(Path(name))[1])


def expression_scores(models: Path, device: torch.device) -> Scores:
    """The reader's twelve intensities of pictures. Raises FileNotFoundError where its file is missing."""
    from ..metrics.readings import read_faces

    reader = _reader(models, device)
    return lambda pictures: [reading.scores for reading in read_faces(reader, pictures)]


def _named(encoder: str, table: str, kind: str) -> str:
    if not encoder:
        raise ValueError(
            f"{table}.encoder is not set: name the path of {kind}, or “{READER}” for drawn faces; or set "
            f"{table}.weight to 0."
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
