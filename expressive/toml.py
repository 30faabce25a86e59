"""Reading TOML files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """A file's text and what it says. Raises FileNotFoundError, or ValueError, naming the file, for other than TOML."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no configuration {path}.")
    text = path.read_text(encoding="utf-8")
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not TOML: {error}.") from error


def toml_value(written: str) -> Any:
    """A value as TOML has it, such as 2e-4 or [0, 1]; anything else is plain text."""
    try:
        return tomllib.loads(f"x = {written}")["x"]
    except tomllib.TOMLDecodeError:
        return written.strip()
