"""Make a dataset of avatars with one or many ComfyUI servers, as GenEAva 1.0 was made: 135 expressions × 98 people.

    python trainers/make_dataset.py --config trainers/configs/geneava-1.0.toml --server http://127.0.0.1:8188
    python trainers/make_dataset.py --config trainers/configs/geneava-1.0.pocket.toml --limit 270

Without --server one is started here and ended again. Ctrl-C stops; the same command goes on from there, with as many
servers as there are by then. Everything lands in runs/NAME: the pictures in a folder for each expression,
metadata.jsonl, plan.jsonl, and README.md with counts, balance and contact sheets.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    pass


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="make_dataset", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="a TOML file, see trainers/configs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="change a setting; may be repeated"
    )
    parser.add_argument("--server", action="append", default=[], metavar="URL", help="a ComfyUI; may be repeated")
    parser.add_argument("--limit", type=int, default=0, help="only the first so many of the plan, balanced as it is")
    parser.add_argument("--out", type=Path, help="default: runs/NAME")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="the pack's own weights")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        make(options)
    except KeyboardInterrupt:
        sys.exit("Stopped at once. What is made stays; the same command goes on.")


def make(options: argparse.Namespace) -> None:
    from expressive.dataset_maker.config import Config
    from expressive.dataset_maker.painters import FailedError, RefusedError
    from expressive.dataset_maker.run import BusyError, make_dataset
    from expressive.settings import read_settings
    from launcher.painting import ComfyPainter
    from launcher.places import LaunchError
    from launcher.workflow import read_graph

    try:
        config = read_settings(options.config, Config, options.set)
        graph = read_graph(_beside(options.config, config.workflow.file))
        out = (options.out or ROOT / "runs" / config.name).resolve()
        owner = hashlib.sha256(f"{socket.gethostname()} {out}".encode()).hexdigest()[:32]
        about = {"workflow": hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest()[:16]}
        with _servers(options.server) as urls:
            painters = [
                ComfyPainter(
                    url, graph, config.workflow.keep, config.workflow.inputs, config.servers.picture, f"avatars-{owner}"
                )
                for url in urls
            ]
            outcome = make_dataset(config, out, painters, options.models, options.limit, about)
    except (OSError, ValueError, ImportError, LaunchError, FailedError, RefusedError, BusyError) as error:
        sys.exit(str(error))
    if outcome.stopped:
        sys.exit(f"Stopped with {outcome.kept} new avatars in {out}. The same command goes on.")
    if outcome.missing:
        sys.exit(f"{len(outcome.missing)} avatars are missing: see {out / 'README.md'}. The same command tries again.")


@contextmanager
def _servers(urls: list[str]) -> Iterator[list[str]]:
    """Those that were named, or one of our own."""
    if urls:
        yield urls
        return
    from launcher.server import Server

    logging.info("Starting ComfyUI …")
    with Server(arguments=["--disable-api-nodes"]) as server:
        yield [server.url]


def _beside(config: Path, file: Path) -> Path:
    """A file that a configuration names: relative to the configuration's folder, or else to where one is."""
    return config.parent / file if (config.parent / file).is_file() else file


if __name__ == "__main__":
    main()
