"""Which picture goes where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..conditioning.alphas import faces_of_sweep

LONGEST_STRIP = 12


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
    repeated = faces_of_sweep(alphas or ())
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
