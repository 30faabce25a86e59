"""A dataset from its configuration to its report."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..datasets.avatars import AvatarFolder
from ..settings import write_settings
from ..stopping import Stop
from .checks import Checker
from .config import Config
from .maker import Maker, Outcome
from .painters import Painter
from .plan import PlannedAvatar, keep_plan, make_plan
from .report import write_report
from .shards import write_shards

log = logging.getLogger(__name__)


class BusyError(RuntimeError):
    """Another run is at work in the same folder."""


def make_dataset(
    config: Config, out: Path, painters: Sequence[Painter], models: Path, limit: int, about: Mapping[str, Any]
) -> Outcome:
    """Paint what is missing of the first `limit` avatars of the plan (0: all), and write shards and report.

    Raises BusyError; ValueError for a folder that another plan began, or settings that contradict each other;
    FileNotFoundError for missing weights; and what `Maker.make` raises.
    """
    from filelock import FileLock, Timeout

    plan = make_plan(config)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".making.lock", timeout=0):
            for cut_off in out.rglob("*.partial"):
                cut_off.unlink()
            keep_plan(plan, out)
            write_settings(config, out / "config.toml")
            return _make(config, out, painters, models, plan[: limit or len(plan)], about)
    except Timeout:
        raise BusyError(f"Another run is making {out}. Wait for its end, or end it.") from None


def _make(
    config: Config,
    out: Path,
    painters: Sequence[Painter],
    models: Path,
    wanted: Sequence[PlannedAvatar],
    about: Mapping[str, Any],
) -> Outcome:
    checker, folder = Checker(config.checks, models), AvatarFolder(out)
    maker = Maker(folder, painters, checker, config.servers, config.checks.tries, about)
    with Stop() as stop:
        outcome = maker.make(wanted, lambda: stop.asked)
    if outcome.stopped:
        return outcome
    rows = sorted(folder.rows(), key=lambda row: row["number"])
    if config.output.shards:
        write_shards(out, rows, config.output.shards, out / "shards")
    memorised = checker.known.memorised([out / row["file_name"] for row in rows]) if checker.known else None
    if rows:
        log.info("%s", write_report(out, rows, len(wanted), outcome, memorised))
    return outcome
