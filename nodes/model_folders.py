"""Folders of model files that the host knows of once the pack is there: this pack's own files beside the user's."""

from __future__ import annotations

from pathlib import Path

import folder_paths

BUNDLED = Path(__file__).resolve().parents[1] / "models"
ADAPTERS = "identity_adapters"
_EXTENSIONS = {".safetensors"}


def register() -> None:
    """Let the host look for identity adapters in models/identity_adapters, and in the pack's own folder."""
    user = str(Path(folder_paths.models_dir) / ADAPTERS)
    paths, extensions = folder_paths.folder_names_and_paths.get(ADAPTERS, ([], set()))
    known = list(dict.fromkeys([user, *paths, str(BUNDLED / ADAPTERS)]))
    folder_paths.folder_names_and_paths[ADAPTERS] = (known, set(extensions) | _EXTENSIONS)
