"""Files that a user names: presets, kept sets, identities."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[\w][\w .,()+-]{0,79}")


def named_file(folder: Path, name: str, suffix: str, kind: str) -> Path:
    """`folder`/`name``suffix`. Raises ValueError for a name that cannot be a file's everywhere; kind: “a preset”."""
    if not _NAME.fullmatch(name) or name != name.strip():
        raise ValueError(
            f"“{name}” cannot be the name of {kind}. Use up to 80 letters, digits, spaces and , . ( ) + - _."
        )
    return folder / f"{name}{suffix}"


def names_in(folder: Path, suffix: str) -> list[str]:
    """Names of the files in a folder that `named_file` takes, sorted; none where there is no folder."""
    names = [path.name[: -len(suffix)] for path in folder.glob(f"*{suffix}")]
    return sorted(name for name in names if _NAME.fullmatch(name) and name == name.strip())
