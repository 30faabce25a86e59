"""ExpressionPreset: keep an emotion and its α, and take them up in another graph."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io, ui

from ..expressive.conditioning import ALPHA_MAX, ALPHA_MIN
from ..expressive.emotion import Emotion
from ..expressive.emotion.preset import Preset, preset_names
from .choices import chosen
from .sockets import Emotion as EmotionSocket
from .telling import tell

FOLDER = "expression_presets"
NONE = "(no preset yet)"


def folder() -> Path:
    """Where presets lie: in the user's folder of the host."""
    return Path(folder_paths.get_user_directory()) / FOLDER


def _mode_input() -> io.DynamicCombo.Input:
    load = io.Combo.Input(
        "preset",
        options=preset_names(folder()) or [NONE],
        tooltip="A preset that was saved before. Press R on the canvas to see new ones.",
    )
    save = [
        io.String.Input("name", default="my smile", tooltip="A preset of the same name is replaced."),
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
    ]
    return io.DynamicCombo.Input(
        "mode",
        options=[io.DynamicCombo.Option("load", [load]), io.DynamicCombo.Option("save", save)],
        tooltip="load: an earlier preset. save: what comes in is kept, and goes on as it is.",
    )


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
            inputs=[_mode_input()],
            outputs=[
                EmotionSocket.Output("emotion_out", display_name="emotion", tooltip="The emotion."),
                io.Float.Output("alpha_out", display_name="alpha", tooltip="Its α: for Text Latent Interpolate."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, mode: dict[str, Any] | None = None) -> str:
        """When the file changed last: a changed one is read again, and one that was replaced or removed saved again."""
        named = (mode or {}).get("preset") or (mode or {}).get("name")
        path = folder() / f"{named}.json"
        return str(path.stat().st_mtime_ns if path.is_file() else time.time_ns())  # never what it was before

    @classmethod
    def execute(cls, mode: dict[str, Any] | None = None) -> io.NodeOutput:
        """Emotion and α. FileNotFoundError or ValueError with a sentence for a preset that is not there or broken."""
        mode = chosen(mode, cls, "mode")
        if mode["mode"] == "load":
            if mode["preset"] == NONE:
                raise ValueError("No preset is saved yet: set the mode to save first.")
            found = Preset.load(folder(), mode["preset"])
            told = f"{found.emotion.label}, α = {found.alpha:g}"
        else:
            emotion = mode.get("emotion")
            if not isinstance(emotion, Emotion):
                raise ValueError("There is no emotion to save. Connect Expression Prompt's emotion.")
            found = Preset(emotion, mode["alpha"])
            told = f"saved {found.save(folder(), mode['name']).name}: {found.emotion.label}, α = {found.alpha:g}"
        tell(cls, told)
        return io.NodeOutput(found.emotion, found.alpha, ui=ui.PreviewText(told))
