"""EmotionFromText: what a message expresses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import comfy.model_management
from comfy_api.latest import io, ui

from ..expressive.emotion.spread import SPREADS, spread
from .sockets import Emotion as EmotionSocket
from .sockets import SentenceEmotions, TextEmbedding
from .sockets import TextEmotion as TextEmotionSocket
from .telling import tell

if TYPE_CHECKING:
    from .load_text_emotion import LoadedTextEmotion


class EmotionFromText(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="EmotionFromText",
            display_name="Emotion From Text",
            category="Expressive Avatars/speech",
            description="Reads which emotion a message expresses, and how much of it. A long message is read sentence "
            "by sentence, and small talk weighs little beside what is felt.",
            search_aliases=["text to emotion", "sentiment analysis", "emotion classifier", "MAVAGEN", "RoBERTa"],
            inputs=[
                TextEmotionSocket.Input("text_emotion", tooltip="From Load Text Emotion."),
                io.String.Input(
                    "text",
                    multiline=True,
                    default="I passed the exam! I can hardly believe it.",
                    tooltip="What the person writes or says.",
                ),
                io.Combo.Input(
                    "words",
                    options=list(SPREADS),
                    tooltip="In which words the emotion is told. PixelSmile's 12 for expression edits, 135 words for "
                    "GenEAva's prompts.",
                ),
                io.String.Input(
                    "reply",
                    optional=True,
                    force_input=True,
                    tooltip="What is answered: text_embedding is then of this text, and everything else of the "
                    "message, as in MAVAGEN.",
                ),
            ],
            outputs=[
                EmotionSocket.Output("emotion", tooltip="For Expression Prompt, Expression Preset and voices."),
                io.String.Output("label", tooltip="The most likely label."),
                io.String.Output("scores", tooltip="The probability of each label, and of each sentence, as JSON."),
                TextEmbedding.Output("text_embedding", tooltip="The text as the classifier's network holds it."),
                SentenceEmotions.Output("sentences", tooltip="Each sentence with its emotion."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, text_emotion: LoadedTextEmotion, text: str, words: str, reply: str | None = None) -> io.NodeOutput:
        """Emotion, label, scores, embedding [D] and sentences of a text. ValueError for an empty one."""
        classifier = text_emotion.classifier
        comfy.model_management.load_models_gpu([text_emotion.patcher], force_full_load=True)
        found = classifier.read(text, comfy.model_management.throw_exception_if_processing_interrupted)
        embedding = classifier.embed(text if reply is None else reply)
        sentences = tuple(replace(one, emotion=spread(one.emotion, words)) for one in found.sentences)
        scores = {
            "probabilities": _rounded(found.probabilities),
            "sentences": [
                {"text": one.text, "weight": round(one.weight, 4), "emotion": dict(one.emotion.weights)}
                for one in sentences
            ],
        }
        ranked = sorted(found.probabilities.items(), key=lambda item: -item[1])
        told = " · ".join(f"{label} {share:.2f}" for label, share in ranked[:3])
        tell(cls, told)
        return io.NodeOutput(
            spread(found.emotion, words), found.label, json.dumps(scores, ensure_ascii=False), embedding, sentences,
            ui=ui.PreviewText(told),
        )  # fmt: skip


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {label: round(share, 4) for label, share in shares.items()}
