"""InsightFace's model packs antelopev2 and buffalo_l: who is it?

Detection by SCRFD, alignment by five points, ArcFace embeddings (Deng et al. 2019). As a loss, the recognition network
runs in torch (converted by onnx2torch) and gradients flow to the pictures; the detector's places are constants.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import loading
from .alignment import ARCFACE_SIDE, found_crops, in_all_rows, places_of
from .interfaces import FaceFinder, FacePoints, IdentityReading, check_pictures
from .scrfd import LICENCE, Scrfd, open_onnx

PACKS = {
    "antelopev2": ("scrfd_10g_bnkps.onnx", "glintr100.onnx"),
    "buffalo_l": ("det_10g.onnx", "w600k_r50.onnx"),
}
"""Pack → its detector's and its recognition network's file names."""


class InsightFace:
    """IdentityEncoder and FaceFinder."""

    licence = LICENCE
    input_size: int | None = ARCFACE_SIDE

    def __init__(
        self,
        name: str,
        finder: FaceFinder,
        embed: Callable[[Tensor], Tensor],
        network: nn.Module | None = None,
    ) -> None:
        """embed: crops [n, 3, 112, 112] in −1..1 → [n, D]; by way of `network`, where that is given."""
        self.name, self.finder, self.network = name, finder, network
        self.differentiable = network is not None
        self._embed = embed
        with torch.no_grad():
            self.identity_width = embed(torch.zeros(1, 3, ARCFACE_SIDE, ARCFACE_SIDE)).shape[1]

    def find_faces(self, pictures: Tensor) -> FacePoints:
        """[B, 3, H, W] → the largest face of each picture."""
        return self.finder.find_faces(pictures)

    def encode_identity(self, pictures: Tensor, like: Tensor | FacePoints | None = None) -> IdentityReading:
        """[B, 3, H, W] → embeddings [B, 512] of length 1."""
        check_pictures(pictures)
        faces = places_of(self.finder, pictures, like)
        crops = found_crops(pictures.float(), faces)
        values = torch.zeros(0, self.identity_width)
        if len(crops):
            values = F.normalize(self._embed(crops * 2 - 1), dim=1)  # (255·x − 127.5) / 127.5
        return IdentityReading(in_all_rows(values, faces.found, pictures), faces.found)


def find_pack(folder: Path, pack: str | None = None) -> tuple[str, Path, Path]:
    """(pack, detector file, recognition file) in `folder` or up to three folders deeper: packs lie in
    insightface/models, and the published zip unpacks to a folder in a folder. pack: one of PACKS, or None for the first
    that is whole. FileNotFoundError that names the files if there is none; ValueError for an unknown name."""
    if pack is not None and pack not in PACKS:
        raise ValueError(f"“{pack}” is no pack of InsightFace that is known here. Choose one of {', '.join(PACKS)}.")
    chosen = {pack: PACKS[pack]} if pack else PACKS
    for name, (detector, recognition) in chosen.items():
        for depth in ("", "*/", "*/*/", "*/*/*/"):
            for found in sorted(folder.glob(depth + recognition)):
                if (found.parent / detector).is_file():
                    return name, found.parent / detector, found
    wanted = ", or ".join(f"{detector} and {recognition} ({name})" for name, (detector, recognition) in chosen.items())
    raise FileNotFoundError(f"There is no whole InsightFace pack in {folder}: it must hold {wanted}.")


def load_insightface(
    folder: Path,
    differentiable: bool = True,
    pack: str | None = None,
    finder: FaceFinder | None = None,
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
) -> InsightFace:
    """A pack from its folder, or from one above (see find_pack for `pack`).

    differentiable: recognition in torch, which needs onnx and onnx2torch; otherwise in onnxruntime. finder: another
    detector than the pack's own. providers: onnxruntime's, for what runs there.
    Raises FileNotFoundError, ImportError or ValueError with one sentence.
    """
    pack, detector, recognition = find_pack(folder, pack)
    finder = finder or Scrfd.load(detector, providers=providers)
    name = f"InsightFace {pack}"
    if differentiable:
        network = load_recognition(recognition)
        return InsightFace(name, finder, lambda crops: network(loading.to_network(crops, network)), network)
    session = open_onnx(recognition, "the recognition network", providers)
    entry, output = session.get_inputs()[0], session.get_outputs()[0]
    if list(entry.shape[1:]) != [3, ARCFACE_SIDE, ARCFACE_SIDE] or len(session.get_outputs()) != 1:
        raise ValueError(_not_recognition(recognition, list(entry.shape[1:])))

    def embed(crops: Tensor) -> Tensor:
        # one by one: some published files fix the batch size to 1
        rows = [session.run([output.name], {entry.name: crop[None].detach().cpu().numpy()})[0] for crop in crops]
        return torch.from_numpy(np.concatenate(rows))

    return InsightFace(name, finder, embed)


def load_recognition(path: Path) -> nn.Module:
    """The recognition network as a frozen torch module: [n, 3, 112, 112] → [n, 512]."""
    onnx = loading.package("onnx", "read InsightFace's recognition network")
    converter = loading.package("onnx2torch", "run InsightFace's recognition network in torch")
    loading.file(path, "the recognition network")
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's own class, which differs between versions
        raise ValueError(f"{path.name} is not an ONNX file. Download it again.") from error
    dims = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim] if model.graph.input else []
    if dims[1:] != [3, ARCFACE_SIDE, ARCFACE_SIDE] or len(model.graph.output) != 1:
        raise ValueError(_not_recognition(path, dims[1:]))
    try:
        network = converter.convert(model)
    except NotImplementedError as error:
        raise ValueError(
            f"{path.name} cannot run in torch ({error}), so it cannot serve as a loss. Use glintr100.onnx or "
            "w600k_r50.onnx, or load it as not differentiable."
        ) from error
    return loading.freeze(network)


def _not_recognition(path: Path, dims: list[int]) -> str:
    return (
        f"{path.name} is not a recognition network: it takes pictures of shape {dims}, not [3, 112, 112]. Use "
        "glintr100.onnx or w600k_r50.onnx."
    )
