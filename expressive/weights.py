"""Writing weight files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor


@contextlib.contextmanager
def reading_weights(file: Path) -> Iterator[Any]:
    """safetensors' open file. Raises ValueError with a sentence where it is damaged, or lacks what is asked of it."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            yield opened
    except (SafetensorError, KeyError, TypeError, IndexError, RuntimeError, json.JSONDecodeError) as error:
        line = str(error).strip().partition("\n")[0][:200]
        raise ValueError(f"{file.name} is damaged, or of another version: {line}. Make it anew.") from error


def write_weights(
    file: Path, state: Mapping[str, Tensor], metadata: Mapping[str, object], check: Callable[[Path], None] | None = None
) -> Path:
    """Write safetensors, whole or not at all; the file.

    metadata: values that are not text become JSON. check: looks at what was written before it gets its name; what it
    raises leaves a file that was there as it was.
    """
    from safetensors.torch import save_file

    described = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    save_file({key: value.cpu().contiguous() for key, value in state.items()}, partial, {"format": "pt", **described})
    try:
        if check is not None:
            check(partial)
    except BaseException:
        partial.unlink()
        raise
    partial.replace(file)
    return file
