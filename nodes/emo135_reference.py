"""Emo135Reference: pictures of one of the 135 emotions, drawn ones or those of the artist's own folder."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import comfy.model_management
import torch
from comfy_api.latest import io, ui
from torch import Tensor

from ..expressive.datasets.class_folders import is_emo135
from ..expressive.emotion import Emotion, vocabulary
from ..expressive.emotion.vocabulary import Word
from ..expressive.pocket.choices import BACKGROUNDS, STYLES
from .choices import chosen
from .dataset_folders import dataset_folders, square
from .pocket_avatar import UNSEEN
from .sockets import Emotion as EmotionSocket

EVERY = "each in turn"
PLAIN = [number for number, name in enumerate(BACKGROUNDS) if name.startswith(("plain", "light", "beige"))]


class Emo135Reference(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        identity = io.String.Input(
            "identity", default="",
            tooltip="Only this person's pictures, by the name that the folder's identities.json gives. Empty: of as "
            "many people as there are.",
        )  # fmt: skip
        return io.Schema(
            node_id="Emo135Reference",
            display_name="Emo135 Reference",
            category="Expressive Avatars/loaders",
            description="Pictures of people who show one of the 135 emotions, as references for other nodes: drawn "
            "ones that come with the pack, or those of your own folder in the layout of the Emo135 dataset.",
            search_aliases=["expression reference", "Emo135", "135 emotions", "reference faces", "GenEAva"],
            inputs=[
                io.Combo.Input(
                    "word", options=[word.word for word in vocabulary.emo135()], default="delight",
                    tooltip="The emotion; type to search. Not used while an EMOTION is connected.",
                ),
                io.DynamicCombo.Input(
                    "bank",
                    options=[
                        io.DynamicCombo.Option("drawn", [
                            io.Combo.Input(
                                "style", options=[EVERY, *STYLES], tooltip="How the people are painted."
                            ),
                            io.Float.Input(
                                "intensity", default=1.0, min=0.1, max=1.5, step=0.05,
                                tooltip="How strongly they feel it; an EMOTION that is connected is scaled by it.",
                            ),
                            io.Boolean.Input(
                                "one_person", default=False,
                                tooltip="All pictures of the same person, in changing poses, in place of several.",
                            ),
                        ]),
                        io.DynamicCombo.Option("folder", [
                            io.Combo.Input(
                                "folder", options=list(_folders()),
                                tooltip="A folder in ComfyUI's input or datasets with a folder of pictures for each "
                                "emotion, such as delight.",
                            ),
                            identity,
                        ]),
                    ],
                    tooltip="drawn: people of the pocket world. folder: your own pictures.",
                ),
                io.Int.Input("count", default=4, min=1, max=64, tooltip="How many pictures."),
                io.Int.Input(
                    "size", default=512, min=64, max=2048, step=8,
                    tooltip="Width and height in pixels; others are cut to a square and scaled.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**24, control_after_generate=True, tooltip="Which people.",
                ),
                EmotionSocket.Input(
                    "emotion", optional=True,
                    tooltip="In place of the word: its nearest of the 135 for a folder; drawn people feel it as it is.",
                ),
            ],
            outputs=[
                io.Image.Output("image", tooltip="The pictures, one person each."),
                io.String.Output("label", tooltip="The word of the 135."),
                EmotionSocket.Output("emotion_out", display_name="emotion", tooltip="What they show."),
            ],
        )  # fmt: skip

    @classmethod
    def fingerprint_inputs(cls, bank: dict[str, Any] | None = None, **rest: object) -> str:
        """The age of the folders' lists of files: pictures that were added or taken away are noticed."""
        folder = _folders().get((bank or {}).get("folder", ""))
        if folder is None:
            return ""
        times = [os.stat(place).st_mtime_ns for place, _, _ in os.walk(folder)]
        return f"{len(times)} {max(times)}"

    @classmethod
    def execute(
        cls,
        word: str,
        count: int,
        size: int,
        seed: int,
        bank: dict[str, Any] | None = None,
        emotion: Emotion | None = None,
    ) -> io.NodeOutput:
        """Pictures [count,size,size,3]. ValueError for a neutral emotion, or a folder with too few of the class."""
        bank = chosen(bank, cls, "bank")
        felt = Emotion.of(f"emo135.{word}") if emotion is None else emotion
        nearest = felt.nearest_emo135()
        if bank["bank"] == "folder":
            image, felt = _from_folder(bank, nearest, count, size, seed), Emotion.of(nearest.id)
        else:
            felt = felt.scaled(bank["intensity"])
            image = _drawn(bank, felt, count, size, seed)
        return io.NodeOutput(image, nearest.word, felt, ui=ui.PreviewImage(image, cls=cls))


def _folders() -> dict[str, Path]:
    return dataset_folders(is_emo135)


def _from_folder(bank: dict[str, Any], word: Word, count: int, size: int, seed: int) -> Tensor:
    from ..expressive.datasets.emo135 import read_emo135

    folders = _folders()
    if bank["folder"] not in folders:
        raise ValueError(
            f"There is no folder “{bank['folder']}” with a folder of pictures for each emotion. Put one into ComfyUI's "
            "input or datasets, or choose “drawn”."
        )
    found = read_emo135(folders[bank["folder"]], on_bad="skip")
    pictures = []
    for picture in found.references(word, count, seed, bank["identity"].strip()):
        comfy.model_management.throw_exception_if_processing_interrupted()
        pictures.append(square(picture.open(), size))
    return torch.cat(pictures)


def _drawn(bank: dict[str, Any], felt: Emotion, count: int, size: int, seed: int) -> Tensor:
    from ..expressive.pocket.faces import Identity, Pose
    from ..expressive.pocket.scene import Scene, picture

    rng, scenes = random.Random(f"references-{seed}"), []
    for index in range(count):
        who = UNSEEN + seed * 64 + (0 if bank["one_person"] else index)
        turned = Pose(rng.uniform(-15, 15), rng.uniform(-8, 8), rng.uniform(-5, 5))
        style = STYLES[index % len(STYLES)] if bank["style"] == EVERY else bank["style"]
        scenes.append(Scene(Identity.sample(who), felt, style=style, pose=turned, background=rng.choice(PLAIN)))
    pictures = []
    for scene in scenes:
        comfy.model_management.throw_exception_if_processing_interrupted()
        pictures.append(torch.tensor(picture(scene, size)))
    return torch.stack(pictures).float() / 255  # [B,H,W,3]
