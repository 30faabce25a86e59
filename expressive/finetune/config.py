"""The configuration of a LoRA training: a TOML file, changed by `--set table.key=value`, checked field by field.

The defaults are the paper's table for PixelSmile (its appendix B), and what its released trainer adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..settings import Count, Positive, Share, Table, Weight, read_settings

ANIME_CONTRAST = 0.05
"""Weight of the contrast for anime in the released configuration; identity then weighs nothing."""


class Base(Table):
    """The model that is adapted."""

    kind: Literal["qwen-image-edit", "pocket-edit", "sdxl", "pocket-xl"]
    path: Path | None = None  # a folder in diffusers' layout, or of pocket files; None: the pack's own models
    name: str = ""  # of pocket files; default: the kind
    trained: Literal["lora", "full"] = "lora"  # adapters, or all weights of the UNet (sdxl, pocket-xl)


class Faces(Table):
    """Which pictures are learned from: those with one face that is large enough and not cut off.

    encoder: an InsightFace pack, or 'reader' for drawn faces; empty: all pictures.
    """

    encoder: str = ""
    smallest: Share = 0.2  # of the picture's shorter side
    border: Share = 0.01  # of the picture that has to be free beside the face


class Pictures(Table):
    """Where pictures lie, and as what they are learned from."""

    source: Path  # the JSONL file, or the folder
    size: Annotated[int, Field(ge=32, multiple_of=16)] = (
        512  # side of a square picture of as many pixels as each bucket has
    )
    bad_rows: Literal["refuse", "skip"] = "refuse"
    cache: Path | None = None  # default: in the output's folder


class Data(Pictures):
    """What is learned from.

    pairs: PixelSmile's JSON lines. captions: a folder of pictures, each with a text file of the same name. classes: a
    folder for each of the 135 emotions, as Emo135 has them; captions are GenEAva's sentences, all classes count alike.
    """

    kind: Literal["pairs", "captions", "classes"] = "pairs"
    buckets: bool = False  # keep the pictures' shapes; False: all are cropped to squares
    dropout: Share = 0.1  # share of captions that are left empty, for guidance
    split: Literal["", "train", "validation", "test"] = ""  # of classes: only the pictures of this split
    faces: Faces = Faces()


class Lora(Table):
    rank: Count = 64
    alpha: Positive = 128.0
    dropout: Share = 0.0
    targets: tuple[str, ...] = ()  # default: the base's own
    text_encoders: bool = False  # adapt both text encoders, too (sdxl, pocket-xl)


class Contrast(Table):
    """The symmetric contrastive loss. encoder: the folder of a CLIP model, or 'reader' for drawn faces."""

    weight: Weight = 1.0
    triplet: Literal["info_nce", "hinge", "log_ratio"] = "info_nce"
    temperature: Positive = 0.07
    margin: Weight = 0.2
    epsilon: Positive = 1e-6
    symmetric: bool = True
    encoder: str = ""

    def constant(self) -> dict[str, float]:
        """The chosen triplet's constant by its name."""
        name = {"info_nce": "temperature", "hinge": "margin", "log_ratio": "epsilon"}[self.triplet]
        return {name: getattr(self, name)}


class Identity(Table):
    """encoder: the folder of an InsightFace pack, or 'reader' for drawn faces."""

    weight: Weight = 0.1
    below: Share = 0.6  # noise levels up to which x̂0 has a face
    encoder: str = ""


class Objective(Table):
    """What is minimised: flow matching, and for pairs the contrast and identity of the one-step estimate (Eq. 9)."""

    domain: Literal["human", "anime"] = "human"
    scored: bool = True  # each target is learned at α = its own score; False: all at 1
    contrast: Contrast = Contrast()
    identity: Identity = Identity()

    @model_validator(mode="before")
    @classmethod
    def _of_the_domain(cls, found: Any) -> Any:
        """Anime, where nothing else is said: contrast as in the released configuration, identity off."""
        if not isinstance(found, dict) or found.get("domain") != "anime":
            return found
        weights = {"contrast": ANIME_CONTRAST, "identity": 0.0}
        tables = {name: found.get(name, {}) for name in weights}
        return found | {
            name: {"weight": weights[name], **table} if isinstance(table, dict) else table
            for name, table in tables.items()
        }


class Expression(Table):
    """GenEAva's loss on what an expression encoder sees. encoder: a POSTER checkpoint, or 'reader' for drawn faces."""

    weight: Weight = 1.0
    least_signal: Share = 0.2  # ᾱ from which on x̂0 has a face to be read; it counts as much as its ᾱ
    encoder: str = ""


class Painting(Table):
    """What is minimised where captions are learned: the error in ε, and GenEAva's expression loss."""

    min_snr: Weight = 0.0  # γ of min-SNR weighting; 0: all noise levels weigh the same
    noise_offset: Weight = 0.0  # deviation of noise that is the same all over the picture
    expression: Expression = Expression()


class Optimiser(Table):
    kind: Literal["adamw", "adamw8bit"] = "adamw"
    lr: Positive = 1e-4
    text_lr: Weight = 0.0  # of the text encoders' adapters; 0: the same
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Weight = 1e-3
    eps: Positive = 1e-8
    clip: Positive = 1.0  # largest norm of the gradient
    schedule: Literal["cosine", "constant", "linear"] = "cosine"
    warm_up: int = Field(default=500, ge=0)  # steps


class Memory(Table):
    """What is given up for memory on the device."""

    precision: Literal["bf16", "fp16", "no"] = "bf16"
    checkpointing: bool = True  # blocks are computed a second time on the way back
    offload: bool = False  # frozen layers wait in the computer's memory and come to the device one by one


class Samples(Table):
    """Contact sheets made while training, as the shipped workflows do.

    Of pairs: each picture with each expression at each α. Of captions: each prompt.
    """

    every: int = Field(default=500, ge=0)  # steps; the first before training; 0: none
    pictures: tuple[Path, ...] = ()  # default: sources of the data
    expressions: tuple[str, ...] = ("happy", "fear", "surprised")
    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
    prompts: tuple[str, ...] = ()  # default: captions of the data
    cfg: Positive = 5.0
    steps: int = Field(default=12, ge=2)
    seed: int = 42


class Calibration(Table):
    """How strongly each expression shows at each α, measured at the end on sources of the data. judge: the reader."""

    pictures: int = Field(default=0, ge=0)  # 0: none
    judge: Literal["reader"] = "reader"
    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)

    @model_validator(mode="after")
    def _with_both_ends(self) -> Calibration:
        if self.pictures and not {0.0, 1.0} <= set(self.alphas):
            raise ValueError("alphas need 0 and 1 among them")
        return self


class Run(Table):
    epochs: Positive = 100.0
    steps: int = Field(default=0, ge=0)  # ends training before the epochs do; 0: no
    batch: Count = 4
    accumulate: Count = 1
    average: Share = 0.0  # decay of the moving average of weights that is saved; 0: the weights themselves
    save_every: Count = 1000
    keep: Count = 3  # checkpoints
    seed: int = 0


class Training(Table):
    """What every training has; `name` is the file's."""

    name: str
    base: Base
    data: Pictures
    optimiser: Optimiser = Optimiser()
    memory: Memory = Memory()
    samples: Samples = Samples()
    run: Run = Run()


class Config(Training):
    """One training of LoRA adapters, or of a whole network."""

    data: Data
    lora: Lora = Lora()
    objective: Objective = Objective()  # of pairs
    painting: Painting = Painting()  # of captions and classes
    calibration: Calibration = Calibration()

    @model_validator(mode="after")
    def _full_or_adapted(self) -> Config:
        paints = self.base.kind in ("sdxl", "pocket-xl")
        if self.base.trained == "full" and (self.lora.text_encoders or self.memory.offload or not paints):
            raise ValueError(
                "base.trained = “full” is for sdxl and pocket-xl, whose UNet it trains: without lora.text_encoders, "
                "and without memory.offload, which is for frozen layers"
            )
        if self.lora.text_encoders and not paints:
            raise ValueError("lora.text_encoders is for sdxl and pocket-xl")
        if self.optimiser.text_lr and not self.lora.text_encoders:
            raise ValueError("optimiser.text_lr counts for nothing without lora.text_encoders = true")
        return self


def read_config(path: Path, changes: Sequence[str] = ()) -> Config:
    """A TOML file with changes, such as "optimiser.lr=2e-4" or "base.kind=sdxl". Raises as `read_settings`."""
    return read_settings(path, Config, changes)
