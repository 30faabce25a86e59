"""Rows of a dataset that are not as they should be: refused with a sentence, or skipped and counted."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ON_BAD = ("refuse", "skip")
EXAMPLES = 5
"""So many skipped rows are remembered word for word; the rest is counted."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_SHOWN = 60  # characters of a wrong value in a message


class BadRowError(ValueError):
    """A row is malformed. The message says where it stands, what was expected there and what came."""


class Unexpected(Exception):  # noqa: N818  (no error yet: `BadRows` decides)
    """A value that is not as expected, before it is known where it stands."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got = expected, got


@dataclass(frozen=True)
class BadRow:
    """Where a malformed row stands and what is wrong with it."""

    file: Path
    place: int | str | None  # a line, counted from 1; or the key of an entry; or None for the whole file
    expected: str
    got: str

    def __str__(self) -> str:
        where = {int: f":{self.place}", str: f", entry “{self.place}”"}.get(type(self.place), "")
        return f"{self.file}{where}: expected {self.expected}, got {self.got}."


class BadRows:
    """What becomes of malformed rows while a dataset is read.

    on_bad: "refuse" raises BadRowError at the first one; "skip" leaves them out, counts them and keeps the first few.
    Raises ValueError for any other `on_bad`.
    """

    def __init__(self, on_bad: str = "refuse") -> None:
        if on_bad not in ON_BAD:
            raise ValueError(f"Expected on_bad to be {' or '.join(ON_BAD)}, got {on_bad!r}.")
        self.on_bad = on_bad
        self.count = 0
        self.examples: list[BadRow] = []

    def report(self, file: Path, place: int | str | None, problem: Unexpected) -> None:
        """Take note of one malformed row. Raises BadRowError if rows are refused."""
        row = BadRow(Path(file), place, problem.expected, problem.got)
        if self.on_bad == "refuse":
            raise BadRowError(str(row)) from problem
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(row)

    def attempt(self, file: Path, place: int | str | None, read: Callable[..., _T], *arguments: Any) -> _T | None:
        """`read(*arguments)`, or None where that found something unexpected and rows are skipped."""
        try:
            return read(*arguments)
        except Unexpected as problem:
            self.report(file, place, problem)
            return None

    def log(self, what: str) -> None:
        """One warning about all that was skipped, if anything was; called when `what` has been read."""
        if self.count:
            first = "\n  ".join(str(row) for row in self.examples)
            _log.warning("%s: skipped %d malformed row(s). The first:\n  %s", what, self.count, first)


def shown(value: Any) -> str:
    """A value for a message, cut short."""
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + " …"
    return f"“{text}”" if isinstance(value, str) else text


def parsed(content: bytes) -> Any:
    """JSON (UTF-8) as a value. Raises Unexpected."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:  # not JSON, or not UTF-8
        raise Unexpected("JSON", f"{shown(content.decode(errors='replace').strip())} ({error})") from error


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises Unexpected."""
    if not isinstance(value, dict):
        raise Unexpected(f"{what} to be an object", shown(value))
    return value


def listing(value: Any, what: str, length: int | None = None) -> Sequence[Any]:
    """A JSON array, of that length where one is given. Raises Unexpected."""
    if not isinstance(value, list):
        raise Unexpected(f"{what} to be a list", shown(value))
    if length is not None and len(value) != length:
        raise Unexpected(f"{what} to have {length} entries", f"{len(value)}: {shown(value)}")
    return value


def text(value: Any, what: str) -> str:
    """A text that is not empty. Raises Unexpected."""
    if not isinstance(value, str) or not value.strip():
        raise Unexpected(f"{what} to be a text", shown(value))
    return value


def number(value: Any, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number within low … high. Raises Unexpected."""
    try:
        finite = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        finite = False
    if not finite:
        raise Unexpected(f"{what} to be a number", shown(value))
    if not low <= value <= high:
        bounds = f"within {low:g} … {high:g}" if math.isfinite(high) else f"at least {low:g}"
        raise Unexpected(f"{what} to be {bounds}", f"{value:g}")
    return float(value)


def required(row: Mapping[str, Any], name: str, what: str) -> Any:
    """The value of a field that must be there. Raises Unexpected."""
    if name not in row:
        raise Unexpected(f"{what} to have “{name}”", f"only {', '.join(map(str, row)) or 'nothing'}")
    return row[name]


def box(value: Any, what: str) -> tuple[float, float, float, float] | None:
    """A face box [left, top, right, bottom] in pixels, or None where there is none. Raises Unexpected."""
    if value is None:
        return None
    left, top, right, bottom = (number(edge, f"an edge of {what}") for edge in listing(value, what, 4))
    if not (left < right and top < bottom):
        raise Unexpected(f"{what} to be [left, top, right, bottom] with left < right and top < bottom", shown(value))
    return left, top, right, bottom
