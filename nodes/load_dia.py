"""LoadDia: a model that speaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
from comfy_api.latest import io, ui

from .model_folders import TTS, model_folders
from .sockets import TtsModel
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.speech.dia import Dia

NONE = "(no Dia model yet)"
AUTO = "auto"
DTYPES = (AUTO, "bfloat16", "float16", "float32")


@dataclass(frozen=True)
class LoadedDia:
    """The model; `patcher` brings it and its codec to the device."""

    dia: Dia
    patcher: comfy.model_patcher.ModelPatcher


class LoadDia(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadDia",
            display_name="Load Dia",
            category="Expressive Avatars/loaders",
            description="Loads Dia, which speaks English with laughter, sighs and the voice that you give it, for Dia "
            "TTS.",
            search_aliases=["TTS", "text to speech", "Dia-1.6B", "Nari Labs", "voice model", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=list(_folders()) or [NONE],
                    tooltip="A folder of models/tts with the files of nari-labs/Dia-1.6B-0626, and in it or beside it "
                    "the folder dac_44khz with those of descript/dac_44khz.",
                ),
                io.Combo.Input(
                    "dtype",
                    options=list(DTYPES),
                    tooltip="How exact its numbers are. auto: what your device is good at. bfloat16 and float16 want "
                    "about 4.4 GB of memory, float32 about 7.9 GB.",
                    advanced=True,
                ),
            ],
            outputs=[TtsModel.Output("tts_model", tooltip="For Dia TTS.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, model: str, **rest: object) -> str:
        """Of the folder's files: one that was replaced is read again."""
        folder = _folders().get(model)
        files = [file for file in folder.rglob("*.*") if file.is_file()] if folder else []
        return str(sorted((file.name, file.stat().st_mtime_ns) for file in files))

    @classmethod
    def execute(cls, model: str, dtype: str) -> io.NodeOutput:
        """The model. FileNotFoundError, ImportError or ValueError with a sentence for a folder that holds none."""
        from torch import nn

        from ..expressive.speech.dia import DOWNLOAD, Dia

        folder = _folders().get(model)
        if folder is None:
            missing = "no Dia model" if model == NONE else f"no folder {model} with a Dia model"
            raise FileNotFoundError(f"There is {missing} in models/tts. {DOWNLOAD}")
        device = comfy.model_management.get_torch_device()
        dia = Dia.load(folder, _fitting(device) if dtype == AUTO else dtype)
        # within a list, because the host writes `device` on what it holds, which transformers' models do not allow
        patcher = comfy.model_patcher.ModelPatcher(
            nn.ModuleList([dia.network, dia.codec]),
            load_device=device,
            offload_device=comfy.model_management.unet_offload_device(),
        )
        told = f"{dia.name}: {dia.parameters / 1e9:.2f} billion weights, {dia.dtype}, {dia.rate / 1000:g} kHz"
        tell(cls, told)
        return io.NodeOutput(LoadedDia(dia, patcher), ui=ui.PreviewText(told))


def _folders() -> dict[str, Path]:
    folders = model_folders(TTS)
    if not folders:  # whoever has none need not wait for what tells them apart
        return {}
    from ..expressive.speech.dia import is_dia

    return {name: folder for name, folder in folders.items() if is_dia(folder)}


def _fitting(device: object) -> str:
    """The dtype that a device is good at."""
    if comfy.model_management.should_use_bf16(device):
        return "bfloat16"
    return "float16" if comfy.model_management.should_use_fp16(device) else "float32"
