"""Draws the items of a dataset in several processes, goes on after a cut, and says in the folder how it was made."""

from __future__ import annotations

import functools
import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ABOUT = "dataset.json"
JOURNAL = ".drawn.jsonl"
VERSION = 2  # of the files' layout

_WATCHED = 6  # scenes whose pixels and landmarks name the drawing


@dataclass(frozen=True)
class Recipe:
    """What is asked for; everything in the folder follows from it and from how people are drawn."""

    kind: str
    count: int
    size: int  # pixels of a side
    seed: int

    def __post_init__(self) -> None:
        for what, low in (("count", 1), ("size", 16), ("seed", 0)):
            if getattr(self, what) < low:
                raise ValueError(f"Expected a {what} of {low} or more, got {getattr(self, what)}.")


@dataclass(frozen=True)
class Item:
    """One drawn item: `row`, what the annotations say of it, as JSON; `files`, its files' paths in the folder."""

    row: dict[str, Any]
    files: Sequence[str] = field(default_factory=tuple)


Draw = Callable[[Path, int], Item]
"""Draws item number i into a folder. A function at the top level of a module, or a partial of one."""


def write_dataset(
    folder: Path,
    recipe: Recipe,
    draw: Draw,
    finish: Callable[[Path, list[dict[str, Any]]], dict[str, Any]],
    workers: int,
) -> bool:
    """Draw all items that are not there yet, then write the annotations; False if the dataset was complete already.

    finish: writes the annotation files for all rows, in order; what it returns goes into dataset.json.
    Raises ValueError if the folder holds anything else, or a dataset of another recipe or drawn by another version.
    """
    about = {
        "dataset": f"{recipe.kind} of the pocket world",
        "shows": "drawn people; nobody real",
        "licence": "Apache-2.0",
        "made by": "Expressive Avatars: python run.py pocket data",
        "version": VERSION,
        **asdict(recipe),
        "drawing": drawing_digest(),
    }
    if _complete(folder, about):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / ABOUT, about | {"complete": False})
    rows = _journal(folder)
    missing = [index for index in range(recipe.count) if index not in rows]
    with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
        for index, item in _drawn(folder, draw, missing, recipe, workers):
            journal.write(json.dumps({"index": index, "files": list(item.files), "row": item.row}) + "\n")
            journal.flush()
            rows[index] = item.row
    found = finish(folder, [rows[index] for index in range(recipe.count)])
    write_json(folder / ABOUT, about | found | {"complete": True})
    (folder / JOURNAL).unlink()
    return True


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """A png or jpg of uint8 [H,W,3], whole or not at all; folders are made as needed."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with _whole(path) as draft:
        Image.fromarray(pixels).save(draft, quality=95, subsampling=0)


def write_json(path: Path, content: Any) -> None:
    """JSON for people to read, whole or not at all; folders are made as needed."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """JSON lines, whole or not at all."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """A text as it is, whole or not at all; folders are made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


@functools.cache
def drawing_digest() -> str:
    """Changes when people, or the truth about them, come out otherwise than before."""
    from ..faces import Identity
    from ..scene import FRAMES, STYLES, picture
    from ..scene.sampling import random_emotion, random_scene
    from ..scene.truth import truth

    digest = hashlib.sha256()
    for index in range(_WATCHED):
        style, frame = STYLES[index % len(STYLES)], [*FRAMES][index % len(FRAMES)]
        emotion = random_emotion(f"digest-{index}")
        scene = random_scene(f"digest-{index}", Identity.sample(index), emotion, styles=(style,), frame=frame)
        known = truth(scene, 64, maps=False)
        digest.update(picture(scene, 64).tobytes() + known.landmarks.round(3).tobytes())
    return digest.hexdigest()[:12]


def _complete(folder: Path, about: dict[str, Any]) -> bool:
    """Whether the folder holds just this, whole. Raises ValueError if it holds something else."""
    file = folder / ABOUT
    if not file.is_file():
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(f"Expected an empty or new folder for the dataset; {folder} holds other files.")
        return False
    found = json.loads(file.read_bytes())
    other = [name for name, value in about.items() if found.get(name) != value]
    if other == ["drawing"]:
        raise ValueError(
            f"{folder} was drawn by another version of the pocket world, whose people look otherwise. Choose another "
            "folder, or remove that one."
        )
    if other:
        differs = "; ".join(f"{name} {found.get(name)} there, {about[name]} asked for" for name in other)
        raise ValueError(f"{folder} holds another dataset ({differs}). Choose another folder, or remove that one.")
    return bool(found["complete"])


def _journal(folder: Path) -> dict[int, dict[str, Any]]:
    """Index → row of the items drawn before a cut, as far as their files are there.

    What the cut left half done goes: files under temporary names, and the journal's last line.
    """
    file, rows, whole = folder / JOURNAL, {}, 0
    if not file.is_file():
        return rows
    for draft in [path for path in folder.rglob(".*") if path.is_file() and path != file]:
        draft.unlink()
    with file.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            entry = json.loads(line)
            if all((folder / name).is_file() for name in entry["files"]):
                rows[entry["index"]] = entry["row"]
    os.truncate(file, whole)
    return rows


def _drawn(
    folder: Path, draw: Draw, missing: Sequence[int], recipe: Recipe, workers: int
) -> Iterator[tuple[int, Item]]:
    """Items in the order in which they are done, with a progress bar that counts those done before as well."""
    from tqdm import tqdm

    done, work = recipe.count - len(missing), _Work(folder, draw)
    with tqdm(total=recipe.count, initial=done, desc=f"drawing {recipe.kind}", disable=not missing) as bar:
        if workers <= 1:
            for index in missing:
                yield work(index)
                bar.update()
            return
        context = multiprocessing.get_context("spawn")
        with context.Pool(min(workers, max(1, len(missing))), initializer=_ignore_interrupts) as pool:
            for item in pool.imap_unordered(work, missing, chunksize=max(1, min(16, len(missing) // (4 * workers)))):
                yield item
                bar.update()


@dataclass(frozen=True)
class _Work:
    folder: Path
    draw: Draw

    def __call__(self, index: int) -> tuple[int, Item]:
        return index, self.draw(self.folder, index)


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole group of processes; the main one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A temporary path of the same suffix that gets the name once it is written; nothing is left of a failure."""
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
