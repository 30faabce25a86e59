"""LoadMarigold: what finds depth in pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import folder_paths
import torch
from comfy_api.latest import io, ui

from .model_folders import MARIGOLD
from .sockets import Marigold as MarigoldSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.vision.depth import Marigold

NONE = "(no model yet)"
DIFFUSERS = "diffusers"  # a folder of the host's own, where other packs put Marigold
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class LoadedMarigold:
    """The model; `patcher` brings it to the device."""

    marigold: Marigold
    patcher: comfy.model_patcher.ModelPatcher


class LoadMarigold(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadMarigold",
            display_name="Load Marigold",
            category="Expressive Avatars/loaders",
            description="Loads a Marigold model that finds depth in pictures, for Marigold Depth.",
            search_aliases=["depth estimation", "depth model", "monocular depth", "diffusers", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=list(marigold_folders()) or [NONE],
                    tooltip="A folder of models/marigold or models/diffusers in the layout of "
                    "prs-eth/marigold-depth-v1-1.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=["auto", *DTYPES],
                    tooltip="How exactly it counts. auto: fp16 where the device is quick at it, else fp32.",
                    advanced=True,
                ),
            ],
            outputs=[MarigoldSocket.Output("marigold", tooltip="For Marigold Depth.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, model: str, dtype: str) -> str:
        """Of the folder's files: one that was replaced is read again."""
        folder = marigold_folders().get(model)
        files = folder.glob("*/*.*") if folder else []
        return f"{dtype} {sorted((str(file), file.stat().st_mtime_ns) for file in files)}"

    @classmethod
    def execute(cls, model: str, dtype: str = "auto") -> io.NodeOutput:
        """The model. FileNotFoundError, ImportError or ValueError with a sentence for a folder that holds none."""
        from torch import nn

        from ..expressive.vision.depth import Marigold
        from ..expressive.vision.depth.folder import LICENCE, PAGE, SIZE

        folder = marigold_folders().get(model)
        if folder is None:
            raise FileNotFoundError(
                f"There is no Marigold {model} in models/marigold or models/diffusers. Download all files of {PAGE} "
                f"into models/marigold/marigold-depth-v1-1 ({SIZE}). {LICENCE}"
            )
        device = comfy.model_management.get_torch_device()
        quick = torch.float16 if comfy.model_management.should_use_fp16(device) else torch.float32
        found = Marigold.load(folder, DTYPES.get(dtype, quick))
        # within a list, because the host writes `device` on what it holds, which diffusers' networks do not allow
        patcher = comfy.model_patcher.ModelPatcher(
            nn.ModuleList([found.unet, found.vae]),
            load_device=device,
            offload_device=comfy.model_management.unet_offload_device(),
        )
        told = (
            f"{found.name}: {found.steps} steps at {found.resolution} pixels, {str(found.dtype).removeprefix('torch.')}"
        )
        tell(cls, told)
        return io.NodeOutput(LoadedMarigold(found, patcher), ui=ui.PreviewText(told))


def marigold_folders() -> dict[str, Path]:
    """Name → folder of every model of models/marigold and models/diffusers that says that it finds depth."""
    found: dict[str, Path] = {}
    for kind in (MARIGOLD, DIFFUSERS):
        for root in folder_paths.get_folder_paths(kind):
            for index in sorted(Path(root).glob("*/model_index.json")):
                if _finds_depth(index):
                    found.setdefault(index.parent.name, index.parent)
    return found


def _finds_depth(index: Path) -> bool:
    try:
        described = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # said by who reads it as something else
        return False
    return isinstance(described, dict) and described.get("_class_name") == "MarigoldDepthPipeline"
