"""POSTER from its checkpoint: which of seven or eight expressions, and the embedding that "Exp." is measured in."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from . import loading
from .alignment import found_crops, in_all_rows, places_of
from .interfaces import ExpressionReading, FaceFinder, FacePoints, check_pictures
from .poster_network import WIDTH, Poster

CLASSES = {
    "raf-db": ("surprised", "fear", "disgust", "happy", "sad", "angry", "neutral"),
    "affectnet-7": ("neutral", "happy", "sad", "surprised", "fear", "disgust", "angry"),
    "affectnet-8": ("neutral", "happy", "sad", "surprised", "fear", "disgust", "angry", "contempt"),
}
"""Training set → its classes in the order of the logits, in PixelSmile's words."""

SIDE = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BLOCK = re.compile(r"pyramid_fuse\.blocks\.(\d+)\.")


class PosterEncoder:
    """ExpressionEncoder. Embeddings are the 512 features before the classifier, as they are (not normalised)."""

    licence = (
        "POSTER: MIT by its README, Apache-2.0 by its LICENSE file; trained on RAF-DB or AffectNet, which are for "
        "non-commercial research only."
    )
    differentiable = True
    input_size: int | None = SIDE
    expression_width = WIDTH
    exclusive = True

    def __init__(self, network: Poster, dataset: str, finder: FaceFinder | None = None) -> None:
        """dataset: one of CLASSES. finder: cuts out and turns the face upright; None: the pictures are such cuts
        already, and a face is taken to be in each of them."""
        self.network = network
        self.name = f"POSTER ({dataset})"
        self.expression_classes = CLASSES[dataset]
        # cv2.imread without a conversion in the RAF-DB loader: those checkpoints know faces with blue and red swapped
        self._swapped = dataset == "raf-db"
        self._finder = finder
        self._mean = torch.tensor(_MEAN)[:, None, None]
        self._deviation = torch.tensor(_DEVIATION)[:, None, None]

    def encode_expression(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> ExpressionReading:
        """[B, 3, H, W] → embeddings [B, 512] and probabilities [B, 7 or 8]."""
        check_pictures(pictures)
        if self._finder is None:
            found = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
            faces = pictures
        else:
            places = places_of(self._finder, pictures, like)
            found, faces = places.found, found_crops(pictures.float(), places, SIDE)
        embeddings, scores = torch.zeros(0, WIDTH), torch.zeros(0, len(self.expression_classes))
        if len(faces):
            logits, embeddings = self.network(self._prepared(faces))
            scores = logits.softmax(dim=1)
        return ExpressionReading(
            in_all_rows(embeddings, found, pictures), in_all_rows(scores, found, pictures), found.to(pictures.device)
        )

    def _prepared(self, faces: Tensor) -> Tensor:
        x = loading.to_network(faces, self.network)
        if x.shape[-2:] != (SIDE, SIDE):
            x = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=True)
        if self._swapped:
            x = x.flip(1)
        # mean and deviation follow the channels' places, not their colours, as in the original
        return (x - self._mean.to(x)) / self._deviation.to(x)


def load_poster(path: Path, dataset: str | None = None, finder: FaceFinder | None = None) -> PosterEncoder:
    """From a checkpoint of the original repository (`rafdb_best.pth`).

    dataset: one of CLASSES, or None: told from the file (token-mixing convolutions are in the network for RAF-DB alone;
    eight classes are AffectNet's). finder: see PosterEncoder.
    Raises FileNotFoundError or ValueError with one sentence.
    """
    state = _state(loading.file(path, "the POSTER checkpoint"), path)
    blocks = {int(match[1]) for match in map(_BLOCK.match, state) if match}
    head = state.get("head.linear.bias")
    if not blocks or head is None:
        loading.all_keys(sorted(set(Poster(depth=1).state_dict()) - set(state)), (), "a POSTER checkpoint", path)
        raise ValueError(f"{path.name} is not a POSTER checkpoint: it has no fusion blocks. Choose another file.")
    mixed = "pyramid_fuse.blocks.0.block_l.conv.weight" in state
    if dataset is None:
        dataset = "affectnet-8" if len(head) == 8 else "raf-db" if mixed else "affectnet-7"
    if dataset not in CLASSES:
        raise ValueError(f"“{dataset}” is no training set of POSTER. Choose one of {', '.join(CLASSES)}.")
    if len(CLASSES[dataset]) != len(head):
        raise ValueError(
            f"{path.name} tells {len(head)} expressions apart, but {dataset} has {len(CLASSES[dataset])}. Choose the "
            "training set of this checkpoint."
        )
    with torch.device("meta"):
        network = Poster(len(head), len(blocks), mixed)
    wanted = network.state_dict()
    loading.all_keys(
        [key for key in wanted if key not in state],
        [key for key in state if key not in wanted],
        "a POSTER checkpoint",
        path,
    )
    for key, weight in wanted.items():
        if state[key].shape != weight.shape:
            raise ValueError(
                f"{path.name} is not a POSTER checkpoint: {key} has shape {list(state[key].shape)}, not "
                f"{list(weight.shape)}. Choose another file."
            )
    network.load_state_dict(state, assign=True)
    return PosterEncoder(network.eval().float().requires_grad_(False), dataset, finder)


def _state(file: Path, path: Path) -> dict[str, Tensor]:
    """The weights in the file, without the `module.` that several GPUs put before the names."""
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path.name} is not a checkpoint of weights alone (or is damaged), so it is not loaded. Download it again."
        ) from error
    if isinstance(loaded, Mapping):
        loaded = loaded.get("model_state_dict", loaded)
    if not isinstance(loaded, Mapping) or not all(isinstance(weight, Tensor) for weight in loaded.values()):
        raise ValueError(f"{path.name} holds no weights under “model_state_dict”, so it is not a POSTER checkpoint.")
    return {str(key).removeprefix("module."): weight for key, weight in loaded.items()}
