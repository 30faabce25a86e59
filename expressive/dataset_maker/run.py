"""A dataset from its configuration to its report."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..datasets.avatars import METADATA, AvatarFolder
from ..settings import write_settings
from ..stopping import Stop
from .checks import Checker
from .config import Config
from .maker import Maker, Outcome
from .painters import Painter
from .plan import PLAN, PlannedAvatar, keep_plan, make_plan
from .report import write_report
from .shards import write_shards

log = logging.getLogger(__name__)

MISSING = "missing.json"
"""Avatars without a usable picture, why, and after how many tries: the next run goes on with other seeds."""
LOCK = ".making.lock"


class BusyError(RuntimeError):
    """Another run is at work in the same folder."""


def make_dataset(
    config: Config,
    out: Path,
    painters: Sequence[Painter],
    models: Path,
    limit: int,
    about: Mapping[str, Any],
    watch: Callable[[], None] = lambda: None,
) -> Outcome:
    """Paint what is missing of the first `limit` avatars of the plan (0: all), and write shards and report.

    about: is written beside every picture, and has to be as it was for those that are there. watch: is called several
    times a second; what it raises ends the run. Raises BusyError; ValueError for a folder that holds other things, or
    was begun by another plan or workflow, or for settings that contradict each other; FileNotFoundError for missing
    weights; and what `Maker.make` raises.
    """
    from filelock import FileLock, Timeout

    plan = make_plan(config)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / PLAN).is_file() and any(entry.name != LOCK for entry in out.iterdir()):
        raise ValueError(f"{out} holds other things. Name a new folder with --out, or one that a dataset was begun in.")
    try:
        with FileLock(out / LOCK, timeout=0):
            keep_plan(plan, out)
            _remove_cut_off(out, plan)
            folder = AvatarFolder(out)
            folder.forget_lost()
            _require_same(folder.rows(), about, out)
            write_settings(config, out / "config.toml")
            return _make(config, folder, painters, models, plan[: limit or len(plan)], about, watch)
    except Timeout:
        raise BusyError(f"Another run is making {out}. Wait for its end, or end it.") from None


def _make(
    config: Config,
    folder: AvatarFolder,
    painters: Sequence[Painter],
    models: Path,
    wanted: Sequence[PlannedAvatar],
    about: Mapping[str, Any],
    watch: Callable[[], None],
) -> Outcome:
    out, checker = folder.folder, Checker(config.checks, models)
    maker = Maker(folder, painters, checker, config.servers, config.checks.tries, about)
    file = out / MISSING
    earlier = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    spent = {name: one["tries"] for name, one in earlier.items()}
    with Stop() as stop:

        def asked_to_stop() -> bool:
            watch()
            return stop.asked

        outcome = maker.make(wanted, asked_to_stop, spent)
    if outcome.stopped:
        return outcome
    missing = {name: asdict(one) for name, one in outcome.missing.items()}
    missing = {name: one for name, one in {**earlier, **missing}.items() if name not in folder}
    file.write_text(json.dumps(missing, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    rows = sorted(folder.rows(), key=lambda row: row["number"])
    if not rows:
        return outcome
    if config.output.shards:
        write_shards(out, rows, config.output.shards, out / "shards")
    memorised = None
    if checker.known is not None:
        memorised = checker.known.memorised([(out / row["file_name"], row["person"]) for row in rows])
    planned = max(len(wanted), len(rows))  # an earlier run may have made more
    log.info("%s", write_report(out, rows, planned, outcome, memorised))
    return outcome


def _remove_cut_off(out: Path, plan: Sequence[PlannedAvatar]) -> None:
    """Files that a killed run was writing."""
    for name in {avatar.word for avatar in plan} | {"shards", "."}:
        for partial in (out / name).glob("*.partial"):
            partial.unlink()


def _require_same(rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any], out: Path) -> None:
    for row in rows:
        if changed := [name for name, value in about.items() if row.get(name) != value]:
            raise ValueError(
                f"The pictures in {out} were made with another {' and '.join(changed)}, and one dataset is made in one "
                f"way. Take the {changed[0]} of then, or another folder with --out. ({METADATA} tells of each.)"
            )
