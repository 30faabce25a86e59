"""AcousticFeatures: what each frame of a video hears of a sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.utils
from comfy_api.latest import io, ui

from ..expressive.speech.acoustics.frames import FEWEST, LAYERS, MOST
from .load_acoustic_encoder import log_mel
from .sockets import AcousticEncoder as AcousticEncoderSocket
from .sockets import AcousticFeatures as AcousticFeaturesSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.speech.acoustics.features import AcousticFeatures as Features
    from ..expressive.speech.acoustics.sound import Sound
    from .load_acoustic_encoder import LoadedAcousticEncoder


class AcousticFeatures(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AcousticFeatures",
            display_name="Acoustic Features",
            category="Expressive Avatars/speech",
            description="Hears speech as a talking video needs it: what sounds around each frame, and the whole as one "
            "vector. Says how many frames the sound is long.",
            search_aliases=["Whisper features", "audio embeddings", "lip sync", "frames from audio", "MAVAGEN"],
            inputs=[
                io.Audio.Input("audio", tooltip="The speech. Channels are mixed, any sample rate will do."),
                io.Float.Input(
                    "fps", default=25.0, min=FEWEST, max=MOST, step=0.001,
                    tooltip="Frames a second of the video.",
                ),
                io.Combo.Input(
                    "layers",
                    options=list(LAYERS),
                    tooltip="all: every layer of the encoder, as EchoMimicV2 takes them. last: the last alone, which "
                    "for large encoders saves gigabytes.",
                ),
                AcousticEncoderSocket.Input(
                    "acoustic_encoder",
                    optional=True,
                    tooltip="From Load Acoustic Encoder. Without it, the log-mel spectrum is taken.",
                ),
                io.AudioEncoderOutput.Input(
                    "audio_encoder_output",
                    optional=True,
                    tooltip="Or from Audio Encoder Encode, of the same audio: wav2vec2, or Whisper for up to 30 "
                    "seconds.",
                ),
            ],
            outputs=[
                AcousticFeaturesSocket.Output("acoustic_features", tooltip="What each frame hears."),
                io.Int.Output("frames", tooltip="Frames of the video that show all of the sound."),
                io.Float.Output("seconds", tooltip="How long the sound is."),
                io.Image.Output("spectrogram", tooltip="The sound as a picture, with a mark at each frame."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        audio: Mapping[str, Any],
        fps: float,
        layers: str,
        acoustic_encoder: LoadedAcousticEncoder | None = None,
        audio_encoder_output: Mapping[str, Any] | None = None,
    ) -> io.NodeOutput:
        """Features, frames, seconds, and a picture [1,H,W,3]. ValueError with a sentence for a sound that cannot be
        heard, or for two encoders at once."""
        from ..expressive.speech.acoustics.extraction import from_host
        from ..expressive.speech.acoustics.picture import spectrogram
        from ..expressive.speech.acoustics.sound import sound_of

        if acoustic_encoder is not None and audio_encoder_output is not None:
            raise ValueError("Two encoders are connected. Leave acoustic_encoder or audio_encoder_output free.")
        sound = sound_of(audio)
        if audio_encoder_output is not None:
            found = from_host(audio_encoder_output, sound, fps, layers)
        else:
            found = _heard(sound, acoustic_encoder or log_mel(), fps, layers)
        picture = spectrogram(sound.samples, fps)[None]  # [1,H,W,3]
        _, count, width = found.tokens.shape
        tell(cls, f"{found.encoder} · {found.frames} frames of {count} × {width} · {found.seconds:.2f} s")
        return io.NodeOutput(found, found.frames, found.seconds, picture, ui=ui.PreviewImage(picture, cls=cls))


def _heard(sound: Sound, loaded: LoadedAcousticEncoder, fps: float, layers: str) -> Features:
    from ..expressive.speech.acoustics.extraction import extract

    if loaded.patcher is not None:
        comfy.model_management.load_models_gpu([loaded.patcher], force_full_load=True)
    bar = comfy.utils.ProgressBar(100)

    def between(share: float) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(round(100 * share))

    return extract(sound, loaded.encoder, fps, layers, between)
