import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from expressive.datasets.ffe import expressions, read_ffe, read_ffe_bench, rescaled
from expressive.datasets.rows import BadRowError


def line() -> dict[str, Any]:
    """One line as PixelSmile's trainer reads it."""
    return {
        "src": {"image": "pictures/neutral.png", "boxes": [10, 12, 50, 60]},
        "dst": [
            {"image": "pictures/fear.png", "category": "fear", "scores": {"fear": 0.9, "surprised": 0.3}},
            {"image": "pictures/surprised.png", "category": "surprised", "scores": {"surprised": 0.7}, "boxes": None},
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for name in ("neutral", "fear", "surprised"):
        Image.new("RGB", (64, 64), 128).save(tmp_path / "pictures" / f"{name}.png")
    return tmp_path


def written(folder: Path, *rows: Any, name: str = "triplets.jsonl") -> Path:
    file = folder / name
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return file


def test_a_line_is_a_source_and_two_targets(folder: Path) -> None:
    (pair,) = read_ffe(written(folder, line())).pairs
    assert pair.source == folder / "pictures" / "neutral.png" and pair.box == (10, 12, 50, 60) and pair.line == 1
    first, second = pair.targets
    assert (first.category, first.score, second.category, second.score) == ("fear", 0.9, "surprised", 0.7)
    assert len(first.scores) == 12
    assert first.scores[expressions().index("surprised")] == 0.3 and sum(first.scores) == pytest.approx(1.2)
    assert first.box is None and second.box is None
    assert pair.open_source().size == (64, 64) and first.open().mode == "RGB"


def test_paths_may_be_absolute_and_windows_like(folder: Path) -> None:
    row = line()
    row["src"]["image"] = str(folder / "pictures" / "neutral.png")
    row["dst"][0]["image"] = "pictures\\fear.png"
    (pair,) = read_ffe(written(folder, row)).pairs
    assert pair.source.is_file() and pair.targets[0].image.is_file()


def test_blank_lines_a_mark_and_null_scores_are_fine(folder: Path) -> None:
    row = line()
    row["dst"][0]["scores"] = {word: None for word in expressions()} | {"fear": 1}
    file = written(folder, "", row, "", row)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert [pair.line for pair in read_ffe(file).pairs] == [2, 4]


def test_labels_of_the_benchmark_are_understood(folder: Path) -> None:
    row = line()
    row["dst"][0] |= {"category": "Embarrassment", "scores": {"Embarrassment": 0.5, "Nervousness": 0.25}}
    (pair,) = read_ffe(written(folder, row)).pairs
    assert pair.targets[0].category == "shy" and pair.targets[0].scores[expressions().index("anxious")] == 0.25


def test_missing_words_are_zero_or_refused(folder: Path) -> None:
    file = written(folder, line())
    assert read_ffe(file, missing="zero").pairs[0].targets[0].scores[0] == 0.0
    with pytest.raises(BadRowError, match=r"triplets\.jsonl:1: expected scores for all 12.*none for angry, confused"):
        read_ffe(file, missing="refuse")
    with pytest.raises(ValueError, match="zero or refuse"):
        read_ffe(file, missing="drop")


def test_rescaled_scores(folder: Path) -> None:
    (pair,) = read_ffe(written(folder, line()), rescale=True).pairs
    assert pair.targets[0].score == pytest.approx(0.8) and pair.targets[1].score == pytest.approx(0.4)
    assert [rescaled(x) for x in (0, 0.6, 0.8, 0.9, 1)] == pytest.approx([0, 0.3, 0.5, 0.8, 1.0])


@given(st.floats(0, 1), st.floats(0, 1))
def test_rescaling_keeps_order_and_range(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= rescaled(low) <= rescaled(high) + 1e-12 <= 1 + 1e-12


def changed(path: str, value: Any) -> dict[str, Any]:
    """The sample line with one field replaced, or removed by `...`; path such as "dst.0.scores"."""
    row = line()
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = row
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return row


BROKEN = [
    ("{", "expected JSON"),
    ("[1]", "expected a line to be an object"),
    (changed("src", ...), "expected a line to have “src”, got only dst"),
    (changed("src", "a.png"), "expected “src” to be an object"),
    (changed("src.image", ...), "expected “src” to have “image”"),
    (changed("src.image", ""), "expected “image” to be a text"),
    (changed("src.image", "gone.png"), "expected a picture, got “gone.png”, which is not there"),
    (changed("src.boxes", [1, 2, 3]), "expected “boxes” to have 4 entries, got 3"),
    (changed("src.boxes", [50, 12, 10, 60]), "left < right"),
    (changed("dst", {}), "expected “dst” to be a list"),
    (changed("dst", line()["dst"][:1]), "expected “dst” to have 2 entries, got 1"),
    (changed("dst", [*line()["dst"], line()["dst"][0]]), "expected “dst” to have 2 entries, got 3"),
    (changed("dst.1", line()["dst"][0]), "two targets of different categories, got fear twice"),
    (changed("dst.0.category", "scared stiff"), "“category” to be one of angry, confused"),
    (changed("dst.0.category", 3), "expected “category” to be a text"),
    (changed("dst.0.category", "shy"), "expected a score for the category shy, got scores for fear, surprised"),
    (changed("dst.0.scores", [0.9] * 12), "expected “scores” to be an object"),
    (changed("dst.0.scores", {"fear": 1.2}), "the score of fear to be within 0 … 1, got 1.2"),
    (changed("dst.0.scores", {"fear": -0.1}), "within 0 … 1, got -0.1"),
    (changed("dst.0.scores", {"fear": "0.9"}), "the score of fear to be a number, got “0.9”"),
    (changed("dst.0.scores", {"fear": True}), "to be a number, got True"),
    (changed("dst.0.scores", {"fear": 0.5, "rage": 0.5}), "a word of “scores” to be one of"),
    (changed("dst.0.scores", {"fear": 0.5, "Fear": 0.5}), "one score for each word, got two for fear"),
    (changed("dst.0.scores", {"fear": float("nan")}), "to be a number, got nan"),
]


@pytest.mark.parametrize(("row", "message"), BROKEN)
def test_malformed_lines_are_refused_with_file_and_line_or_skipped(folder: Path, row: Any, message: str) -> None:
    file = written(folder, line(), row, line())
    with pytest.raises(BadRowError) as caught:
        read_ffe(file)
    assert f"{file}:2: " in str(caught.value) and message in str(caught.value)
    read = read_ffe(file, "skip")
    assert [pair.line for pair in read.pairs] == [1, 3]
    assert read.bad.count == 1 and str(read.bad.examples[0]) == str(caught.value)


def test_bytes_that_are_no_text(folder: Path) -> None:
    file = written(folder, line())
    file.write_bytes(b'{"src": "\xff"}\n' + file.read_bytes())
    read = read_ffe(file, "skip")
    assert len(read.pairs) == 1 and read.bad.examples[0].place == 1


def test_pictures_need_not_be_there_when_nobody_asks(folder: Path) -> None:
    file = written(folder, changed("src.image", "elsewhere/a.png"))
    assert read_ffe(file, check_files=False).pairs[0].source == folder / "elsewhere" / "a.png"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_ffe(tmp_path / "nowhere.jsonl")


TASK = {"image": "pictures/neutral.png", "bbox": [1, 2, 30, 40], "expression": "Fear", "prompt": "Make them afraid."}


def test_tasks_of_the_benchmark(folder: Path) -> None:
    other = {"input_image": "pictures/fear.png", "target_expression": "sad", "prompt": "x", "data_type": "anime"}
    tasks, bad = read_ffe_bench(written(folder, TASK, other))
    assert bad.count == 0
    assert [(task.expression, task.box, task.domain) for task in tasks] == [
        ("fear", (1, 2, 30, 40), None),
        ("sad", None, "anime"),
    ]
    listed, _ = read_ffe_bench(written(folder, json.dumps([TASK, other], indent=1), name="bench.json"))
    assert listed == tasks


@pytest.mark.parametrize("name", ["image", "expression", "prompt"])
def test_tasks_need_an_image_an_expression_and_a_prompt(folder: Path, name: str) -> None:
    file = written(folder, {key: value for key, value in TASK.items() if key != name}, TASK)
    with pytest.raises(BadRowError, match=rf"triplets\.jsonl:1: expected a task to have “{name}”"):
        read_ffe_bench(file)
    tasks, bad = read_ffe_bench(file, "skip")
    assert len(tasks) == 1 and bad.count == 1
