"""Which ComfyUI is used, and how the pack gets into it."""

import os
import subprocess
from pathlib import Path

from .places import HOST_HOME, MODELS, OWN_HOST, ROOT, LaunchError

PACK_LINK = HOST_HOME / "custom_nodes" / "expressive-avatars"


def named_host() -> Path | None:
    """The ComfyUI that COMFYUI_PATH names, if it names one.

    Raises:
        LaunchError: the folder is not a ComfyUI.
    """
    named = os.environ.get("COMFYUI_PATH", "").strip()
    if not named:
        return None
    host = Path(named).expanduser().resolve()
    if not (host / "main.py").is_file() or not (host / "comfy").is_dir():
        raise LaunchError(
            f"COMFYUI_PATH should name a ComfyUI folder (with main.py and comfy/ in it), but it is {host}. "
            "Correct it, or unset it to let run.py fetch ComfyUI itself."
        )
    return host


def find_host() -> Path:
    """The ComfyUI of COMFYUI_PATH, else the one that set-up unpacked.

    Raises:
        LaunchError: neither is there.
    """
    host = named_host() or OWN_HOST
    if not (host / "main.py").is_file():
        raise LaunchError(f"There is no ComfyUI in {host} yet. `python run.py demo` sets it up.")
    return host


def version(host: Path) -> str:
    """The version in ComfyUI's comfyui_version.py, for example '0.30.0'."""
    text = (host / "comfyui_version.py").read_text(encoding="utf-8")
    return text.partition("__version__ = ")[2].strip().strip("\"'")


def pack_folder(host: Path) -> Path:
    """Where this host finds the pack: the repository itself in its custom_nodes, else our link."""
    entries = (host / "custom_nodes").glob("*")
    return next((entry for entry in entries if entry.is_dir() and entry.resolve() == ROOT), PACK_LINK)


def search_paths(host: Path) -> list[str]:
    """Link the pack (outside of the host) where that is needed, and give the arguments that make ComfyUI find it."""
    arguments = [] if host != OWN_HOST else ["--models-directory", str(MODELS)]
    if host == OWN_HOST:
        MODELS.mkdir(parents=True, exist_ok=True)
    if pack_folder(host) == PACK_LINK:
        _link(PACK_LINK, ROOT)
        paths = HOST_HOME / "extra_model_paths.yaml"  # its entries are relative to itself
        paths.write_text("expressive_avatars:\n  custom_nodes: custom_nodes\n", encoding="utf-8")
        arguments += ["--extra-model-paths-config", str(paths)]
    return arguments


def _link(link: Path, target: Path) -> None:
    if link.exists() and link.resolve() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(link):  # it points to where the repository was before it moved
        if os.name == "nt":
            link.rmdir()
        else:
            link.unlink()
    if os.name == "nt":  # a junction needs no rights
        subprocess.run(["cmd", "/c", "mklink", "/J", str(link), str(target)], check=True, stdout=subprocess.DEVNULL)
    else:
        link.symlink_to(target, target_is_directory=True)
