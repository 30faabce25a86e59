"""Files in the layouts of the published encoders, made here, small and with random weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def pack_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like antelopev2's, with a detector of red squares."""
    from .onnx_packs import detector, recognition

    folder = tmp_path_factory.mktemp("antelopev2")
    detector(folder / "scrfd_10g_bnkps.onnx")
    recognition(folder / "glintr100.onnx")
    return folder


@pytest.fixture
def red_squares() -> Tensor:
    """[3, 3, 160, 200], dark noise with squares of 10 pixels: a red one at (70, 60); none; a red one at (40, 60) and a
    violet one, which counts as larger, at (150, 100)."""
    pictures = 0.2 * torch.rand(3, 3, 160, 200, generator=torch.Generator().manual_seed(3))
    for picture, left, top, blue in ((0, 70, 60, 0.0), (2, 40, 60, 0.0), (2, 150, 100, 1.0)):
        pictures[picture, :, top : top + 10, left : left + 10] = torch.tensor([1.0, 0.0, blue])[:, None, None]
    return pictures
