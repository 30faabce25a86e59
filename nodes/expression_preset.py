"""ExpressionPreset: keep an emotion and its α, and take them up in another graph."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..expressive.conditioning import ALPHA_MAX, ALPHA_MIN
from ..expressive.emotion import Emotion
from ..expressive.emotion.preset import Preset
from .choices import chosen
from .kept_files import KeptFiles
from .sockets import Emotion as EmotionSocket
from .telling import tell

PRESETS = KeptFiles("expression_presets", ".json", "preset", kept="preset")


class ExpressionPreset(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ExpressionPreset",
            display_name="Expression Preset",
            category="Expressive Avatars/prompt",
            description="Keeps an emotion with its α under a name, as a small JSON file, for other graphs.",
            search_aliases=["save expression", "load expression", "expression library", "emotion preset"],
            is_output_node=True,  # saving is something to run for
            inputs=[
                PRESETS.mode_input(
                    "my smile",
                    EmotionSocket.Input("emotion", tooltip="From Expression Prompt, or from Expression Score."),
                    io.Float.Input(
                        "alpha",
                        default=1.0,
                        min=ALPHA_MIN,
                        max=ALPHA_MAX,
                        step=0.01,
                        round=0.001,
                        tooltip="How much of it: 1 is all of it.",
                    ),
                )
            ],
            outputs=[
                EmotionSocket.Output("emotion_out", display_name="emotion", tooltip="The emotion."),
                io.Float.Output("alpha_out", display_name="alpha", tooltip="Its α: for Text Latent Interpolate."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, mode: dict[str, Any] | None = None) -> str:
        """When the file changed last."""
        return PRESETS.fingerprint(mode)

    @classmethod
    def execute(cls, mode: dict[str, Any] | None = None) -> io.NodeOutput:
        """Emotion and α. FileNotFoundError or ValueError with a sentence for a preset that is not there or broken."""
        mode = chosen(mode, cls, "mode")
        if mode["mode"] == "load":
            found, _ = PRESETS.load(Preset, mode)
            did = ""
        elif isinstance(emotion := mode.get("emotion"), Emotion):
            found = Preset(emotion, mode["alpha"])
            did = f"saved {PRESETS.save(found, mode).name}: "
        else:
            raise ValueError("There is no emotion to save. Connect Expression Prompt's emotion.")
        told = f"{did}{found.emotion.label}, α = {found.alpha:g}"
        tell(cls, told)
        return io.NodeOutput(found.emotion, found.alpha, ui=ui.PreviewText(told))
