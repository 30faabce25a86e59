"""The configuration of an identity-expression adapter's training (Gen-AFFECT), as that of a LoRA's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from ..settings import Count, Share, Table, Weight, read_settings
from .config import Expression, Identity, Pictures, Samples, Training


class People(Pictures):
    """Pictures of people with several expressions each: PixelSmile's JSON lines, whose `src` tells the person.

    What the adapter sees of a person are others of their pictures; the face to make it sees in pictures of others.
    """

    pictures: Annotated[int, Field(ge=1, le=8)] = 4  # of a person are seen at most; each time 1 to so many
    references: Path | None = (
        None  # further pictures of the expressions: a folder for each, or a folder of such folders
    )
    foreign: Share = 0.25  # share of expressions that are seen in `references`, if there are some
    prompt: str = "A portrait of a person with a {word} expression"
    no_words: Share = 0.1  # share of prompts that name no expression, so that the tokens alone tell it
    no_identity: Share = 0.05  # share without a person, for guidance
    no_expression: Share = 0.05  # share without a face to make
    finder: str = ""  # of faces, for POSTER: an InsightFace pack, or 'reader'; empty: it sees whole pictures

    @model_validator(mode="after")
    def _with_word(self) -> People:
        if "{word}" not in self.prompt:
            raise ValueError("prompt has to say {word} where the expression stands")
        return self


class Encoders(Table):
    """Who looks at reference pictures: folders of a CLIP or DINO model or an InsightFace pack, a POSTER checkpoint.

    'reader': for drawn faces.
    """

    identity: str
    appearance: str
    expression: str


class Adapter(Table):
    """How large it is."""

    width: Count = 1024
    identity_tokens: Count = 16
    expression_tokens: Count = 4
    layers: Count = 4  # of the resampler
    heads: Count = 16
    every: Count = 3  # blocks of a transformer between two layers of attention


class Face(Expression):
    """The expression of the one-step estimate. encoder: a POSTER checkpoint, or 'reader' for drawn faces."""

    weight: Weight = 0.1
    least_signal: Share = 0.4


class Aim(Table):
    """What is minimised beside the error of the network: identity and expression of the one-step estimate."""

    identity: Identity = Identity()
    expression: Face = Face()
    min_snr: Weight = 5.0  # γ of min-SNR weighting, for networks that predict ε


class AdapterConfig(Training):
    """One training of an adapter."""

    data: People
    encoders: Encoders
    adapter: Adapter = Adapter()
    objective: Aim = Aim()

    @model_validator(mode="after")
    def _of_adapters(self) -> AdapterConfig:
        if self.base.trained != "lora" or self.optimiser.text_lr or self.memory.offload:
            raise ValueError(
                "an adapter is all that is trained: base.trained, optimiser.text_lr and memory.offload are for LoRA"
            )
        for name in ("pictures", "alphas", "prompts"):
            if getattr(self.samples, name) != getattr(Samples(), name):
                raise ValueError(f"samples.{name} means nothing here: sheets show people of the data")
        if self.samples.every and self.base.kind in ("qwen-image-edit", "pocket-edit") and self.samples.cfg != 1:
            raise ValueError("samples.cfg has to be 1 for this base, which is sampled without guidance")
        return self


def read_adapter_config(path: Path, changes: Sequence[str] = ()) -> AdapterConfig:
    """A TOML file with changes. Raises as `read_settings`."""
    return read_settings(path, AdapterConfig, changes)
