"""An expression to keep: an emotion and how much of it, as a small JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from ..named_files import named_file, names_in
from .emotion import Emotion


@dataclass(frozen=True)
class Preset:
    """emotion, and the α that belongs to it: 0 neutral, 1 all of it."""

    emotion: Emotion
    alpha: float = 1.0

    def save(self, folder: Path, name: str) -> Path:
        """Write `<name>.json`, whole or not at all; another of that name is replaced. ValueError for a bad name."""
        path = _file(folder, name)
        written = json.dumps({"emotion": json.loads(self.emotion.to_json()), "alpha": self.alpha}, indent=1)
        if not path.is_file() or path.read_text(encoding="utf-8") != written:
            folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_text(written, encoding="utf-8")
            partial.replace(path)
        return path

    @classmethod
    def load(cls, folder: Path, name: str) -> Preset:
        """The preset of this name. FileNotFoundError, or ValueError for a file that is none."""
        path = _file(folder, name)
        if not path.is_file():
            raise FileNotFoundError(f"There is no preset “{name}” in {folder}.")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            alpha = float(found["alpha"])
            if not math.isfinite(alpha):
                raise ValueError(f"its α is {alpha}")
            return cls(Emotion.from_json(json.dumps(found["emotion"])), alpha)
        except KeyError as error:
            raise ValueError(f"{path.name} is not an expression preset: it lacks {error}.") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name} is not an expression preset: {str(error).rstrip('.')}.") from error


def _file(folder: Path, name: str) -> Path:
    return named_file(folder, name, ".json", "a preset")


def preset_names(folder: Path) -> list[str]:
    """Names of the presets in a folder, sorted; none where there is no folder."""
    return names_in(folder, ".json")
