"""Where trained weights and measured figures come from."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit() -> str:
    """The commit of this code, with “+” where tracked files differ from it; “unknown” outside of a repository."""
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != ROOT:  # another repository that we lie in
            return "unknown"
        changed = subprocess.run(["git", "-C", str(ROOT), "diff", "--quiet", "HEAD"], check=False, capture_output=True)
        return _git("rev-parse", "HEAD") + ("+" if changed.returncode else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
