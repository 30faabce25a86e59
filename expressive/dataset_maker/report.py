"""What a dataset of avatars came to: counts, balance, expressions, memorisation, and a contact sheet of each word.

It is the dataset's README.md, with the header that dataset hosts read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..contact_sheet.sheet import contact_sheet
from ..contact_sheet.style import SheetStyle
from ..emotion import Emotion, vocabulary
from ..emotion.person import AGES, GENDERS, RACES
from ..metrics.memorisation import Memorisation
from .maker import Outcome

SHEETS = "sheets"
COLUMNS = 14
"""98 people fill seven rows."""
Rows = Sequence[Mapping[str, Any]]


def write_report(
    folder: Path, rows: Rows, planned: int, outcome: Outcome, memorised: Memorisation | None = None
) -> Path:
    """Write README.md and the sheets; the former's path.

    rows: of metadata.jsonl. planned: how many avatars were to be made. memorised: a test against known people.
    """
    parts = [
        _header(folder.name, len(rows)),
        f"# {folder.name}",
        f"{len(rows)} of {planned} planned avatars, {len({row['emotion'] for row in rows})} expressions, "
        f"{len({row['person'] for row in rows})} people.",
        "## Balance",
        _balance(rows),
        "## Expressions",
        _expressions(rows),
    ]
    if memorised is not None:
        parts += ["## Identities", _identities(folder, memorised)]
    if outcome.missing:
        parts += ["## Missing", *(f"- {name}: {one.why}" for name, one in sorted(outcome.missing.items()))]
    sheets = write_sheets(folder, rows)
    parts += ["## Pictures", " · ".join(f"[{sheet.stem}]({SHEETS}/{sheet.name})" for sheet in sheets)]
    file, partial = folder / "README.md", folder / "README.partial"
    partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    partial.replace(file)
    return file


def write_sheets(folder: Path, rows: Rows, side: int = 96) -> list[Path]:
    """A contact sheet of each expression, and `all.jpg` with the first avatar of each; their files, that one first."""
    by_word: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["person"]):
        by_word[row["emotion"]].append(row)
    known = [word.word for word in vocabulary.emo135() if word.word in by_word]
    out = folder / SHEETS
    out.mkdir(parents=True, exist_ok=True)
    firsts = [by_word[word][number % len(by_word[word])] for number, word in enumerate(known)]
    made = [_sheet(folder, firsts, known, "", side, out / "all.jpg")]
    for word in tqdm(known, "sheets"):
        made.append(_sheet(folder, by_word[word], [], word, side, out / f"{word}.jpg"))
    return made


def _sheet(folder: Path, rows: Rows, labels: Sequence[str], title: str, side: int, file: Path) -> Path:
    pictures = [
        np.asarray(Image.open(folder / row["file_name"]).convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
        for row in rows
    ]
    page = contact_sheet(
        [torch.from_numpy(np.stack(pictures)).float() / 255],
        labels,
        columns=min(COLUMNS, len(pictures)),
        title=title,
        style=SheetStyle(picture_width=side),
    )
    Image.fromarray((page[0] * 255).round().byte().numpy()).save(file, quality=88)
    return file


def _header(name: str, count: int) -> str:
    size = next(text for most, text in _SIZES if count < most)
    tasks = "task_categories: [image-classification, text-to-image]"
    return f"---\npretty_name: {name}\n{tasks}\nsize_categories: [{size}]\n---"


_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (float("inf"), "100K<n<1M"))


def _balance(rows: Rows) -> str:
    """Counts of gender × race and gender × age, and the smallest and largest class."""
    words = Counter(row["emotion"] for row in rows)
    lines = [f"From {min(words.values())} to {max(words.values())} avatars of each expression." if words else ""]
    for across, order in (("race", RACES), ("age", AGES)):
        found = Counter((row["gender"], row[across]) for row in rows)
        columns = [value for value in order if any(value == column for _, column in found)]
        table = [
            [gender, *(str(found[gender, column]) for column in columns)]
            for gender in GENDERS
            if any(gender == one for one, _ in found)
        ]
        lines.append(_table(["", *columns], table))
    return "\n\n".join(lines)


def _expressions(rows: Rows) -> str:
    """How many show what they should, by the expression of the twelve that a word is nearest to."""
    read = [row for row in rows if "reached" in row]
    if not read:
        return "Nobody has read them: the configuration names no `checks.expressions`."
    nearest: dict[str, list[bool]] = defaultdict(list)
    for row in read:
        nearest[Emotion.of(row["emotion"]).nearest_pixelsmile()].append(row["reached"])
    share = sum(row["reached"] for row in read) / len(read)
    table = [
        [word, str(len(found)), f"{100 * sum(found) / len(found):.0f} %"] for word, found in sorted(nearest.items())
    ]
    tries = Counter(int(row["try"]) for row in read)
    return "\n\n".join(
        [
            f"{100 * share:.1f} % show the one of the twelve expressions that their word is nearest to; "
            f"{100 * tries[0] / len(read):.0f} % were kept at the first try. Those that do not are marked "
            "`reached: false` in metadata.jsonl.",
            _table(["nearest of the twelve", "avatars", "reached"], table),
        ]
    )


def _identities(folder: Path, found: Memorisation) -> str:
    from ..metrics.plots import likeness

    (folder / SHEETS).mkdir(parents=True, exist_ok=True)
    Image.fromarray(likeness(found)).save(folder / SHEETS / "likeness.png")
    verdict = "They look like known people more often than chance explains." if found.detected else (
        "No sign that known people were copied."
    )  # fmt: skip
    return (
        f"{verdict} {100 * found.share:.1f} % of the painted people are more similar to one than "
        f"{found.threshold:.2f}, which 1 % of known people are to somebody else (p = {found.p:.2g}).\n\n"
        f"![How like the nearest known person]({SHEETS}/likeness.png)"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
