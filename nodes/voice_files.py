"""SaveVoice and LoadVoice: who speaks, kept under a name."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ..expressive.named_files import named_file
from .choices import chosen
from .model_folders import VOICES
from .sockets import Voice
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.speech.voice_prompt import VoicePrompt

NONE = "(no voice yet)"
SUFFIX = ".safetensors"
_TRANSCRIPT = (
    "Every word that is heard, in the same order, and sounds such as (laughs). Words that are missing or in excess are "
    "heard again in what is spoken."
)
_SOUND = "Five to ten seconds of somebody who speaks clearly, without music and noise."


class SaveVoice(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SaveVoice",
            display_name="Save Voice",
            category="Expressive Avatars/speech",
            description="Keeps a few seconds of somebody speaking, and what they say, as a voice in models/voices. Use "
            "the voice of others only if they agree.",
            search_aliases=["voice cloning", "audio prompt", "save speaker", "voice file", "Dia"],
            is_output_node=True,  # saving is something to run for
            inputs=[
                io.Audio.Input("audio", tooltip=_SOUND),
                io.String.Input("transcript", multiline=True, default="", tooltip=_TRANSCRIPT),
                io.String.Input("name", default="my voice", tooltip="A voice of the same name is replaced."),
            ],
            outputs=[Voice.Output("voice", tooltip="For Dia TTS.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, name: str = "", **rest: object) -> str:
        """When the file changed last: one that was replaced or removed is saved again."""
        path = _folder() / f"{name}{SUFFIX}"
        return str(path.stat().st_mtime_ns if path.is_file() else time.time_ns())  # never what it was before

    @classmethod
    def execute(cls, audio: dict[str, Any], transcript: str, name: str) -> io.NodeOutput:
        """The voice. ValueError with a sentence for a sound, a transcript or a name that does not do."""
        from ..expressive.speech.voice_prompt import VoicePrompt

        path = named_file(_folder(), name, SUFFIX, "a voice")
        voice = VoicePrompt.of_audio(audio, transcript, name)
        if not (path.is_file() and _holds(path, voice)):
            voice.save(path)
        told = _told(voice)
        tell(cls, told)
        return io.NodeOutput(voice, ui=ui.PreviewText(told))


class LoadVoice(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadVoice",
            display_name="Load Voice",
            category="Expressive Avatars/loaders",
            description="Who speaks: a voice that Save Voice kept, or one made of a sound that you connect.",
            search_aliases=["voice cloning", "audio prompt", "speaker", "voice file", "Dia"],
            inputs=[
                io.DynamicCombo.Input(
                    "source",
                    options=[
                        io.DynamicCombo.Option("file", [
                            io.Combo.Input(
                                "voice", options=folder_paths.get_filename_list(VOICES) or [NONE],
                                tooltip="A file of models/voices. Press R on the canvas to see new ones.",
                            ),
                        ]),
                        io.DynamicCombo.Option("sound", [
                            io.Audio.Input("audio", tooltip=_SOUND),
                            io.String.Input("transcript", multiline=True, default="", tooltip=_TRANSCRIPT),
                        ]),
                    ],
                    tooltip="file: a voice that was saved. sound: one out of an AUDIO, which is not kept.",
                )
            ],
            outputs=[Voice.Output("voice", tooltip="For Dia TTS.")],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, source: dict[str, Any] | None = None) -> str:
        """When the file changed last."""
        path = folder_paths.get_full_path(VOICES, str((source or {}).get("voice", "")))
        return str(Path(path).stat().st_mtime_ns) if path else ""

    @classmethod
    def execute(cls, source: dict[str, Any] | None = None) -> io.NodeOutput:
        """The voice. FileNotFoundError or ValueError with a sentence for one that is not there, or broken."""
        from ..expressive.speech.voice_prompt import VoicePrompt

        source = chosen(source, cls, "source")
        if source["source"] == "sound":
            if source.get("audio") is None:
                raise ValueError("There is no sound to make a voice of. Connect an AUDIO, such as that of Load Audio.")
            voice = VoicePrompt.of_audio(source["audio"], source.get("transcript", ""))
        else:
            path = folder_paths.get_full_path(VOICES, source["voice"])
            if path is None:
                raise FileNotFoundError(
                    f"There is no voice {source['voice']} in models/voices. Make one with Save Voice, or set the "
                    "source to sound."
                )
            voice = VoicePrompt.load(Path(path))
        told = _told(voice)
        tell(cls, told)
        return io.NodeOutput(voice, ui=ui.PreviewText(told))


def _folder() -> Path:
    """Where voices are saved."""
    return Path(folder_paths.get_folder_paths(VOICES)[0])


def _holds(path: Path, voice: VoicePrompt) -> bool:
    try:
        return type(voice).load(path).same_as(voice)
    except ValueError:  # damaged, or something else: it is replaced
        return False


def _told(voice: VoicePrompt) -> str:
    told = f"{voice.name}: {voice.seconds:.1f} s · {voice.rate / 1000:g} kHz"
    return f"{told}\n{voice.advice}" if voice.advice else told
