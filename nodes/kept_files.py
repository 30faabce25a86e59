"""What nodes that keep something under a name share: its folder, the mode, and when a file changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import folder_paths
from comfy_api.latest import io

from ..expressive.named_files import named_file, names_in


class Keepable(Protocol):
    """What writes itself to a file and reads itself from one."""

    def same_as(self, other: Any, /) -> bool: ...
    def save(self, file: Path, /) -> Path: ...
    @classmethod
    def load(cls, file: Path, /) -> Any: ...


Found = TypeVar("Found", bound=Keepable)


@dataclass(frozen=True)
class KeptFiles:
    """Files of one kind, in the user's folder of the host. kind: “set”; article: “a”; kept: the input that says which
    one to load."""

    folder_name: str
    suffix: str
    kind: str
    article: str = "a"
    kept: str = "kept"

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return Path(folder_paths.get_user_directory()) / self.folder_name

    @property
    def none(self) -> str:
        """What the list shows while there is none."""
        return f"(no {self.kind} yet)"

    def mode_input(self, example: str, *saved: io.Input) -> io.DynamicCombo.Input:
        """The choice of load, with a list of names, and save, with a name and what is to be saved."""
        article = self.article.capitalize()
        load = io.Combo.Input(
            self.kept,
            options=names_in(self.folder, self.suffix) or [self.none],
            tooltip=f"{article} {self.kind} that was saved before. Press R on the canvas to see new ones.",
        )
        name = io.String.Input("name", default=example, tooltip=f"{article} {self.kind} of the same name is replaced.")
        return io.DynamicCombo.Input(
            "mode",
            options=[io.DynamicCombo.Option("load", [load]), io.DynamicCombo.Option("save", [name, *saved])],
            tooltip=f"load: an earlier {self.kind}. save: what comes in is kept, and goes on as it is.",
        )

    def fingerprint(self, mode: dict[str, Any] | None) -> str:
        """When the file changed last: a changed one is read again, and one that was replaced or removed saved again."""
        named = (mode or {}).get(self.kept) or (mode or {}).get("name")
        path = self.folder / f"{named}{self.suffix}"
        return str(path.stat().st_mtime_ns if path.is_file() else time.time_ns())  # never what it was before

    def load(self, of: type[Found], mode: dict[str, Any]) -> tuple[Found, Path]:
        """The one that was chosen. FileNotFoundError or ValueError with a sentence where there is none."""
        name = mode[self.kept]
        if name == self.none:
            raise ValueError(f"No {self.kind} is saved yet: set the mode to save first.")
        path = self._file(name)
        if not path.is_file():
            raise FileNotFoundError(f"There is no {self.kind} “{name}” in {path.parent}.")
        return of.load(path), path

    def save(self, found: Keepable, mode: dict[str, Any]) -> Path:
        """Write it, unless the file holds the same: what is behind the node then need not run again."""
        path = self._file(mode["name"])
        if not (path.is_file() and _holds(path, found)):
            found.save(path)
        return path

    def _file(self, name: str) -> Path:
        return named_file(self.folder, name, self.suffix, f"{self.article} {self.kind}")


def _holds(path: Path, found: Keepable) -> bool:
    try:
        return type(found).load(path).same_as(found)
    except ValueError:  # damaged, or something else: it is replaced
        return False
