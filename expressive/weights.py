"""Writing weight files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor


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
