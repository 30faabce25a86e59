"""AvatarRetrieve: a picture of somebody of a gender and an age."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..expressive.datasets.hagrid_layout import is_hagrid
from ..expressive.emotion.person import GENDERS
from ..expressive.pocket.choices import GESTURES, STYLES
from .choices import chosen
from .dataset_folders import dataset_folders, square
from .pocket_avatar import UNSEEN
from .telling import tell

CACHE = "people_indexes"
DRAWN = (16, 80)  # years of drawn people


class AvatarRetrieve(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AvatarRetrieve",
            display_name="Avatar Retrieve",
            category="Expressive Avatars/loaders",
            description="A picture of somebody of a gender and an age, as MAVAGEN chooses whom its avatar looks like: "
            "out of your own copy of HaGRIDv2, or drawn.",
            search_aliases=["HaGRID", "identity image", "find person", "reference person", "MAVAGEN"],
            inputs=[
                io.Combo.Input("gender", options=list(GENDERS), tooltip="Who is looked for."),
                io.Int.Input(
                    "age", default=30, min=1, max=120,
                    tooltip="In years. Where nobody is of this age, those who come nearest.",
                ),
                io.DynamicCombo.Input(
                    "source",
                    options=[
                        io.DynamicCombo.Option("drawn", [
                            io.Combo.Input("style", options=list(STYLES), tooltip="How the person is painted."),
                            io.Combo.Input("gesture", options=list(GESTURES), tooltip="What the right hand shows."),
                        ]),
                        io.DynamicCombo.Option("folder", [
                            io.Combo.Input(
                                "folder", options=list(_folders()),
                                tooltip="A folder in ComfyUI's input or datasets with HaGRIDv2's annotations and "
                                "pictures.",
                            ),
                            io.String.Input(
                                "gestures", default="",
                                tooltip="Only people who show one of these, such as palm, like. Empty: any.",
                            ),
                        ]),
                    ],
                    tooltip="drawn: somebody of the pocket world. folder: your own pictures.",
                ),
                io.Int.Input(
                    "size", default=512, min=64, max=2048, step=8,
                    tooltip="Width and height in pixels; others are cut to a square and scaled.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**24, control_after_generate=True,
                    tooltip="Which of those who are equally near.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The picture."),
                io.Int.Output("age_out", display_name="age", tooltip="How old that person is."),
                io.String.Output("attributes", tooltip="What is known of the picture, as JSON."),
            ],
            hidden=[io.Hidden.unique_id],
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, source: dict[str, Any] | None = None, **rest: object) -> str:
        """Of the folders of pictures and annotations: new ones are noticed."""
        from ..expressive.datasets.retrieval import state_of

        folder = _folders().get((source or {}).get("folder", ""))
        return state_of(folder) if folder is not None else ""

    @classmethod
    def execute(
        cls, gender: str, age: int, size: int, seed: int, source: dict[str, Any] | None = None
    ) -> io.NodeOutput:
        """A picture [1,size,size,3]. FileNotFoundError or ValueError with a sentence where nobody is found."""
        source = chosen(source, cls, "source")
        image, known = (_from_folder if source["source"] == "folder" else _drawn)(source, gender, age, size, seed)
        told = f"{gender}, {known['age']}" + (f"; one of {known['ties']}" if known.get("ties", 1) > 1 else "")
        tell(cls, told)
        return io.NodeOutput(
            image, known["age"], json.dumps(known, ensure_ascii=False), ui=ui.PreviewImage(image, cls=cls)
        )


def _folders() -> dict[str, Path]:
    return dataset_folders(is_hagrid)


def _from_folder(source: dict[str, Any], gender: str, age: int, size: int, seed: int) -> tuple[Tensor, dict[str, Any]]:
    from ..expressive.datasets.pictures import open_picture
    from ..expressive.datasets.retrieval import index_of, picture_of

    folder = _folders().get(source["folder"])
    if folder is None:
        raise ValueError(
            f"There is no folder “{source['folder']}” with HaGRIDv2's annotations. Put one into ComfyUI's input or "
            "datasets, with annotations/train/palm.json and the pictures beside, or choose “drawn”."
        )
    cache = Path(folder_paths.get_user_directory()) / CACHE

    def between(count: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        tell(AvatarRetrieve, f"making the index: {count:,} people")

    index = index_of(folder, cache, between)
    gestures = source["gestures"].replace(",", " ").split()
    found = index.find(gender, age, seed, gestures)
    return square(open_picture(picture_of(found, folder)), size), asdict(found)


def _drawn(source: dict[str, Any], gender: str, age: int, size: int, seed: int) -> tuple[Tensor, dict[str, Any]]:
    from ..expressive.emotion import Emotion
    from ..expressive.pocket.body import Body
    from ..expressive.pocket.faces import Identity
    from ..expressive.pocket.scene import Scene, picture

    years = min(max(age, DRAWN[0]), DRAWN[1])
    who = Identity.sample(UNSEEN + seed, gender=gender, age=years)
    body = Body().gesturing(source["gesture"])
    scene = Scene(who, Emotion.neutral(), style=source["style"], frame="upper_body", body=body)
    image = torch.tensor(picture(scene, size))[None].float() / 255  # [1,H,W,3]
    known = {"name": f"drawn-{UNSEEN + seed}", "gesture": source["gesture"], "gender": gender, "age": years}
    return image, {**known, "race": who.race, "apart": abs(age - years)}
