"""The configuration of a dataset of avatars: a TOML file, changed by `--set table.key=value`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from ..emotion.person import AGES, GENDERS, RACES
from ..settings import Count, Positive, Share, Table


class People(Table):
    """Who is in the dataset. Everybody shows every expression.

    details: lists of phrases such as ["black hair", "grey hair"]; everybody gets one of each list, all as often.
    """

    count: Count = 98
    ages: tuple[str, ...] = AGES
    genders: tuple[str, ...] = GENDERS
    races: tuple[str, ...] = RACES
    details: tuple[tuple[str, ...], ...] = ()

    @field_validator("ages", "genders", "races")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not values or len(set(values)) < len(values):
            raise ValueError("expected one or more, each once")
        return values


class Workflow(Table):
    """The graph that paints.

    file: a workflow in UI or API format; relative to the configuration's folder, or else to the one one is in.
    keep: id, title or class of the node whose pictures are kept, a Save Image or Preview Image.
    inputs: `node.input` → what the plan puts there: text with {word}, {intensity}, {age}, {gender}, {race}, {details},
    {prompt} or {seed}; or a value that is always the same.
    """

    file: Path
    keep: str
    inputs: dict[str, str | int | float | bool]


class Checks(Table):
    """What a picture has to be. A picture that fails is painted again from another seed.

    faces: an InsightFace pack, or 'reader' for drawn faces; empty: faces are not looked for.
    expressions: 'reader' for drawn faces; empty: not read.
    known: a folder of pictures whose people nobody may look like, such as those of the training; it needs `faces`.
    """

    faces: str = ""
    smallest: Share = 0.2  # of the picture's shorter side
    border: Share = 0.01  # of the picture that has to be free beside the face
    expressions: str = Field(default="", pattern="^(reader)?$")
    reached: Share = 0.3  # from which intensity on an expression counts as shown
    known: Path | None = None
    alike: Share = 0.7  # from which similarity on somebody looks like a known person
    tries: Count = 4  # pictures painted for each avatar at most; the best is kept of those without its expression


class Servers(Table):
    """Patience with the servers, in seconds."""

    ahead: Count = 2  # pictures that wait or are painted on each server
    picture: Positive = 900.0  # that one picture may take
    silence: Positive = 600.0  # for which no server answers before the run ends


class Output(Table):
    """shards: pictures in each WebDataset file; 0: the folder alone."""

    shards: int = Field(default=0, ge=0)


class Config(Table):
    """One dataset; `name` is its folder's.

    expressions: some of the 135 words; empty: all. intensity: of every expression. same_seed: everybody has one seed
    for all expressions, so that the face stays alike; false: every avatar has its own.
    """

    name: str
    seed: int = 0
    expressions: tuple[str, ...] = ()
    intensity: Positive = 1.0
    same_seed: bool = True
    people: People = People()
    workflow: Workflow
    checks: Checks = Checks()
    servers: Servers = Servers()
    output: Output = Output()
