"""A browser of Chromium's family for the canvas tests: the machine's own, else one installed here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .places import VENV_PYTHON, LaunchError

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable", "msedge"),
)
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
WINDOWS = (r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")


def find_browser() -> Path | None:
    """The executable of a Chromium, Chrome or Edge on this machine, else Playwright's Chromium, else None."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    places = [Path(path) for path in MAC] if sys.platform == "darwin" else []
    if os.name == "nt":
        roots = [os.environ[v] for v in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if v in os.environ]
        places = [Path(root) / path for root in roots for path in WINDOWS]
    return next((path for path in [*places, *_playwrights()] if path.is_file()), None)


def get_browser() -> Path:
    """`find_browser`, or install one: Debian's package as root, else Playwright's Chromium.

    Raises:
        LaunchError: none could be had.
    """
    if found := find_browser():
        return found
    print("Installing Chromium for the canvas tests …", flush=True)
    as_root = os.name != "nt" and os.geteuid() == 0
    if as_root and shutil.which("apt-get"):
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(["apt-get", *command], check=False, stdout=subprocess.DEVNULL, env=environment)
    if not find_browser():
        subprocess.run([str(VENV_PYTHON), "-m", "playwright", "install", "chromium"], check=False)
    if found := find_browser():
        return found
    raise LaunchError(
        "The canvas tests need Chromium, Chrome or Edge, and none could be found or installed. Install one of them "
        "and run the same command again."
    )


def _playwrights() -> list[Path]:
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([str(VENV_PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return [Path(answer.stdout.strip())] if answer.returncode == 0 else []
