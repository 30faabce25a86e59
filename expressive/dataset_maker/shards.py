"""A folder of avatars as WebDataset files: tar archives in which a picture, its text and its facts share a name."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm


def write_shards(folder: Path, rows: Sequence[Mapping[str, Any]], size: int, out: Path) -> list[Path]:
    """Write `rows` of a dataset as out/avatars-000000.tar and so on, `size` pictures each; the files.

    rows: of metadata.jsonl, with file_name within `folder`. The same rows give the same bytes. A file is there whole or
    not at all, and those of an earlier, longer list are removed. Raises FileNotFoundError for a picture that is gone.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for number, start in enumerate(tqdm(range(0, len(rows), size), "shards")):
        file = out / f"avatars-{number:06d}.tar"
        partial = file.with_suffix(".partial")
        with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as archive:
            for row in rows[start : start + size]:
                picture = folder / row["file_name"]
                key = Path(row["file_name"]).with_suffix("").as_posix().replace("/", "-").replace(".", "-")
                facts = {name: value for name, value in row.items() if name not in ("file_name", "text")}
                _add(archive, f"{key}.json", json.dumps(facts, ensure_ascii=False).encode())
                _add(archive, f"{key}{picture.suffix}", picture.read_bytes())
                _add(archive, f"{key}.txt", row["text"].encode())
        partial.replace(file)
        files.append(file)
    for old in set(out.glob("avatars-*.tar")) - set(files):
        old.unlink()
    return files


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)  # owner, time and mode stay the same for the same content
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
