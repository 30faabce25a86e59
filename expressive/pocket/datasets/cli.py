"""The command line that draws a dataset of the pocket world: python run.py pocket data KIND --out FOLDER."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable
from pathlib import Path

from .clips import write_clips
from .emo135 import write_emo135
from .ffe import write_ffe
from .hagrid import write_hagrid
from .writing import Recipe

_log = logging.getLogger(__name__)

KINDS: dict[str, tuple[Callable[[Path, Recipe, int], bool], int, int, str]] = {
    "emo135": (write_emo135, 1350, 256, "pictures; one folder for each of 135 emotions, and identities.json"),
    "ffe": (write_ffe, 1000, 256, "lines of a source and two targets (three pictures each); train.jsonl and others"),
    "hagrid": (write_hagrid, 1300, 512, "pictures; images/<gesture>, annotations/{train,val,test}/<gesture>.json"),
    "clips": (write_clips, 70, 256, "talking clips; mp4, wav, landmarks.npz and json for each"),
}
"""Kind → writer, usual count and size, and what --count counts."""


def main(arguments: list[str]) -> int:
    """Draw one dataset; the exit status. Raises ValueError for what cannot be drawn, with a sentence for people."""
    lines = "\n".join(f"  {kind:8}{what}" for kind, (_, _, _, what) in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="run.py pocket data",
        description="Draw a dataset of the pocket world in the format of a real one.\n\n" + lines,
        epilog="A run that was cut off goes on when the same command is given again. Nobody is in two splits.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("kind", choices=KINDS, help="which format")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or one to go on with")
    counts = ", ".join(f"{kind} {count}" for kind, (_, count, _, _) in KINDS.items())
    parser.add_argument("--count", type=int, metavar="N", help=f"how many (default: {counts})")
    sizes = ", ".join(f"{kind} {size}" for kind, (_, _, size, _) in KINDS.items())
    parser.add_argument("--size", type=int, metavar="PX", help=f"pixels of a side (default: {sizes})")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another one, another dataset (default: 0)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes (default: 2)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write, count, size, _ = KINDS[options.kind]
    recipe = Recipe(
        options.kind,
        count if options.count is None else options.count,
        size if options.size is None else options.size,
        options.seed,
    )
    if options.workers < 1:
        raise ValueError(f"Expected 1 worker or more, got {options.workers}.")
    start = time.monotonic()
    drawn = write(options.out, recipe, options.workers)
    if drawn:
        _log.info("%s: %d in %.0f s.", options.out, recipe.count, time.monotonic() - start)
    else:
        _log.info("%s is complete already.", options.out)
    return 0
