"""An expression to keep: an emotion and how much of it, as a small JSON file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .emotion import Emotion

_NAME = re.compile(r"[\w][\w .,()+-]{0,79}")


@dataclass(frozen=True)
class Preset:
    """emotion, and the α that belongs to it: 0 neutral, 1 all of it."""

    emotion: Emotion
    alpha: float = 1.0

    def save(self, folder: Path, name: str) -> Path:
        """Write `<name>.json`, whole or not at all; one of the same name is replaced. ValueError for a bad name."""
        if not _NAME.fullmatch(name) or name != name.strip():
            raise ValueError(
                f"“{name}” cannot be the name of a preset. Use up to 80 letters, digits, spaces and , . ( ) + - _."
            )
        folder.mkdir(parents=True, exist_ok=True)
        path, partial = folder / f"{name}.json", folder / f"{name}.partial"
        written = {"version": 1, "emotion": json.loads(self.emotion.to_json()), "alpha": self.alpha}
        partial.write_text(json.dumps(written, indent=1), encoding="utf-8")
        partial.replace(path)
        return path

    @classmethod
    def load(cls, folder: Path, name: str) -> Preset:
        """The preset of this name. FileNotFoundError, or ValueError for a file that is none."""
        path = folder / f"{name}.json"
        if not path.is_file():
            raise FileNotFoundError(f"There is no preset “{name}” in {folder}.")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(Emotion.from_json(json.dumps(found["emotion"])), float(found["alpha"]))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name} is not an expression preset: {error}.") from error


def preset_names(folder: Path) -> list[str]:
    """Names of the presets in a folder, sorted; none where there is no folder."""
    return sorted(path.stem for path in folder.glob("*.json"))
