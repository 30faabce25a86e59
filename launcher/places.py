"""Where things lie. Everything that set-up and runs write is under `.venv` and `.host`, which git ignores."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository, which is the pack's folder."""

VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

HOST_HOME = ROOT / ".host"
OWN_HOST = HOST_HOME / "ComfyUI"
"""The ComfyUI that set-up unpacks where COMFYUI_PATH names none."""

DOWNLOADS = HOST_HOME / "download"
MODELS = HOST_HOME / "models"
"""Model files for the unpacked ComfyUI: outside of it, so that they outlive its replacement."""

STATE = HOST_HOME / "state"
"""The host's user, input, output and temp folders, its database and its logs."""

WORKFLOWS = ROOT / "workflows"


class LaunchError(Exception):
    """A sentence for the person at the terminal: what was expected, what came, what to do."""
