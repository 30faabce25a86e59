"""What the pack adds to ComfyUI's start: alternating starts with and without it, the median of the differences."""

import argparse
import statistics
import subprocess
import sys
import time
from typing import Literal

from bench.report import Report
from launcher.places import STATE
from launcher.server import Server


def start_seconds(packs: Literal["this", "none"]) -> float:
    """Wall-clock seconds of one ComfyUI process that loads everything and ends before it would serve.

    Raises:
        RuntimeError: the start failed, or the pack did not load (or loaded where it should not).
    """
    server = Server(state=STATE / "bench", packs=packs, arguments=["--cpu", "--quick-test-for-ci"])
    start = time.perf_counter()
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(STATE / "bench" / "compiled")}
    run = subprocess.run(
        server.command,
        cwd=server.host,
        env={**server.environment, **compiled},  # kept from start to start, as is Python's custom
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    seconds = time.perf_counter() - start
    log = run.stdout + run.stderr
    loaded = "Import times for custom nodes" in log
    if run.returncode != 0 or loaded != (packs == "this") or "IMPORT FAILED" in log:
        raise RuntimeError(f"ComfyUI did not start as it should ({packs=}):\n{log[-3000:]}")
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python run.py bench startup", description=__doc__)
    parser.add_argument("--pairs", type=int, default=10, help="starts with and without the pack (10)")
    parser.add_argument("--quick", action="store_true", help="two pairs")
    options = parser.parse_args()
    report = Report("startup", quick=options.quick)
    start_seconds("this")  # byte code and disk cache
    rows = []
    for pair in range(1, (2 if options.quick else options.pairs) + 1):
        seconds = {}
        for packs in ("this", "none") if pair % 2 else ("none", "this"):
            seconds[packs] = start_seconds(packs)
        difference = seconds["this"] - seconds["none"]
        rows.append({"pair": pair, "with": seconds["this"], "without": seconds["none"], "difference": difference})
    report.table("Seconds of a start with and without the pack", rows)
    median = statistics.median(row["difference"] for row in rows)
    report.claim("the pack adds less than 0.1 s to ComfyUI's start (median difference, s)", median, "<=", 0.1)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
