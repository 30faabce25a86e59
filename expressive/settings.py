"""Settings that people write: a TOML file, changed by `--set table.key=value`, checked field by field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .toml import read_toml, toml_value

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Table(BaseModel):
    """A table of a TOML file. It knows all of its keys and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Settings = TypeVar("Settings", bound=Table)


def read_settings(path: Path, kind: type[Settings], changes: Sequence[str] = ()) -> Settings:
    """A TOML file with changes such as "run.batch=2"; values are TOML, or else plain text.

    Raises FileNotFoundError, or ValueError with a line for each field that is wrong.
    """
    _, found = read_toml(path)
    for change in changes:
        _change(found, change)
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']} (it is {e['input']!r})" for e in error.errors()]
        count = "a mistake" if len(lines) == 1 else f"{len(lines)} mistakes"
        raise ValueError(f"{path.name} has {count}:\n" + "\n".join(lines)) from error


def write_settings(settings: Table, path: Path) -> None:
    """All of it as TOML, defaults included: `read_settings` gives the same again."""
    import tomli_w

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True)), encoding="utf-8")


def _change(found: dict[str, Any], change: str) -> None:
    place, equals, written = change.partition("=")
    *tables, key = place.strip().split(".")
    if not equals or not key:
        raise ValueError(f"A change looks like “optimiser.lr=2e-4”, not “{change}”.")
    for table in tables:
        found = found.setdefault(table, {})
        if not isinstance(found, dict):
            raise ValueError(f"“{place}” goes through “{table}”, which is no table.")
    found[key] = toml_value(written)
