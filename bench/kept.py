"""Figures that a bench has computed already: one that was cut off goes on where it stopped."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from bench.report import ROOT
from expressive.finetune.cache import file_hash, key_of, weights_hash
from expressive.pocket.datasets.writing import drawing_digest, write_text

T = TypeVar("T")


class Kept:
    """Figures as JSON in a folder, each under a key of all that they come from.

    models: of the pack, those that count, such as "pocket-edit.*". by: functions of the bench that compute the figures;
    with their text, the metrics and the drawings count.
    """

    def __init__(self, folder: Path, models: Sequence[str], *by: Callable[..., object]) -> None:
        weights = weights_hash(*(file for name in models for file in (ROOT / "models").glob(name)))
        self._folder = folder
        self._of = key_of(*map(inspect.getsource, by), *sources("metrics/*.py"), weights, drawing_digest())

    def get(self, make: Callable[[], T], *of: object) -> T:
        """What `make` gives, computed once; of: the rest of what it comes from, files by their content."""
        named = [file_hash(part) if isinstance(part, Path) else part for part in of]
        file = self._folder / f"{key_of(self._of, *named)}.json"
        if not file.is_file():
            write_text(file, json.dumps(make()))
        return json.loads(file.read_text(encoding="utf-8"))


def sources(*patterns: str) -> list[str]:
    """Hashes of files of `expressive/`, such as "losses/*.py": what a training that is taken up again depends on."""
    files = {file for pattern in patterns for file in (ROOT / "expressive").glob(pattern)}
    return [file_hash(file) for file in sorted(files)]
