"""PocketVoice: a text spoken at once, with its emotion and the time of every sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.utils
import torch
from comfy_api.latest import io, ui

from ..expressive.emotion.person import GENDERS
from ..expressive.speech.voices import LANGUAGES, VARIANTS
from .choices import chosen
from .sockets import Emotion as EmotionSocket
from .sockets import SentenceEmotions, SpeechTimings
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.emotion import Emotion
    from ..expressive.pocket.talking import Voice
    from ..expressive.speech.text_emotion import Sentence

SAMPLE_RATES = {"16 kHz": 16_000, "44.1 kHz": 44_100}


class PocketVoice(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PocketVoice",
            display_name="Pocket Voice",
            category="Expressive Avatars/speech",
            description="Speaks a text at once on any processor, in the voice of somebody of a gender and an age, with "
            "the EMOTION that you connect, and tells when every word, sound and mouth shape is heard.",
            search_aliases=["text to speech", "TTS", "eSpeak", "voice", "phonemes", "visemes", "lip sync"],
            inputs=[
                io.String.Input(
                    "text", multiline=True, default="I passed the exam! I can hardly believe it.",
                    tooltip="What is said, of any length. Tags for Dia, such as [S1] or (laughs), are not read aloud.",
                ),
                io.DynamicCombo.Input(
                    "voice",
                    options=[
                        io.DynamicCombo.Option("person", [
                            io.Combo.Input("gender", options=list(GENDERS), tooltip="Whose voice it is."),
                            io.Int.Input(
                                "age", default=30, min=1, max=120,
                                tooltip="In years: the young speak higher, the old lower.",
                            ),
                        ]),
                        io.DynamicCombo.Option("variant", [
                            io.Combo.Input(
                                "variant", options=list(VARIANTS),
                                tooltip="f are women, m are men; croak and the last four are hardly human.",
                            ),
                        ]),
                    ],
                    tooltip="person: somebody of a gender and an age, and who it is follows from the seed. variant: "
                    "one of eSpeak NG's own, by name.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**24, control_after_generate=True,
                    tooltip="Which person's voice. The same seed, gender and age are always the same voice.",
                ),
                io.Combo.Input(
                    "language", options=[f"{code} ({name})" for code, name in LANGUAGES.items()],
                    tooltip="In which language the text is written.",
                ),
                io.Int.Input(
                    "rate", default=165, min=80, max=400,
                    tooltip="Words a minute, before the emotion makes it faster or slower.",
                ),
                io.Float.Input(
                    "pitch", default=0.0, min=-12.0, max=12.0, step=0.5,
                    tooltip="Semitones above the voice's own pitch, or below it.",
                ),
                io.Float.Input(
                    "strength", default=1.0, min=0.0, max=1.5, step=0.05,
                    tooltip="How much of the emotion is heard: 0 nothing, 1 as it is, 1.5 overdone.",
                ),
                io.Float.Input(
                    "before", default=0.2, min=0.0, max=30.0, step=0.05, tooltip="Seconds of silence first.",
                ),
                io.Float.Input(
                    "after", default=0.4, min=0.0, max=30.0, step=0.05, tooltip="Seconds of silence last.",
                ),
                io.Combo.Input(
                    "sample_rate", options=list(SAMPLE_RATES),
                    tooltip="16 kHz is what networks that listen want, 44.1 kHz sounds brighter.",
                ),
                io.Float.Input(
                    "fps", default=25.0, min=1.0, max=120.0, step=0.001,
                    tooltip="Pictures a second of the video that is to last as long, for frames.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True, tooltip="What is felt in all of the text; neutral without it.",
                ),
                SentenceEmotions.Input(
                    "sentences", optional=True,
                    tooltip="From Emotion From Text: each sentence is spoken with its own emotion, instead of one for "
                    "all. The text has to be the same, or empty.",
                ),
            ],
            outputs=[
                io.Audio.Output("audio", tooltip="The voice, one channel."),
                SpeechTimings.Output("speech_timings", tooltip="When each word and sound is heard, for talking faces."),
                io.String.Output(
                    "timings", tooltip="The same as JSON: words, phonemes in IPA and visemes, with start and end in "
                    "seconds.",
                ),
                io.Float.Output("seconds", tooltip="How long it lasts."),
                io.Int.Output("frames", tooltip="Pictures of a video that lasts as long."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        text: str,
        seed: int,
        language: str,
        rate: int,
        pitch: float,
        strength: float,
        before: float,
        after: float,
        sample_rate: str,
        fps: float,
        voice: dict[str, Any] | None = None,
        emotion: Emotion | None = None,
        sentences: tuple[Sentence, ...] | None = None,
    ) -> io.NodeOutput:
        """Audio [1,1,T] at the sample rate, timings, their JSON, seconds and frames. ValueError, ImportError or
        RuntimeError with a sentence where there is nothing to say or nothing to say it with."""
        from ..expressive.speech import pocket_voice
        from ..expressive.speech.timings import timings_json

        bar = comfy.utils.ProgressBar(1)

        def between(done: int, total: int) -> None:
            comfy.model_management.throw_exception_if_processing_interrupted()
            bar.update_absolute(done, total)

        speaker = _speaker(chosen(voice, cls, "voice"), seed, language.partition(" ")[0])
        said = pocket_voice.speak(
            text,
            pocket_voice.tuned(speaker, rate, pitch),
            emotion,
            strength=strength,
            sentences=[(one.text, one.emotion) for one in sentences or ()],
            sample_rate=SAMPLE_RATES[sample_rate],
            between=between,
        ).padded(before, after)
        frames = pocket_voice.frames(said.seconds, fps)
        audio = {"waveform": torch.tensor(said.audio)[None, None], "sample_rate": said.rate}  # [T] → [1,1,T]
        told = f"{said.seconds:.1f} s · {frames} frames · {len(said.words)} words"
        tell(cls, told)
        return io.NodeOutput(audio, said, timings_json(said), said.seconds, frames, ui=ui.PreviewText(told))


def _speaker(voice: dict[str, Any], seed: int, language: str) -> Voice:
    from ..expressive.speech import pocket_voice

    if voice["voice"] == "variant":
        return pocket_voice.variant(voice["variant"], language)
    return pocket_voice.somebody(voice["gender"], voice["age"], seed, language)
