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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


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
        how = config.workflow
        described = json.dumps([graph, how.keep, how.inputs], sort_keys=True).encode()
        about = {"workflow": hashlib.sha256(described).hexdigest()[:16]}
        with _servers(options.server) as (urls, watch):
            painters = [
                ComfyPainter(url, graph, how.keep, how.inputs, config.servers.picture, f"avatars-{owner}")
                for url in urls
            ]
            outcome = make_dataset(config, out, painters, options.models, options.limit, about, watch)
    except (OSError, ValueError, ImportError, LaunchError, FailedError, RefusedError, BusyError) as error:
        sys.exit(str(error))
    if outcome.stopped:
        sys.exit(f"Stopped with {outcome.kept} new avatars in {out}. The same command goes on.")
    if outcome.missing:
        where = out / "missing.json"
        sys.exit(f"{len(outcome.missing)} avatars are missing: {where} says why. The same command tries other seeds.")


@contextmanager
def _servers(urls: list[str]) -> Iterator[tuple[list[str], Callable[[], None]]]:
    """Those that were named, or one of our own; and what to call now and then, which raises if that one has ended."""
    from launcher.places import LaunchError
    from launcher.server import Server

    if urls:
        yield _checked(urls), lambda: None
        return
    logging.info("Starting ComfyUI …")
    with Server(arguments=["--disable-api-nodes"]) as server:

        def watch() -> None:
            if not server.running():
                raise LaunchError(f"ComfyUI ended. Its last lines ({server.log}):\n{server.log_tail()}")

        yield [server.url], watch


def _checked(urls: list[str]) -> list[str]:
    plain = [url.rstrip("/").replace("//localhost", "//127.0.0.1") for url in urls]
    for url in plain:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"--server wants an address such as http://127.0.0.1:8188, but got {url}.")
    if len(set(plain)) < len(plain):
        raise ValueError("--server names the same server twice. Name each once; servers.ahead says how much it gets.")
    return plain


def _beside(config: Path, file: Path) -> Path:
    """A file that a configuration names: relative to the configuration's folder, or else to where one is."""
    return config.parent / file if (config.parent / file).is_file() else file


if __name__ == "__main__":
    main()
