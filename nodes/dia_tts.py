"""DiaTTS: a text spoken by Dia, in a voice, with an emotion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import comfy.model_management
import comfy.utils
import torch
from comfy_api.latest import io, ui

from ..expressive.speech.voices import WORDINGS
from .sockets import Emotion as EmotionSocket
from .sockets import SpeechTimings, TtsModel, Voice
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.emotion import Emotion
    from ..expressive.speech.voice_prompt import VoicePrompt
    from .load_dia import LoadedDia

SAMPLE_RATES = {"44.1 kHz": 44_100, "16 kHz": 16_000}
STEPS = 1000  # of the bar
MEMORY = 2**30  # bytes beside the weights: what Dia remembers of 35 seconds, twice because of the guidance


class DiaTTS(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DiaTTS",
            display_name="Dia TTS",
            category="Expressive Avatars/speech",
            description="Speaks an English text of any length like a person, in the voice that you give it, with the "
            "EMOTION that you connect, and tells when every word is heard.",
            search_aliases=["text to speech", "TTS", "Dia", "voice cloning", "speech", "dialogue", "MAVAGEN"],
            inputs=[
                TtsModel.Input("tts_model", tooltip="From Load Dia."),
                io.String.Input(
                    "text", multiline=True, default="I passed the exam! I can hardly believe it. Let us celebrate.",
                    tooltip="What is said, in English. [S1] and [S2] change the speaker; (laughs), (sighs), (gasps) "
                    "and other sounds that Dia knows are made. See the help page for all of them.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**64 - 1, control_after_generate=True,
                    tooltip="Another seed speaks otherwise, and without a voice in another voice.",
                ),
                io.Combo.Input(
                    "wording", options=list(WORDINGS),
                    tooltip="What the emotion may add to the text. as written: nothing, it changes the voice alone.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=1.5, step=0.05,
                    tooltip="How much of the emotion is heard: 0 nothing, 1 as it is, 1.5 overdone.",
                ),
                io.Float.Input(
                    "tempo", default=1.0, min=0.5, max=2.0, step=0.05,
                    tooltip="Factor of the speed, without another pitch. Dia is often fast: 0.9 calms it.",
                ),
                io.Float.Input(
                    "pause", default=0.3, min=0.0, max=5.0, step=0.05,
                    tooltip="Seconds of silence between the parts in which the text is spoken, before the emotion "
                    "makes them longer or shorter.",
                ),
                io.Float.Input(
                    "chunk_seconds", default=14.0, min=5.0, max=20.0, step=0.5,
                    tooltip="A text is spoken in parts of up to about so many seconds, cut where sentences end. Dia is "
                    "best between 5 and 20.",
                    advanced=True,
                ),
                io.Float.Input(
                    "guidance_scale", default=3.0, min=1.0, max=10.0, step=0.1,
                    tooltip="How closely it keeps to the text. Higher is clearer, and faster; 1 is without.",
                    advanced=True,
                ),
                io.Float.Input(
                    "temperature", default=1.2, min=1.0, max=3.0, step=0.05,
                    tooltip="Higher is livelier, and makes more mistakes.", advanced=True,
                ),
                io.Float.Input(
                    "top_p", default=0.95, min=0.05, max=1.0, step=0.01,
                    tooltip="Of what it may say next, the likeliest that together have this probability.",
                    advanced=True,
                ),
                io.Int.Input(
                    "top_k", default=45, min=5, max=1024,
                    tooltip="Of what it may say next, so many at most.", advanced=True,
                ),
                io.Int.Input(
                    "attempts", default=3, min=1, max=10,
                    tooltip="A part that breaks off, is silent, or lacks words is spoken again with another seed, so "
                    "many times at most.",
                    advanced=True,
                ),
                io.Combo.Input(
                    "sample_rate", options=list(SAMPLE_RATES),
                    tooltip="44.1 kHz is Dia's own, 16 kHz is what networks that listen want.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True,
                    tooltip="What is felt: the whole mixture changes tempo, pitch, loudness and pauses. Neutral "
                    "without it.",
                ),
                Voice.Input(
                    "voice", optional=True,
                    tooltip="From Load Voice or Save Voice: who speaks. Without it Dia makes up a voice, which is the "
                    "same in all parts of the text.",
                ),
            ],
            outputs=[
                io.Audio.Output("audio", tooltip="The voice, one channel."),
                SpeechTimings.Output("speech_timings", tooltip="When each word is heard, for talking faces."),
                io.String.Output("timings", tooltip="The same as JSON: words with start and end in seconds."),
                io.String.Output("spoken", tooltip="The text as it was given to Dia, with what the emotion added."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        tts_model: LoadedDia,
        text: str,
        seed: int,
        wording: str,
        strength: float,
        tempo: float,
        pause: float,
        chunk_seconds: float,
        guidance_scale: float,
        temperature: float,
        top_p: float,
        top_k: int,
        attempts: int,
        sample_rate: str,
        emotion: Emotion | None = None,
        voice: VoicePrompt | None = None,
    ) -> io.NodeOutput:
        """Audio [1,1,T] at the sample rate, timings, their JSON, and the text. ValueError with a sentence for a text or
        a voice that does not do."""
        from ..expressive.speech.dia import Sampling
        from ..expressive.speech.dia_speech import Manner, say
        from ..expressive.speech.spoken import resampled
        from ..expressive.speech.timings import timings_json

        bar = comfy.utils.ProgressBar(STEPS)
        comfy.model_management.load_models_gpu([tts_model.patcher], memory_required=MEMORY, force_full_load=True)
        said = say(
            tts_model.dia,
            text,
            emotion,
            voice,
            Manner(
                Sampling(guidance_scale, temperature, top_p, top_k), tempo, pause, chunk_seconds, wording, strength,
                attempts,
            ),
            seed,
            between=comfy.model_management.throw_exception_if_processing_interrupted,
            progress=lambda share: bar.update_absolute(round(STEPS * share), STEPS),
        )  # fmt: skip
        speech = resampled(said.speech, SAMPLE_RATES[sample_rate])
        audio = {"waveform": torch.tensor(speech.audio)[None, None], "sample_rate": speech.rate}  # [T] → [1,1,T]
        told = f"{speech.seconds:.1f} s · {len(speech.words)} words"
        if said.faults:
            told += f"\n{' '.join(said.faults)} Try another seed."
        tell(cls, told)
        return io.NodeOutput(audio, speech, timings_json(speech), said.text, ui=ui.PreviewText(told))
