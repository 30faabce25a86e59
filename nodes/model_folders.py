"""Folders of model files that the host knows of once the pack is there: this pack's own files beside the user's."""

from __future__ import annotations

from pathlib import Path

import folder_paths

BUNDLED = Path(__file__).resolve().parents[1] / "models"
ADAPTERS = "identity_adapters"
LANGUAGE_MODELS = "LLM"
MARIGOLD = "marigold"
MEDIAPIPE = "mediapipe"
TEXT_EMOTION = "text_emotion"
TTS = "tts"
VOICES = "voices"
_EXTENSIONS = {
    ADAPTERS: {".safetensors"},
    LANGUAGE_MODELS: {".safetensors"},
    MARIGOLD: {".safetensors"},
    MEDIAPIPE: {".task"},
    TEXT_EMOTION: {".safetensors", ".bin"},
    TTS: {".safetensors"},
    VOICES: {".safetensors"},
}


def register() -> None:
    """Let the host look for each kind in models/KIND, and in the pack's own folder."""
    for kind, added in _EXTENSIONS.items():
        user = str(Path(folder_paths.models_dir) / kind)
        paths, extensions = folder_paths.folder_names_and_paths.get(kind, ([], set()))
        known = list(dict.fromkeys([user, *paths, str(BUNDLED / kind)]))
        folder_paths.folder_names_and_paths[kind] = (known, set(extensions) | added)


def model_folders(kind: str) -> dict[str, Path]:
    """Name → folder of every model of a kind that is a folder with weights in it."""
    files = {file: folder_paths.get_full_path(kind, file) for file in folder_paths.get_filename_list(kind)}
    found = {str(Path(file).parent): Path(path).parent for file, path in files.items() if path is not None}
    return {name: folder for name, folder in sorted(found.items()) if name != "."}
