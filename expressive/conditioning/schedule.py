"""α over the course of sampling: early steps decide the pose of a face, late ones its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .conditioning import Conditioning, interpolate_conditioning

GAP = 1e-6
"""Between two parts, so that a step that lies on their border belongs to the later one alone."""


@dataclass(frozen=True)
class Part:
    """A part of sampling, from `start` to `end` as shares of it, in which α counts `factor` times."""

    factor: float
    start: float
    end: float

    def rows(self, rows: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
        """Rows of α as they count in this part."""
        return [tuple(alpha * self.factor for alpha in row) for row in rows]


def parse_schedule(text: str) -> list[Part]:
    """Factors of equal parts of sampling: "0, 1" keeps the first half neutral; "" is one part with factor 1.

    Equal neighbours become one part. Raises ValueError for anything but numbers from −1 to 3.
    """
    listed = [item.strip() for item in text.replace(";", ",").split(",") if item.strip()] or ["1"]
    try:
        factors = [float(item.replace("−", "-")) for item in listed]
    except ValueError:
        factors = [float("nan")]
    if not all(-1 <= factor <= 3 for factor in factors):
        raise ValueError(
            f"“{text}” is no schedule. List factors of α from −1 to 3 in their order, such as 0, 0.5, 1, 1."
        )
    parts: list[Part] = []
    for index, factor in enumerate(factors):
        start, end = index / len(factors), (index + 1) / len(factors)
        if parts and parts[-1].factor == factor:
            start = parts.pop().start
        parts.append(Part(factor, start, end))
    return [Part(part.factor, part.start, part.end - GAP if part.end < 1 else 1.0) for part in parts]


def interpolate_over_steps(
    neutral: Conditioning,
    targets: Sequence[Conditioning],
    rows: Sequence[Sequence[float]],
    parts: Sequence[Part],
    *,
    method: str,
    suffix_tokens: int,
) -> list[list[Any]]:
    """`interpolate_conditioning` for each part of sampling, each entry with the host's range of steps.

    An entry that has a range of its own keeps what both have in common. Raises ValueError as
    `interpolate_conditioning` does, and where a factor takes an α out of its range.
    """
    found: list[list[Any]] = []
    for part in parts:
        mixed = interpolate_conditioning(neutral, targets, part.rows(rows), method=method, suffix_tokens=suffix_tokens)
        if len(parts) == 1:
            return mixed
        for tokens, extras in mixed:
            start = max(part.start, extras.get("start_percent", 0.0))
            end = min(part.end, extras.get("end_percent", 1.0))
            if start < end:
                found.append([tokens, {**extras, "start_percent": start, "end_percent": end}])
    return found
