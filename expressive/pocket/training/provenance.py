"""Where trained weights come from."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """The commit that this code is of; "unknown" outside of a repository."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else "unknown"
