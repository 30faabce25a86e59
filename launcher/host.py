"""Which ComfyUI is used, and how the pack gets into it."""

import os
from pathlib import Path

from .places import OWN_HOST, LaunchError


def find_host() -> Path:
    """The ComfyUI of COMFYUI_PATH, else the one that set-up unpacked.

    Raises:
        LaunchError: neither is there.
    """
    named = os.environ.get("COMFYUI_PATH", "").strip()
    if named:
        host = Path(named).expanduser().resolve()
        if not (host / "main.py").is_file() or not (host / "comfy").is_dir():
            raise LaunchError(
                f"COMFYUI_PATH should name a ComfyUI folder (with main.py and comfy/ in it), but it is {host}. "
                "Correct it, or unset it to let run.py fetch ComfyUI itself."
            )
        return host
    if not (OWN_HOST / "main.py").is_file():
        raise LaunchError(f"There is no ComfyUI in {OWN_HOST} yet. Run `python run.py doctor`, then `python run.py demo`.")
    return OWN_HOST
