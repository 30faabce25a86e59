"""Draw the contact sheets of the pocket world: python run.py pocket sheets."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from expressive.pocket.sheets import SHEETS, save_sheets  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py pocket sheets", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *SHEETS], metavar="NAME", help=f"of {', '.join(SHEETS)}; all")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pocket-world", help="default: docs/pocket-world")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in options.names or SHEETS:
        for file in save_sheets(options.out, [name]):
            logging.info("%s, %.0f kB", file, file.stat().st_size / 1e3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
