"""SaveAvatarDataset: pictures with everything that is known of them, as a dataset that can be gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui
from torch import Tensor

from ..expressive.emotion import Emotion
from .pocket_files import MODELS
from .sockets import Emotion as EmotionSocket
from .sockets import Readings as ReadingsSocket
from .telling import tell

if TYPE_CHECKING:
    from ..expressive.metrics.readings import FaceReading


class SaveAvatarDataset(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SaveAvatarDataset",
            display_name="Save Avatar Dataset",
            category="Expressive Avatars/face",
            description="Saves pictures as a dataset: a folder for each emotion, and a JSON line for each picture with "
            "its prompt, emotion, scores, seed and models. A picture that is there already is left as it is, so a "
            "run that was stopped can be repeated.",
            search_aliases=["dataset", "metadata.jsonl", "imagefolder", "save captions", "GenEAva"],
            is_output_node=True,
            inputs=[
                io.Image.Input("image", tooltip="The pictures."),
                io.String.Input("folder", default="avatars", tooltip="The dataset's place in ComfyUI's output folder."),
                io.String.Input(
                    "prefix", default="avatar",
                    tooltip="Pictures are named after this, the seed and their number. Another prefix makes new ones.",
                ),
                io.String.Input(
                    "text", default="", multiline=True,
                    tooltip="The prompt of all pictures, or a line for each of them.",
                ),
                io.Int.Input("seed", default=0, min=0, max=2**64 - 1, tooltip="The seed that made them."),
                io.String.Input(
                    "about", default="", multiline=True, optional=True,
                    tooltip="What else is known, a line each, such as “age: elderly”.",
                ),
                EmotionSocket.Input("emotion", optional=True, tooltip="What they are to show: names their folder."),
                ReadingsSocket.Input("readings", optional=True, tooltip="From Expression Score: what they do show."),
            ],
            outputs=[io.String.Output("path", tooltip="Where the dataset is.")],
            hidden=[io.Hidden.prompt, io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def execute(
        cls,
        image: Tensor,
        folder: str,
        prefix: str,
        text: str,
        seed: int,
        about: str = "",
        emotion: Emotion | None = None,
        readings: Sequence[FaceReading] | None = None,
    ) -> io.NodeOutput:
        """The folder. ValueError for one outside of the output folder, or lists of another length than the pictures."""
        from ..expressive.datasets.avatars import AvatarFolder

        lines = [line for line in text.splitlines() if line.strip()]
        if len(image) == 1:
            lines = [" ".join(lines)]  # a prompt of several lines
        texts = lines if len(lines) == len(image) else [*lines, ""][:1] * len(image)
        if len(lines) not in (0, 1, len(image)):
            raise ValueError(
                f"There are {len(lines)} lines of text for {len(image)} pictures. Give one, or one for each."
            )
        if readings is not None and len(readings) != len(image):
            raise ValueError(f"There are {len(readings)} readings for {len(image)} pictures. Score the same pictures.")
        known: dict[str, Any] = dict(_pair(line) for line in about.splitlines() if line.strip())
        known |= {"seed": seed, "models": models_of(cls.hidden.prompt if cls.hidden is not None else None)}
        label = "avatars" if emotion is None else "-".join(word.word for word in emotion.words) or "neutral"
        if emotion is not None:
            known |= {"emotion": emotion.label, "weights": dict(emotion.weights)}
        dataset, new = AvatarFolder(_within_output(folder)), 0
        for number, picture in enumerate(image):
            shown = {} if readings is None else {"shows": readings[number].dominant, "scores": readings[number].scores}
            pixels = (picture[..., :3].clamp(0, 1) * 255).round().byte().cpu().numpy()
            new += dataset.add(f"{label}/{prefix}-{seed}-{number}", pixels, texts[number], {**known, **shown})
        tell(cls, f"{new} new, {len(dataset)} in {folder}")
        return io.NodeOutput(str(dataset.folder), ui=ui.PreviewImage(image, cls=cls))


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not (name and colon and value):
        raise ValueError(f"“{line}” does not say what it is of. Write “age: elderly”, one on a line.")
    return name, value


def _within_output(folder: str) -> Path:
    output = Path(folder_paths.get_output_directory()).resolve()
    place = (output / folder.strip()).resolve()
    if place == output or output not in place.parents:
        raise ValueError(f"“{folder}” is no folder inside ComfyUI's output folder. Write a name such as “avatars”.")
    return place


def models_of(prompt: dict[str, Any] | None) -> dict[str, str]:
    """Model files that a graph in API format names → a hash of each, of its name, size and both ends."""
    from ..expressive.finetune.cache import weights_hash

    named = {str(value) for node in (prompt or {}).values() for value in node["inputs"].values() if _is_file(value)}
    bases = {node["inputs"]["base"] for node in (prompt or {}).values() if node["class_type"] == "PocketModels"}
    files = {name: path for name in named if (path := _model_file(name)) is not None}
    files |= {path.name: path for base in bases for path in MODELS.glob(f"{base}.*.safetensors")}
    return {name: weights_hash(path)[:16] for name, path in sorted(files.items())}


def _is_file(value: object) -> bool:
    return isinstance(value, str) and Path(value).suffix.lower() in folder_paths.supported_pt_extensions


def _model_file(name: str) -> Path | None:
    for kind in folder_paths.folder_names_and_paths:
        if kind != "custom_nodes" and (path := folder_paths.get_full_path(kind, name)):
            return Path(path)
    return None
