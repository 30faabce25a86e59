"""PixelSmile's data (arXiv 2603.25728): the JSON lines of its trainer, and the tasks of FFE-Bench.

One line of the training file is a source and the two targets of one symmetric step, paths relative to the file:

    {"src": {"image": "a.png", "boxes": [x1, y1, x2, y2]},
     "dst": [{"image": "b.png", "category": "fear", "scores": {"fear": 0.9, "surprised": 0.3}, "boxes": […]},
             {"image": "c.png", "category": "surprised", "scores": {…}}]}

`boxes` is the face in pixels and may be missing.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..emotion import vocabulary
from .pictures import open_picture, resolved
from .rows import BadRows, Unexpected, box, listing, mapping, number, parsed, required, shown, text

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

MISSING = ("zero", "refuse")
DOMAINS = ("human", "anime")
BENCH_TASKS = 198
"""FFE-Bench: 98 of people, 100 of anime characters."""


@dataclass(frozen=True)
class Target:
    """One picture to learn. scores: 12 numbers of 0 … 1 in PixelSmile's order (`EXPRESSIONS`)."""

    image: Path
    category: str
    scores: tuple[float, ...]
    box: Box | None = None

    @property
    def score(self) -> float:
        """How much of its category it shows: the α at which it is the right answer."""
        return self.scores[expressions().index(self.category)]

    def open(self) -> Image:
        """RGB. Raises BadRowError for a broken file."""
        return open_picture(self.image)


@dataclass(frozen=True)
class Pair:
    """One line: a source, and two targets of different categories, the same person."""

    source: Path
    targets: tuple[Target, Target]
    box: Box | None = None
    line: int = 0

    def open_source(self) -> Image:
        """RGB. Raises BadRowError for a broken file."""
        return open_picture(self.source)


@dataclass(frozen=True)
class Ffe:
    """A training file. bad: what was left out, and why."""

    pairs: tuple[Pair, ...]
    bad: BadRows


@dataclass(frozen=True)
class BenchTask:
    """One task of FFE-Bench: edit the image so that it shows the expression. The prompt names no intensity."""

    image: Path
    box: Box | None
    expression: str
    prompt: str
    domain: str | None = None

    def open(self) -> Image:
        """RGB. Raises BadRowError for a broken file."""
        return open_picture(self.image)


@functools.cache
def expressions() -> tuple[str, ...]:
    """The 12 words, in the order of every score vector."""
    return tuple(word.word for word in vocabulary.pixelsmile())


def rescaled(score: float) -> float:
    """PixelSmile's `use_score_rescale`: 0 … 1 to 0 … 1, monotonic, with moderate scores pulled down.

    As released, that option changes nothing: its function looks for scores beside `src` and `dst`, where none are.
    """
    if score <= 0.6:
        return 0.5 * score
    if score <= 0.8:
        return score - 0.3
    return 3.0 * score - 1.9 if score <= 0.9 else 2.0 * score - 1.0


def read_ffe(
    file: Path | str, on_bad: str = "refuse", *, missing: str = "zero", rescale: bool = False, check_files: bool = True
) -> Ffe:
    """All pairs of a training file; no picture is opened.

    missing: "zero" takes words without a score as 0, "refuse" calls that malformed; the category's own score must
    always be there. rescale: put all scores through `rescaled`. check_files: a picture that is not there is malformed.
    Raises FileNotFoundError; ValueError for another `missing`; BadRowError if refused.
    """
    file, bad = Path(file), BadRows(on_bad)
    if missing not in MISSING:
        raise ValueError(f"Expected missing to be {' or '.join(MISSING)}, got {missing!r}.")
    reader = functools.partial(_pair, folder=file.parent, missing=missing, rescale=rescale, check=check_files)
    pairs = [bad.attempt(file, line, reader, row, line) for line, row in _lines(file, bad)]
    bad.log(str(file))
    return Ffe(tuple(pair for pair in pairs if pair is not None), bad)


def read_ffe_bench(
    file: Path | str, on_bad: str = "refuse", *, check_files: bool = True
) -> tuple[tuple[BenchTask, ...], BadRows]:
    """The tasks of FFE-Bench, from JSON lines or one JSON list, and what was left out.

    The benchmark's card names what a task holds (image, face box, target expression, prompt) but not the columns;
    `_COLUMNS` lists the spellings that are understood.
    Raises FileNotFoundError; BadRowError if refused.
    """
    file, bad = Path(file), BadRows(on_bad)
    tasks = [bad.attempt(file, place, _task, row, file.parent, check_files) for place, row in _lines(file, bad)]
    bad.log(str(file))
    return tuple(task for task in tasks if task is not None), bad


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "input_image", "image_path", "input", "src"),
    "box": ("bbox", "face_bbox", "face_box", "boxes", "box"),
    "expression": ("expression", "target_expression", "target", "category"),
    "prompt": ("prompt", "text_prompt", "instruction"),
    "domain": ("data_type", "domain", "type"),
}


def _lines(file: Path, bad: BadRows) -> Iterator[tuple[int, Any]]:
    """Line (or place in a list), from 1, and JSON value, one after the other."""
    with file.open("rb") as lines:
        if lines.read(4096).removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"[":
            content = bad.attempt(file, None, parsed, file.read_bytes())
            yield from enumerate(content or [], start=1)
            return
        lines.seek(0)
        for line, content in enumerate(lines, start=1):
            content = content.removeprefix(codecs.BOM_UTF8) if line == 1 else content
            if content.strip():
                value = bad.attempt(file, line, lambda content=content: (parsed(content),))
                if value is not None:
                    yield line, value[0]


def _pair(row: Any, line: int, *, folder: Path, missing: str, rescale: bool, check: bool) -> Pair:
    row = mapping(row, "a line")
    source = mapping(required(row, "src", "a line"), "“src”")
    targets = [
        _target(mapping(target, "a target"), folder, missing, rescale, check)
        for target in listing(required(row, "dst", "a line"), "“dst”", 2)
    ]
    if targets[0].category == targets[1].category:
        raise Unexpected("two targets of different categories", f"{targets[0].category} twice")
    image = resolved(text(required(source, "image", "“src”"), "“image”"), folder, check=check)
    return Pair(image, (targets[0], targets[1]), box(source.get("boxes"), "“boxes”"), line)


def _target(row: Mapping[str, Any], folder: Path, missing: str, rescale: bool, check: bool) -> Target:
    category = _expression(required(row, "category", "a target"), "“category”")
    scores: dict[str, float] = {}
    for name, value in mapping(required(row, "scores", "a target"), "“scores”").items():
        if value is None:  # a table with a column for each word holds null where a row has none
            continue
        word = _expression(name, "a word of “scores”")
        if word in scores:
            raise Unexpected("one score for each word", f"two for {word}")
        scores[word] = number(value, f"the score of {word}", 0.0, 1.0)
    if category not in scores:
        raise Unexpected(f"a score for the category {category}", f"scores for {', '.join(scores) or 'nothing'}")
    absent = [word for word in expressions() if word not in scores]
    if absent and missing == "refuse":
        raise Unexpected("scores for all 12 expressions", f"none for {', '.join(absent)}")
    vector = tuple(scores.get(word, 0.0) for word in expressions())
    image = resolved(text(required(row, "image", "a target"), "“image”"), folder, check=check)
    scaled = tuple(rescaled(score) for score in vector) if rescale else vector
    return Target(image, category, scaled, box(row.get("boxes"), "“boxes”"))


def _expression(name: Any, what: str) -> str:
    """The word of the 12 for a word, a noun or a benchmark's label. Raises Unexpected."""
    word = expression_word(text(name, what))
    if word is None:
        raise Unexpected(f"{what} to be one of {', '.join(expressions())}", shown(name))
    return word


def expression_word(name: str) -> str | None:
    """The word of the 12 for a word, a noun or a benchmark's label; None for anything else."""
    return _spellings().get(name.strip().lower())


@functools.cache
def _spellings() -> Mapping[str, str]:
    words = vocabulary.pixelsmile()
    return {alias: word.word for word in words for alias in word.aliases} | {word.word: word.word for word in words}


def _task(row: Any, folder: Path, check: bool) -> BenchTask:
    row = mapping(row, "a task")
    values = {name: next((row[c] for c in columns if c in row), None) for name, columns in _COLUMNS.items()}
    for name in ("image", "expression", "prompt"):
        if values[name] is None:
            raise Unexpected(f"a task to have “{_COLUMNS[name][0]}”", f"only {', '.join(row) or 'nothing'}")
    if values["domain"] not in (None, *DOMAINS):
        raise Unexpected(f"the domain to be {' or '.join(DOMAINS)}", shown(values["domain"]))
    return BenchTask(
        image=resolved(text(values["image"], "“image”"), folder, check=check),
        box=box(values["box"], "the face box"),
        expression=_expression(values["expression"], "the expression"),
        prompt=text(values["prompt"], "“prompt”"),
        domain=values["domain"],
    )
