"""People whom no avatar may look like, such as those that the model was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from ..datasets.class_folders import is_emo135
from ..datasets.emo135 import read_emo135
from ..datasets.pictures import is_picture, open_picture
from ..encoders import IdentityReading
from ..finetune.judges import READER
from ..metrics.memorisation import Memorisation, memorisation


class KnownPeople:
    """encode: pictures [B,3,H,W] → embeddings. faces: [K,D] of length 1. files, people: [K] names; people may recur."""

    def __init__(
        self, encode: Callable[[Tensor], IdentityReading], faces: Tensor, files: Sequence[str], people: Sequence[str]
    ) -> None:
        self.encode, self.faces, self.files, self.people = encode, faces, list(files), list(people)

    @classmethod
    def load(cls, folder: Path, encoder: str, models: Path) -> KnownPeople:
        """All faces under a folder; in Emo135's layout with its identities, else everybody is somebody else.

        encoder: an InsightFace pack, or “reader” for drawn faces. Raises FileNotFoundError where weights or pictures
        are missing, and ValueError without an encoder or a face.
        """
        if not encoder:
            raise ValueError("checks.known compares faces: name an InsightFace pack, or “reader”, as checks.faces.")
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no folder {folder}, which checks.known names.")
        named = {path: path.name for path in sorted(folder.rglob("*")) if is_picture(path)}
        if is_emo135(folder):
            pictures = read_emo135(folder, "skip").pictures
            named = {picture.path: picture.identity or str(picture.path) for picture in pictures}
        encode = _encoder(encoder, models)
        faces, files, people = [], [], []
        for path, person in tqdm(named.items(), "known people"):
            reading = encode(_pixels(path))
            if bool(reading.found[0]):
                faces.append(reading.embeddings)
                files.append(path.relative_to(folder).as_posix())
                people.append(person)
        if not faces:
            raise ValueError(f"No face was found on the {len(named)} pictures of {folder}, which checks.known names.")
        return cls(encode, torch.cat(faces), files, people)

    def nearest(self, picture: Tensor) -> tuple[float, str]:
        """How like somebody known one picture [1,3,H,W] is, −1 … 1, and that one's file; 0 without a face."""
        likeness, place = (self.encode(picture).embeddings @ self.faces.T).max(1)
        return float(likeness), self.files[int(place)]

    @torch.no_grad()
    def memorised(self, pictures: Sequence[tuple[Path, object]]) -> Memorisation | None:
        """Whether painted people look like known ones more than strangers do; None with nothing to compare.

        pictures: (file, who is on it). Each painted person counts once, as the mean of the own pictures: a hundred
        pictures of one face are no hundred chances of meeting somebody.
        """
        faces: dict[object, list[Tensor]] = {}
        for file, person in tqdm(pictures, "identities"):
            reading = self.encode(_pixels(file))
            if bool(reading.found[0]):
                faces.setdefault(person, []).append(reading.embeddings)
        if not faces or len(set(self.people)) < 2:
            return None
        means = torch.stack([torch.cat(own).mean(0) for own in faces.values()])  # [P,D]
        return memorisation(functional.normalize(means, dim=1).numpy(), self.faces.numpy(), self.people)


def _pixels(file: Path) -> Tensor:
    """[1,3,H,W] in 0…1."""
    return torch.from_numpy(np.array(open_picture(file))).movedim(-1, 0)[None].float() / 255


def _encoder(name: str, models: Path) -> Callable[[Tensor], IdentityReading]:
    if name == READER:
        from ..pocket.reader.encoders import PocketEncoder

        return PocketEncoder.load(models).encode_identity
    from ..encoders.insightface import load_insightface

    return load_insightface(Path(name), differentiable=False).encode_identity
