"""Which picture goes where."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_STRIP = 12
ALPHA = re.compile(r"\s*α\s*=\s*([-+−]?\d*\.?\d+)\s*")


@dataclass(frozen=True)
class Grid:
    rows: int
    columns: int
    column_major: bool = False  # fill the columns first

    def cell(self, index: int) -> tuple[int, int]:
        """(row, column) of a picture."""
        if self.column_major:
            return index % self.rows, index // self.rows
        return divmod(index, self.columns)


def read_alphas(labels: Sequence[str]) -> list[float] | None:
    """The α of every label if all have the form `α = 0.25`, else None."""
    found = [ALPHA.fullmatch(label) for label in labels]
    if not found or None in found:
        return None
    return [float(match[1].replace("−", "-")) for match in found if match]


def arrange(
    pictures: int,
    alphas: Sequence[float] | None,
    batches: Sequence[int],
    aspect: float,
    rows: int = 0,
    columns: int = 0,
) -> Grid:
    """The grid for so many pictures; 0 rows or columns means automatic.

    alphas: α of each picture, if known: a sweep becomes a row, faces that share a sweep become rows below one another.
    batches: sizes of the batches that the pictures came in; equal ones become rows. aspect: width / height of a cell.
    ValueError if there are more pictures than cells.
    """
    repeated = _repeated_sweep(alphas or ())
    if repeated and rows in (0, repeated) and columns in (0, pictures // repeated):
        return Grid(repeated, pictures // repeated, column_major=True)
    if rows and columns:
        if pictures > rows * columns:
            raise ValueError(
                f"{pictures} pictures do not fit into {rows} × {columns} = {rows * columns} cells. "
                "Set rows or columns to 0 to let the sheet choose."
            )
        return Grid(rows, columns)
    if columns:
        return Grid(math.ceil(pictures / columns), columns)
    if rows:
        return Grid(rows, math.ceil(pictures / rows))
    if len(batches) > 1 and len(set(batches)) == 1 and 1 < batches[0] <= LONGEST_STRIP:
        return Grid(len(batches), batches[0])
    if alphas:
        period = next(p for p in range(1, pictures + 1) if list(alphas) == list(alphas[:p]) * (pictures // p))
        if 1 < period <= LONGEST_STRIP:
            return Grid(pictures // period, period)
    widest = LONGEST_STRIP if alphas else max(5, math.ceil(math.sqrt(pictures * 1.6 / aspect)))
    row_count = math.ceil(pictures / widest)
    return Grid(row_count, math.ceil(pictures / row_count))


def _repeated_sweep(alphas: Sequence[float]) -> int:
    """How many faces share the sweep of an α-major batch (α₁ of every face, then α₂ …); 0 if it is none."""
    faces = next((i for i, alpha in enumerate(alphas) if alpha != alphas[0]), 0)
    if faces < 2 or len(alphas) % faces:
        return 0
    return faces if list(alphas) == [alpha for alpha in alphas[::faces] for _ in range(faces)] else 0
