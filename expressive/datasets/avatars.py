"""A dataset of avatars that grows picture by picture, as GenEAva 1.0 was made, and is whole whatever stops it.

    <folder>/delight/avatar-7-0.png
    <folder>/metadata.jsonl        a line for each picture: file_name, text, and everything else that is known of it

That is the layout of Hugging Face's imagefolder, and with its class folders also Emo135's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

METADATA = "metadata.jsonl"


class AvatarFolder:
    """Adds pictures to a folder; one that is listed already is never written again.

    A picture is written under another name and renamed, and its line is added in one piece after that: a run that is
    cut off leaves at most a picture without a line, which the next run writes anew. Several processes may add to the
    same folder. Raises ValueError for a list that is none of ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listed = self._read()

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def rows(self) -> list[dict[str, Any]]:
        """Everything that is known of each picture, in the order in which they came."""
        return list(self._listed.values())

    def add(self, name: str, picture: np.ndarray, text: str, about: Mapping[str, Any]) -> bool:
        """Add uint8 [H,W,3] as `name`, such as "delight/avatar-7-0"; False if it is listed already.

        about: what JSON can hold. Raises ValueError for a name that leads out of the folder.
        """
        from PIL import Image

        if not re.fullmatch(r"[\w-][\w .-]*(/[\w-][\w .-]*)?", name):
            raise ValueError(f"“{name}” is no name for a picture. Use letters, digits, dashes, and one slash at most.")
        if name in self._listed:
            return False
        row = {"file_name": f"{name}.png", "text": text, **about}
        line = json.dumps(row, ensure_ascii=False)
        file = self.folder / row["file_name"]
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.partial")
        Image.fromarray(picture).save(partial, format="PNG")
        partial.replace(file)
        with (self.folder / METADATA).open("ab", buffering=0) as opened:
            opened.write(f"{line}\n".encode())  # one call: whole, also beside another process
        self._listed[name] = row
        return True

    def forget_lost(self) -> int:
        """Take the lines of pictures that are gone out of the list, so that they can be made anew; how many.

        Nobody else may be adding meanwhile.
        """
        file = self.folder / METADATA
        lines = file.read_bytes().count(b"\n") if file.is_file() else 0
        if lines > len(self._listed):
            partial = file.with_suffix(".partial")
            rows = (json.dumps(row, ensure_ascii=False) + "\n" for row in self._listed.values())
            partial.write_text("".join(rows), encoding="utf-8")
            partial.replace(file)
        return lines - len(self._listed)

    def _read(self) -> dict[str, dict[str, Any]]:
        """Name → row. A last line that was cut off is taken away."""
        file = self.folder / METADATA
        if not file.is_file():
            return {}
        content = file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(file, len(whole))
        found = {}
        for number, line in enumerate(whole.decode("utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                name = row["file_name"].removesuffix(".png")
            except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"{file}:{number}: expected a JSON line with a file_name, got {line[:60]!r}."
                ) from error
            if (self.folder / row["file_name"]).is_file():
                found[name] = row
        return found
