"""LoadAcousticEncoder: what hears speech for a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
import folder_paths
from comfy_api.latest import io, ui

from .model_folders import model_folders
from .sockets import AcousticEncoder as AcousticEncoderSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.speech.acoustics.encoder import AcousticEncoder

AUDIO_ENCODERS = "audio_encoders"  # a folder of the host's own
LOG_MEL = "log-mel"


@dataclass(frozen=True)
class LoadedAcousticEncoder:
    """The encoder; `patcher` brings it to the device, None where it has no weights."""

    encoder: AcousticEncoder
    patcher: comfy.model_patcher.ModelPatcher | None


class LoadAcousticEncoder(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadAcousticEncoder",
            display_name="Load Acoustic Encoder",
            category="Expressive Avatars/loaders",
            description="Loads an encoder that hears speech, for Acoustic Features.",
            search_aliases=["Whisper", "audio encoder", "speech encoder", "EchoMimicV2", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "encoder",
                    options=[LOG_MEL, *acoustic_encoders()],
                    default=LOG_MEL,
                    tooltip="log-mel needs no files. Or a Whisper of models/audio_encoders: a folder with config.json "
                    "and model.safetensors, such as whisper-tiny, or a file of OpenAI's, such as tiny.pt.",
                )
            ],
            outputs=[AcousticEncoderSocket.Output("acoustic_encoder", tooltip="For Acoustic Features.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, encoder: str) -> str:
        """Of its files: one that was replaced is read again."""
        path = acoustic_encoders().get(encoder)
        files = [] if path is None else path.glob("*.*") if path.is_dir() else [path]
        return str(sorted((file.name, file.stat().st_mtime_ns) for file in files))

    @classmethod
    def execute(cls, encoder: str) -> io.NodeOutput:
        """The encoder. FileNotFoundError, ImportError or ValueError with a sentence where it cannot be had."""
        loaded = log_mel() if encoder == LOG_MEL else _whisper(encoder)
        hears = loaded.encoder
        told = f"{hears.name}: {hears.layers} {'layer' if hears.layers == 1 else 'layers'} of {hears.width}"
        tell(cls, told)
        return io.NodeOutput(loaded, ui=ui.PreviewText(told))


def acoustic_encoders() -> dict[str, Path]:
    """Name → folder in Hugging Face's layout, or file in OpenAI's, of models/audio_encoders."""
    folders = model_folders(AUDIO_ENCODERS)
    found = {name: folder for name, folder in folders.items() if (folder / "config.json").is_file()}
    for file in folder_paths.get_filename_list(AUDIO_ENCODERS):
        path = folder_paths.get_full_path(AUDIO_ENCODERS, file)
        if path is not None and Path(file).suffix == ".pt":
            found[file] = Path(path)
    return dict(sorted(found.items()))


def log_mel() -> LoadedAcousticEncoder:
    """The one that needs no files."""
    from ..expressive.speech.acoustics.log_mel import LogMelEncoder

    return LoadedAcousticEncoder(LogMelEncoder(), None)


def _whisper(name: str) -> LoadedAcousticEncoder:
    from torch import nn

    from ..expressive.speech.acoustics.whisper import load_whisper

    path = acoustic_encoders().get(name)
    if path is None:
        raise FileNotFoundError(
            f"There is no {name} in models/audio_encoders. Download config.json, preprocessor_config.json and "
            "model.safetensors of https://huggingface.co/openai/whisper-tiny into models/audio_encoders/whisper-tiny "
            "(about 150 MB, Apache-2.0), or choose log-mel."
        )
    found = load_whisper(path)
    # within a list, because the host writes `device` on what it holds, which transformers' models do not allow
    patcher = comfy.model_patcher.ModelPatcher(
        nn.ModuleList([found.network]),
        load_device=comfy.model_management.text_encoder_device(),
        offload_device=comfy.model_management.text_encoder_offload_device(),
    )
    return LoadedAcousticEncoder(found, patcher)
