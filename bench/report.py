"""What every bench hands in: a printed table, bench/results/NAME.json, and an exit status by its claims."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from expressive.provenance import commit

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"

Cell = str | int | float


@dataclass(frozen=True)
class Claim:
    """One sentence with the measured value and the bound that it has to keep."""

    claim: str
    value: float
    op: Literal[">=", "<="]
    target: float

    @property
    def holds(self) -> bool:
        """False for NaN too."""
        return self.value >= self.target if self.op == ">=" else self.value <= self.target


class Report:
    """Collects tables and claims of one run; the clock starts when it is made.

    Args:
        name: the bench, for example 'startup'.
        quick: a shorter run, whose result goes to NAME.quick.json and never replaces the full one.
    """

    def __init__(self, name: str, *, quick: bool = False) -> None:
        self.name = name
        self.file = RESULTS / (f"{name}.quick.json" if quick else f"{name}.json")
        self.start = time.monotonic()
        self.tables: dict[str, list[dict[str, Cell]]] = {}
        self.claims: list[Claim] = []

    def table(self, title: str, rows: Sequence[Mapping[str, Cell]]) -> None:
        """Keep and print a table; every row has the columns of the first."""
        self.tables[title] = [dict(row) for row in rows]
        columns = list(rows[0])
        cells = [columns, *([_text(row[column]) for column in columns] for row in rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
        lines = ["  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in cells]
        sys.stdout.write("\n".join(["", title, *lines, ""]))
        sys.stdout.flush()

    def claim(self, claim: str, value: float, op: Literal[">=", "<="], target: float) -> None:
        """State what was claimed and what came out."""
        self.claims.append(Claim(claim, value, op, target))

    def finish(self) -> int:
        """Print the claims, write the JSON file; the exit status, 0 only if every claim holds (and there is one)."""
        for claim in self.claims:
            verdict = "holds" if claim.holds else "FAILS"
            sys.stdout.write(f"\n{verdict}: {claim.claim}: {_text(claim.value)} {claim.op} {_text(claim.target)}")
        content = {
            "name": self.name,
            "command": " ".join(["python run.py bench", self.name, *sys.argv[1:]]),
            "machine": machine(),
            "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "commit": commit(),
            "seconds": round(time.monotonic() - self.start, 1),
            "claims": [{**asdict(claim), "holds": claim.holds} for claim in self.claims],
            "tables": self.tables,
        }
        RESULTS.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"\n{self.file.relative_to(ROOT)} written after {content['seconds']} s\n")
        return 0 if self.claims and all(claim.holds for claim in self.claims) else 1


def machine() -> str:
    """The hardware and the Python that a result was measured with."""
    gpu = "no GPU"
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        gpu = sys.modules["torch"].cuda.get_device_name()
    return (
        f"{os.cpu_count()} cores {platform.machine()}, {gpu}, {platform.system()}, Python {platform.python_version()}"
    )


def _text(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
