"""LoadExpressionLoRA: any LoRA of expressions, all of its layers, at the scale that it was trained at."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.lora
import comfy.model_patcher
import comfy.utils
import folder_paths
from comfy_api.latest import io, ui

from ..expressive.conditioning import Calibration
from .choices import chosen
from .sockets import Calibration as CalibrationSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.finetune.lora_file import LoraFile


class LoadExpressionLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        own = io.Float.Input(
            "own_scale", default=1.0, min=-10.0, max=10.0, step=0.05, round=0.001,
            tooltip="0 changes nothing, 1 is alpha = rank.",
        )  # fmt: skip
        return io.Schema(
            node_id="LoadExpressionLoRA",
            display_name="Load Expression LoRA",
            category="Expressive Avatars/loaders",
            description="Loads a LoRA that teaches expressions, PixelSmile's or one of your own, and says how many "
            "layers of the model it changed. A LoRA for another model is an error, not silence.",
            search_aliases=["PixelSmile", "lora loader", "expression lora", "apply lora"],
            inputs=[
                io.Model.Input("model", tooltip="The model that the LoRA was trained on."),
                io.Combo.Input(
                    "lora",
                    options=folder_paths.get_filename_list("loras"),
                    tooltip="A file of the folder models/loras.",
                ),
                io.DynamicCombo.Input(
                    "scale",
                    options=[
                        io.DynamicCombo.Option("as trained", []),
                        io.DynamicCombo.Option("alpha = rank", []),
                        io.DynamicCombo.Option("own", [own]),
                    ],
                    tooltip="How much it counts. as trained: alpha / rank, which is 2 for PixelSmile. alpha = rank: 1, "
                    "as other loaders count PixelSmile's file, which does not tell its alpha. own: a number.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model with the LoRA."),
                CalibrationSocket.Output(
                    display_name="calibration",
                    tooltip="For Text Latent Interpolate: how strongly each expression showed at each α when the LoRA "
                    "was made. Only as trained; files of other makers have none. Connecting none changes nothing.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def fingerprint_inputs(cls, lora: str, **rest: object) -> str:
        """The file's age and size: one that was trained again under the same name is read again."""
        path = folder_paths.get_full_path("loras", lora)
        return f"{Path(path).stat().st_mtime_ns} {Path(path).stat().st_size}" if path else ""

    @classmethod
    def execute(
        cls, model: comfy.model_patcher.ModelPatcher, lora: str, scale: dict[str, Any] | None = None
    ) -> io.NodeOutput:
        """The patched model; what was applied is shown on the node. ValueError where the LoRA does not fit."""
        from ..expressive.finetune.lora_file import read_lora

        file = read_lora(Path(folder_paths.get_full_path_or_raise("loras", lora)))
        scale = chosen(scale, cls, "scale")
        counts = {"as trained": None, "alpha = rank": 1.0, "own": scale.get("own_scale")}[scale["scale"]]
        patched = apply_lora(model, file, counts, lora)
        trained = {file.trained_scale(layer) for layer in file.layers} if counts is None else {counts}
        counted = " to ".join(f"{value:g}" for value in sorted({min(trained), max(trained)}))
        told = f"all {len(file.layers)} layers, rank {file.ranks}, counted {counted} times"
        calibration = calibration_of(file, lora) if counts is None else None
        if calibration is not None:
            told += f"; α is calibrated for {len(calibration.words)} expressions"
        tell(cls, told)
        return io.NodeOutput(patched, calibration, ui=ui.PreviewText(told))


def apply_lora(
    model: comfy.model_patcher.ModelPatcher, file: LoraFile, scale: float | None, name: str
) -> comfy.model_patcher.ModelPatcher:
    """A clone of the model with all adapters of a file, each counting `scale` times, or None: as it was trained.

    Raises ValueError, with the file's `name`, where not every adapter has its layer in the model.
    """
    known = comfy.lora.model_lora_keys_unet(model.model, {})
    patches = comfy.lora.load_lora(file.for_host(scale, known), known, log_missing=False)
    fitting = {key: patch for key, patch in patches.items() if fits(model, key, patch)}
    if len(fitting) < len(file.layers):
        kind = type(model.model).__name__
        found = "None" if not fitting else f"Only {len(fitting)}"
        raise ValueError(
            f"{found} of the {len(file.layers)} layers of {name} fit this model ({kind}). It is for another model"
            f"{_made_for(file)}: connect that one, or choose another LoRA."
        )
    patched = model.clone()
    patched.add_patches(fitting, 1.0)
    return patched


def calibration_of(file: LoraFile, name: str) -> Calibration | None:
    """How strongly each expression showed at each α; None where the file does not say.

    Raises ValueError, with the file's name, for an entry that cannot be read.
    """
    written = file.metadata.get("expressive.calibration")
    try:
        return Calibration.from_json(written) if written else None
    except ValueError as error:
        raise ValueError(f"{name}: {error} Train it again, or choose another scale than “as trained”.") from error


def fits(model: comfy.model_patcher.ModelPatcher, key: Any, patch: Any) -> bool:
    """Whether up × down has as many numbers as the layer's weight, or the part of it that a key (name, part) means."""
    name, part = (key, None) if isinstance(key, str) else (key[0], key[1])
    shape = list(comfy.utils.get_attr(model.model, name).shape)  # of what it stands for, where it is quantised
    if part is not None:
        axis, _, length = part
        shape[axis] = length
    up, down, *_ = patch.weights
    return up.shape[0] == shape[0] and down.shape[1:].numel() == math.prod(shape[1:])


def _made_for(file: LoraFile) -> str:
    base = file.metadata.get("expressive.base") or file.metadata.get("modelspec.architecture")
    return f", {base}" if base else ""
