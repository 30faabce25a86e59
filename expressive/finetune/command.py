"""The command line of a training."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .config import Training


def command(
    name: str,
    described: str | None,
    read: Callable[[Path, Sequence[str]], Training],
    root: Path,
    arguments: Sequence[str] | None = None,
) -> None:
    """Train as the arguments say; leaves with a sentence and a status other than 0 on any error.

    read: a file of settings and changes → the configuration. root: of the pack, where `models` and `runs` are.
    """
    parser = argparse.ArgumentParser(prog=name, description=described, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file, see trainers/configs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="change a setting; may be repeated"
    )
    parser.add_argument("--out", type=Path, help="default: runs/NAME")
    parser.add_argument("--models", type=Path, default=root / "models", help="the pack's own weights")
    parser.add_argument("--restart", action="store_true", help="forget earlier checkpoints of this name")
    parser.add_argument("--dry-run", action="store_true", help="encode everything, train one step, keep nothing else")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        _train(options, read, root)
    except KeyboardInterrupt:
        sys.exit("Stopped at once. What was encoded, and the last checkpoint if there is one, is kept.")


def _train(options: argparse.Namespace, read: Callable[[Path, Sequence[str]], Training], root: Path) -> None:
    try:
        config = read(options.config, options.set)
        import torch

        from ..stopping import StoppedError
        from .run import run
        from .train import NotANumberError
    except (OSError, ValueError, ImportError) as error:
        sys.exit(str(error))
    try:
        out = options.out or root / "runs" / config.name
        run(config, out, options.models, resume=not options.restart, dry=options.dry_run)
    except torch.OutOfMemoryError as error:
        sys.exit(
            f"The device has too little memory: {error} Set run.batch=1 and run.accumulate higher, a smaller "
            "data.size, or memory.offload=true."
        )
    except (OSError, ValueError, ImportError, NotANumberError, StoppedError) as error:
        sys.exit(str(error))
