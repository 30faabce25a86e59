"""An expression to keep: an emotion and how much of it, as a small JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from .emotion import Emotion


@dataclass(frozen=True)
class Preset:
    """emotion, and the α that belongs to it: 0 neutral, 1 all of it."""

    emotion: Emotion
    alpha: float = 1.0

    def same_as(self, other: Preset) -> bool:
        """Whether both hold the same."""
        return self == other

    def save(self, file: Path) -> Path:
        """Write JSON, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        held = {"emotion": json.loads(self.emotion.to_json()), "alpha": self.alpha}
        partial.write_text(json.dumps(held, indent=1), encoding="utf-8")
        return partial.replace(file)

    @classmethod
    def load(cls, file: Path) -> Preset:
        """Read what `save` wrote. Raises ValueError for another file."""
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            alpha = float(found["alpha"])
            if not math.isfinite(alpha):
                raise ValueError(f"its α is {alpha}")
            return cls(Emotion.from_json(json.dumps(found["emotion"])), alpha)
        except KeyError as error:
            raise ValueError(f"{file.name} is not an expression preset: it lacks {error}.") from error
        except (TypeError, ValueError) as error:
            raise ValueError(f"{file.name} is not an expression preset: {str(error).rstrip('.')}.") from error
