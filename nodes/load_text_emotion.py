"""LoadTextEmotion: a classifier that reads the emotion of a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import comfy.model_management
import comfy.model_patcher
from comfy_api.latest import io, ui

from .model_folders import TEXT_EMOTION, model_folders
from .sockets import TextEmotion as TextEmotionSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.speech.text_emotion import TextEmotion

NONE = "(no classifier yet)"


@dataclass(frozen=True)
class LoadedTextEmotion:
    """The classifier; `patcher` brings it to the device."""

    classifier: TextEmotion
    patcher: comfy.model_patcher.ModelPatcher


class LoadTextEmotion(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoadTextEmotion",
            display_name="Load Text Emotion",
            category="Expressive Avatars/loaders",
            description="Loads a classifier that reads the emotion of a text, for Emotion From Text.",
            search_aliases=["emotion classifier", "RoBERTa", "sentiment", "text classification", "MAVAGEN"],
            inputs=[
                io.Combo.Input(
                    "classifier",
                    options=list(model_folders(TEXT_EMOTION)) or [NONE],
                    tooltip="A folder of models/text_emotion with config.json, weights and tokenizer, such as that of "
                    "michellejieli/emotion_text_classifier. pocket comes with the pack.",
                )
            ],
            outputs=[TextEmotionSocket.Output("text_emotion", tooltip="For Emotion From Text.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, classifier: str) -> str:
        """Of the folder's files: one that was replaced is read again."""
        folder = model_folders(TEXT_EMOTION).get(classifier)
        told = sorted((file.name, file.stat().st_mtime_ns) for file in folder.glob("*.*")) if folder else []
        return str(told)

    @classmethod
    def execute(cls, classifier: str) -> io.NodeOutput:
        """The classifier. FileNotFoundError, ImportError or ValueError with a sentence for a folder that holds none."""
        from torch import nn

        from ..expressive.speech.text_emotion import TextEmotion

        folder = model_folders(TEXT_EMOTION).get(classifier)
        if folder is None:
            raise FileNotFoundError(
                f"There is no folder {classifier} in models/text_emotion. Download all files of "
                "https://huggingface.co/michellejieli/emotion_text_classifier into "
                "models/text_emotion/emotion_text_classifier (about 330 MB), or choose pocket."
            )
        found = TextEmotion.load(folder)
        # within a list, because the host writes `device` on what it holds, which transformers' models do not allow
        patcher = comfy.model_patcher.ModelPatcher(
            nn.ModuleList([found.classifier.network]),
            load_device=comfy.model_management.text_encoder_device(),
            offload_device=comfy.model_management.text_encoder_offload_device(),
        )
        told = f"{found.classifier.name}: {', '.join(found.labels)}"
        tell(cls, told)
        return io.NodeOutput(LoadedTextEmotion(found, patcher), ui=ui.PreviewText(told))
