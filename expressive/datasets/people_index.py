"""Who is on which picture of HaGRIDv2: MAVAGEN's avatar retrieval (§3.2) among a million pictures.

The index is one SQLite file, sorted by gender and age, of which a question reads some pages.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..emotion.person import GENDERS
from .hagrid import LABELS, GesturePicture
from .hagrid_layout import FOLDERS

_VERSION = 1
_TABLE = """
CREATE TABLE people (
    gender INTEGER, age INTEGER, gesture INTEGER, split INTEGER, name TEXT,
    PRIMARY KEY (gender, age, gesture, split, name)
) WITHOUT ROWID
"""
_SPLITS = tuple(FOLDERS)


@dataclass(frozen=True)
class Found:
    """An entry of the annotations. age: in whole years; who is 24.4 years old is 24. apart: years from the age that was
    asked for. ties: how many of that gender are as near, of whom this is one."""

    name: str
    gesture: str
    split: str
    gender: str
    age: int
    apart: int
    ties: int


class PeopleIndex:
    """Answers who is of a gender and nearest to an age."""

    def __init__(self, file: Path) -> None:
        """Raises FileNotFoundError, or ValueError for a file that `build` did not write."""
        if not file.is_file():
            raise FileNotFoundError(f"There is no index {file}.")
        self.file = file
        with self._asked() as asked:
            version = asked.execute("PRAGMA user_version").fetchone()[0]
            self._count = asked.execute("SELECT count(*) FROM people").fetchone()[0] if version == _VERSION else 0
        if version != _VERSION:
            raise ValueError(f"{file.name} was written by another version of this pack. Remove it; it is made anew.")

    def __len__(self) -> int:
        return self._count

    @classmethod
    def build(cls, pictures: Iterable[GesturePicture], file: Path) -> PeopleIndex:
        """Index all pictures that show one person, whole or not at all; the others are left out.

        Raises ValueError where nobody is left.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        try:
            _write(pictures, partial)
        except BaseException:  # somebody stopped it, too
            partial.unlink(missing_ok=True)
            raise
        partial.replace(file)
        return cls(file)

    def find(self, gender: str, age: float, seed: int, gestures: Sequence[str] = ()) -> Found:
        """One of those of a gender whose age is nearest, each as likely as the others (MAVAGEN §3.2).

        gestures: only people who show one of these; none: all. Raises ValueError for an unknown gender or gesture, an
        age below 0, or where nobody is left.
        """
        if gender not in GENDERS or not age >= 0:
            raise ValueError(f"Expected {' or '.join(GENDERS)} and an age of 0 years or more; got {gender}, {age:g}.")
        if unknown := [gesture for gesture in gestures if gesture not in LABELS]:
            raise ValueError(f"HaGRID has no gesture {', '.join(unknown)}. There are {', '.join(LABELS)}.")
        shown, years = [LABELS.index(gesture) for gesture in gestures], int(age)
        who = "gender = ?" + (f" AND gesture IN ({','.join('?' * len(shown))})" if shown else "")
        of = [GENDERS.index(gender), *shown]
        with self._asked() as asked:
            above = asked.execute(f"SELECT min(age) FROM people WHERE {who} AND age >= ?", [*of, years]).fetchone()[0]
            below = asked.execute(f"SELECT max(age) FROM people WHERE {who} AND age <= ?", [*of, years]).fetchone()[0]
            ages = [one for one in (below, above) if one is not None]
            if not ages:
                told = f" who shows {' or '.join(gestures)}" if shown else ""
                raise ValueError(f"There is no picture of a {gender}{told}.")
            apart = min(abs(one - years) for one in ages)
            near = sorted({one for one in ages if abs(one - years) == apart})
            which = f"FROM people WHERE {who} AND age IN ({','.join('?' * len(near))})"
            ties = asked.execute(f"SELECT count(*) {which}", [*of, *near]).fetchone()[0]
            drawn = random.Random(f"{seed} {gender} {years}").randrange(ties)
            own, gesture, split, name = asked.execute(
                f"SELECT age, gesture, split, name {which} ORDER BY age, gesture, split, name LIMIT 1 OFFSET ?",
                [*of, *near, drawn],
            ).fetchone()
        return Found(name, LABELS[gesture], _SPLITS[split], gender, own, apart, ties)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(f"{self.file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            try:
                yield opened
            except sqlite3.DatabaseError as error:
                raise ValueError(f"{self.file.name} is damaged ({error}). Remove it; it is made anew.") from error


def _write(pictures: Iterable[GesturePicture], file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as written:
        written.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA user_version={_VERSION};")
        written.execute("PRAGMA cache_size=-65536")  # 64 MiB
        written.execute(_TABLE)
        written.executemany("INSERT OR IGNORE INTO people VALUES (?,?,?,?,?)", _rows(pictures))
        written.commit()
        if written.execute("SELECT 1 FROM people LIMIT 1").fetchone() is None:
            raise ValueError("None of the pictures shows exactly one person whose gender and age are known.")


def _rows(pictures: Iterable[GesturePicture]) -> Iterator[tuple[int, int, int, int, str]]:
    for picture in pictures:
        if (who := picture.person) is not None:
            gesture, split = LABELS.index(picture.gesture), _SPLITS.index(picture.split)
            yield GENDERS.index(who.gender), int(who.age), gesture, split, picture.name
