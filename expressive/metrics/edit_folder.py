"""Edited pictures of any tool, as FFE-Bench judges them: which was made from what, towards what, and how much.

Either the folder has a list, `edits.jsonl`, with a line for each picture:

    {"image": "a_happy_0.5.png", "source": "../faces/a.png", "expression": "happy", "alpha": 0.5}

(paths relative to it, alpha 1 where it is missing), or its files are called as PixelSmile's own script calls them:
`a_happy_0.5.jpg`, and the folder of sources has `a.png` or another picture of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..datasets.ffe import expression_word, expressions
from ..datasets.pictures import is_picture, resolved
from ..datasets.rows import BadRowError, BadRows, Unexpected, mapping, number, parsed, required, text

LIST = "edits.jsonl"
_NAME = re.compile(r"(?P<stem>.+)_(?P<word>[A-Za-z]+)_(?P<alpha>-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class EditFile:
    """One edited picture. expression: one of the twelve words."""

    image: Path
    source: Path
    expression: str
    alpha: float = 1.0


def read_edit_folder(folder: Path, sources: Path | None = None) -> list[EditFile]:
    """All edits of a folder, by its list or by the files' names, sorted.

    sources: folder of the pictures that were edited; needed without a list. Raises FileNotFoundError, ValueError for a
    folder without edits, and BadRowError, with the line or the file, for one that cannot be understood.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    found = list(_listed(folder / LIST) if (folder / LIST).is_file() else _named(folder, sources))
    if not found:
        raise ValueError(f"{folder} holds no edited pictures: neither {LIST} nor files such as face_happy_0.5.png.")
    return sorted(found, key=lambda edit: (str(edit.source), edit.expression, edit.alpha))


def _listed(file: Path) -> Iterator[EditFile]:
    bad = BadRows("refuse")
    for line, content in enumerate(file.read_bytes().splitlines(), start=1):
        if content.strip():
            edit = bad.attempt(file, line, lambda content=content: _row(parsed(content), file.parent))
            if edit is not None:
                yield edit


def _row(row: object, folder: Path) -> EditFile:
    found = mapping(row, "a line")
    image = resolved(text(required(found, "image", "a line"), "“image”"), folder, check=True)
    source = resolved(text(required(found, "source", "a line"), "“source”"), folder, check=True)
    word = expression_word(text(required(found, "expression", "a line"), "“expression”"))
    if word is None:
        raise Unexpected(f"“expression” to be one of {', '.join(expressions())}", str(found["expression"]))
    return EditFile(image, source, word, number(found.get("alpha", 1.0), "“alpha”", -10.0, 10.0))


def _named(folder: Path, sources: Path | None) -> Iterator[EditFile]:
    if sources is None:
        raise ValueError(f"{folder} has no {LIST}, so the folder of the pictures that were edited is needed, too.")
    originals = {path.stem: path for path in sorted(sources.iterdir()) if is_picture(path)}
    for image in sorted(folder.iterdir()):
        match = _NAME.fullmatch(image.stem) if is_picture(image) else None
        word = expression_word(match["word"]) if match else None
        if match is None or word is None:
            continue
        source = originals.get(match["stem"])
        if source is None:
            raise BadRowError(
                f"{image}: expected the picture that it was made from in {sources}, got no {match['stem']}."
            )
        yield EditFile(image, source, word, float(match["alpha"]))
