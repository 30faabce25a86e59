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
from .alignment import ARCFACE_SIDE, found_crops, in_all_rows
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
        width: int,
        network: nn.Module | None = None,
    ) -> None:
        """embed: crops [n, 3, 112, 112] in −1..1 → [n, width]; it is `network`, where that is given."""
        self.name, self.finder, self.network = name, finder, network
        self.identity_width = width
        self.differentiable = network is not None
        self._embed = embed

    def find_faces(self, pictures: Tensor) -> FacePoints:
        """[B, 3, H, W] → the largest face of each picture."""
        return self.finder.find_faces(pictures)

    def encode_identity(self, pictures: Tensor, like: Tensor | None = None) -> IdentityReading:
        """[B, 3, H, W] → embeddings [B, 512] of length 1."""
        check_pictures(pictures)
        if like is not None and like.shape != pictures.shape:
            raise ValueError(
                f"The pictures that show where the faces are have shape {list(like.shape)}, but those to read have "
                f"{list(pictures.shape)}. Give the same number and size."
            )
        faces = self.find_faces(pictures if like is None else like)
        crops = found_crops(pictures.float(), faces)
        values = torch.zeros(0, self.identity_width)
        if len(crops):
            values = F.normalize(self._embed(crops * 2 - 1), dim=1)  # (255·x − 127.5) / 127.5
        return IdentityReading(in_all_rows(values, faces.found, pictures), faces.found)


def find_pack(folder: Path) -> tuple[str, Path, Path]:
    """(pack, detector file, recognition file) in `folder`, or in a folder in it (the published zip unpacks to a folder
    in a folder). FileNotFoundError that names the files if there is no whole pack."""
    places = [folder, *sorted(place for place in folder.glob("*") if place.is_dir())]
    places += [inner for name in PACKS for inner in [folder / name / name] if inner.is_dir()]
    for place in places:
        for pack, (detector, recognition) in PACKS.items():
            if (place / detector).is_file() and (place / recognition).is_file():
                return pack, place / detector, place / recognition
    wanted = ", or ".join(f"{detector} and {recognition} ({pack})" for pack, (detector, recognition) in PACKS.items())
    raise FileNotFoundError(f"There is no InsightFace pack in {folder}: it must hold {wanted}.")


def load_insightface(
    folder: Path,
    differentiable: bool = True,
    finder: FaceFinder | None = None,
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
) -> InsightFace:
    """A pack from its folder.

    differentiable: recognition in torch, which needs onnx and onnx2torch; otherwise in onnxruntime. finder: another
    detector than the pack's own. providers: onnxruntime's, for what runs there.
    Raises FileNotFoundError, ImportError or ValueError with one sentence.
    """
    pack, detector, recognition = find_pack(folder)
    finder = finder or Scrfd.load(detector, providers=providers)
    name = f"InsightFace {pack}"
    if differentiable:
        network = load_recognition(recognition)
        return InsightFace(name, finder, lambda crops: _embed_in_torch(network, crops), _width(network), network)
    session = open_onnx(recognition, "the recognition network", providers)
    entry, output = session.get_inputs()[0], session.get_outputs()[0]
    if list(entry.shape[1:]) != [3, ARCFACE_SIDE, ARCFACE_SIDE] or len(session.get_outputs()) != 1:
        raise ValueError(_not_recognition(recognition, list(entry.shape[1:])))

    def embed(crops: Tensor) -> Tensor:
        # one by one: some published files fix the batch size to 1
        rows = [session.run([output.name], {entry.name: crop[None].detach().cpu().numpy()})[0] for crop in crops]
        return torch.from_numpy(np.concatenate(rows))

    return InsightFace(name, finder, embed, int(output.shape[-1]))


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


def _embed_in_torch(network: nn.Module, crops: Tensor) -> Tensor:
    return network(loading.to_network(crops, network))


def _width(network: nn.Module) -> int:
    device = next(network.parameters()).device
    with torch.no_grad():
        return network(torch.zeros(1, 3, ARCFACE_SIDE, ARCFACE_SIDE, device=device)).shape[-1]
