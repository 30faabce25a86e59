"""LoadExpressionLoRA: any LoRA of expressions, all of its layers, at the scale that it was trained at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import comfy.lora
import comfy.model_patcher
import comfy.utils
import folder_paths
from comfy_api.latest import io, ui

from ..expressive.conditioning import Calibration
from .sockets import Calibration as CalibrationSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.finetune.lora_file import LoraFile

SCALES = ("as trained", "as released", "own")


class LoadExpressionLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
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
                io.Combo.Input(
                    "scale",
                    options=list(SCALES),
                    default=SCALES[0],
                    tooltip="How much it counts. as trained: alpha / rank, which is 2 for PixelSmile. as released: 1, "
                    "as other loaders count the published file. own: the number below.",
                ),
                io.Float.Input(
                    "own_scale",
                    default=1.0,
                    min=-10.0,
                    max=10.0,
                    step=0.05,
                    round=0.001,
                    tooltip="Only for the scale “own”: 0 changes nothing, 1 is alpha = rank.",
                    advanced=True,
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model with the LoRA."),
                CalibrationSocket.Output(
                    display_name="calibration",
                    tooltip="For Text Latent Interpolate: how strongly each expression showed at each α when the LoRA "
                    "was made. Files of other makers have none; connecting it then changes nothing.",
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model: comfy.model_patcher.ModelPatcher, lora: str, scale: str, own_scale: float) -> io.NodeOutput:
        """The patched model; what was applied is shown on the node. ValueError where the LoRA does not fit."""
        from ..expressive.finetune.lora_file import read_lora

        file = read_lora(Path(folder_paths.get_full_path_or_raise("loras", lora)))
        counts = {"as trained": file.trained_scale, "as released": 1.0, "own": own_scale}[scale]
        patched = apply_lora(model, file, counts, lora)
        told = f"{len(file.layers)} of {len(file.layers)} layers, rank {file.rank}, counted {counts:g} times"
        written = file.metadata.get("expressive.calibration")
        calibration = Calibration.from_json(written) if written else None
        if calibration is not None:
            told += f", α calibrated for {len(calibration.words)} expressions"
        tell(cls, told)
        return io.NodeOutput(patched, calibration, ui=ui.PreviewText(told))


def apply_lora(
    model: comfy.model_patcher.ModelPatcher, file: LoraFile, scale: float, name: str
) -> comfy.model_patcher.ModelPatcher:
    """A clone of the model with all adapters of a file, each counting `scale` times.

    Raises ValueError, with the file's `name`, where not every adapter has its layer in the model.
    """
    known = comfy.lora.model_lora_keys_unet(model.model, {})
    patches = comfy.lora.load_lora(file.for_host(scale), known, log_missing=False)
    fitting = {key: patch for key, patch in patches.items() if _fits(model, key, patch)}
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


def _fits(model: comfy.model_patcher.ModelPatcher, key: object, patch: object) -> bool:
    """Whether up × down has as many numbers as the layer's weight."""
    weight = comfy.utils.get_attr(model.model, key if isinstance(key, str) else key[0])  # pyright: ignore
    up, down, *_ = patch.weights  # pyright: ignore[reportAttributeAccessIssue]: the host's LoRAAdapter
    return up.shape[0] == weight.shape[0] and down.flatten(1).shape[1] == weight[0].numel()


def _made_for(file: LoraFile) -> str:
    base = file.metadata.get("expressive.base") or file.metadata.get("modelspec.architecture")
    return f", {base}" if base else ""
