import json
import random
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from expressive.datasets.hagrid import LABELS, TWO_HANDED, Face, HagridReader
from expressive.datasets.rows import BadRowError
from expressive.datasets.splits import SplitError, check_disjoint

HAND = [[0.37 + 0.001 * point, 0.59 - 0.002 * point] for point in range(21)]


def sample() -> dict[str, Any]:
    """The sample of HaGRIDv2's README, its 21 landmarks written out."""
    return {
        "bboxes": [
            [0.0694444444, 0.3104166667, 0.2666666667, 0.2640625],
            [0.5993055556, 0.2875, 0.2569444444, 0.2760416667],
        ],
        "labels": ["thumb_index2", "thumb_index2"],
        "united_bbox": [[0.0694444444, 0.2875, 0.7868055556, 0.2869791667]],
        "united_label": ["thumb_index2"],
        "user_id": "2fe6a9156ff8ca27fbce8ada318c592b",
        "hand_landmarks": [HAND, HAND],
        "meta": {"age": [24.41], "gender": ["female"], "race": ["White"]},
    }


def one_handed(**changes: Any) -> dict[str, Any]:
    row = {
        "bboxes": [[0.2, 0.3, 0.1, 0.2], [0.6, 0.3, 0.1, 0.1]],
        "labels": ["palm", "no_gesture"],
        "united_bbox": None,
        "united_label": None,
        "user_id": "b",
        "hand_landmarks": [HAND, []],
        "meta": {"age": [31.0], "gender": ["male"], "race": ["Latino_Hispanic"]},
    }
    return {key: value for key, value in (row | changes).items() if value is not ...}


def written(folder: Path, content: Any, split: str = "train", gesture: str = "palm") -> Path:
    file = folder / "annotations" / split / f"{gesture}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return folder / "annotations"


def test_the_sample_of_the_readme(tmp_path: Path) -> None:
    (row,) = HagridReader(written(tmp_path, {"0534147c": sample()}, "val", "thumb_index2"))
    assert (row.name, row.gesture, row.split) == ("0534147c", "thumb_index2", "validation")
    assert row.user == "2fe6a9156ff8ca27fbce8ada318c592b"
    assert row.hands[1].box == (0.5993055556, 0.2875, 0.2569444444, 0.2760416667)
    assert row.hands[0].landmarks[20] == pytest.approx((0.39, 0.55)) and len(row.hands[0].landmarks) == 21
    assert row.united == (((0.0694444444, 0.2875, 0.7868055556, 0.2869791667), "thumb_index2"),)
    assert row.person == Face(24.41, "woman", "White")
    with pytest.raises(BadRowError, match="without a folder of pictures"):
        row.open()


def test_one_handed_rows_have_nulls_and_empty_lists(tmp_path: Path) -> None:
    rows = {"a": one_handed(), "b": one_handed(united_bbox=[None, None], united_label=[None, None])}
    rows["c"] = one_handed(united_bbox=..., united_label=..., hand_landmarks=..., meta=...)
    rows["d"] = one_handed(hand_landmarks=None, meta={"age": [], "gender": [], "race": []})
    first, second, third, fourth = HagridReader(written(tmp_path, rows))
    assert first.united == second.united == () and first.hands == second.hands
    assert first.hands[1].landmarks == () and first.person == Face(31.0, "man", "Latino")
    assert third.person is None and fourth.faces == () and fourth.hands[0].landmarks == ()


def test_rows_without_one_face(tmp_path: Path) -> None:
    two = {"age": [24.4, 40.0], "gender": ["female", "male"], "race": ["White", "East Asian"]}
    rows = {"one": one_handed(), "none": one_handed(meta={}), "two": one_handed(meta=two)}
    folder = written(tmp_path, rows)
    assert [row.name for row in HagridReader(folder)] == ["one", "none", "two"]
    for faces, names, left_out in (("one", ["one"], 2), ("some", ["one", "two"], 1)):
        reader = HagridReader(folder, faces=faces)
        assert [row.name for row in reader] == names and reader.left_out == left_out and reader.bad.count == 0
        assert [row.name for row in reader] == names and reader.left_out == left_out  # again from the start
    assert [row.person for row in HagridReader(folder, faces="some")][1] is None


def test_splits_gestures_and_pictures(tmp_path: Path) -> None:
    written(tmp_path, {"a": one_handed(user_id="a")}, "train", "palm")
    written(tmp_path, {"b": one_handed(user_id="b")}, "val", "palm")
    folder = written(tmp_path, {"c": one_handed(user_id="c")}, "test", "stop")
    assert [row.split for row in HagridReader(folder)] == ["train", "validation", "test"]
    assert [row.name for row in HagridReader(folder, gestures=["stop"])] == ["c"]
    assert [row.name for row in HagridReader(folder, splits=["validation"])] == ["b"]
    for place in ("palm/a.jpg", "val/palm/b.jpeg", "stop/c.JPG"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 9)).save(tmp_path / place)
    assert [row.open().size for row in HagridReader(folder, tmp_path)] == [(16, 9)] * 3
    (tmp_path / "palm" / "a.jpg").unlink()
    with pytest.raises(BadRowError, match="palm.json, entry “a”: expected a picture of that name"):
        list(HagridReader(folder, tmp_path))
    reader = HagridReader(folder, tmp_path, "skip")
    assert [row.name for row in reader] == ["b", "c"] and reader.bad.count == 1


def test_a_user_in_two_splits_is_found(tmp_path: Path) -> None:
    written(tmp_path, {"a": one_handed()}, "train")
    folder = written(tmp_path, {"b": one_handed()}, "test")
    with pytest.raises(SplitError, match="b in test and train"):
        check_disjoint((row.user, row.split) for row in HagridReader(folder))


BROKEN = [
    ([], "an entry to be an object"),
    (one_handed(bboxes=...), "an entry to have “bboxes”"),
    (one_handed(bboxes=[[0.2, 0.3, 0.1]], labels=["palm"], hand_landmarks=None), "a box to have 4 entries, got 3"),
    (one_handed(bboxes=[[0.2, 0.3, 0.1, 1.9]] * 2), "width and height to be within"),
    (one_handed(bboxes=[[0.9, 0.3, 0.4, 0.1]] * 2), "within the picture"),
    (one_handed(bboxes=[[200, 300, 100, 100]] * 2), "left and top to be within"),
    (one_handed(bboxes=[[0.2, 0.3, 0.0, 0.1]] * 2), "within the picture"),
    (one_handed(labels=["palm"]), "“labels” to have 2 entries, got 1"),
    (one_handed(labels=["palm", "wave"]), "33 gestures or no_gesture, got “wave”"),
    (one_handed(labels=["palm", None]), "33 gestures or no_gesture, got None"),
    (one_handed(labels=["palm", ["stop"]]), "33 gestures or no_gesture"),
    (one_handed(hand_landmarks=[HAND]), "“hand_landmarks” for each of 2 hands, got 1"),
    (one_handed(hand_landmarks=[HAND[:20], []]), "a hand's landmarks to have 21 entries, got 20"),
    (one_handed(hand_landmarks=[[[0.1, 0.2, 0.3]] * 21, []]), "a landmark to have 2 entries, got 3"),
    (one_handed(hand_landmarks=[[[0.1, "0.2"]] * 21, []]), "a landmark's y to be a number"),
    (one_handed(user_id=...), "an entry to have “user_id”"),
    (one_handed(user_id=7), "“user_id” to be a text, got 7"),
    (one_handed(meta=[]), "“meta” to be an object"),
    (one_handed(meta={"age": [1.0], "gender": ["male"], "race": []}), "as many ages as genders and races"),
    (one_handed(meta={"age": [-1], "gender": ["male"], "race": ["White"]}), "“meta.age” to be within 0 … 130, got -1"),
    (one_handed(meta={"age": [30], "gender": ["m"], "race": ["White"]}), "to be female or male, got “m”"),
    (one_handed(meta={"age": [30], "gender": ["male"], "race": ["green"]}), "FairFace's seven groups, got “green”"),
    (one_handed(united_bbox=[[0.1, 0.1, 0.5, 0.5]]), "as many “united_label” as “united_bbox”, got 0 for 1"),
    (one_handed(united_bbox=[[0.1, 0.1, 0.5]], united_label=["holy"]), "a box to have 4 entries"),
]


@pytest.mark.parametrize(("row", "message"), BROKEN)
def test_malformed_entries_are_refused_with_file_and_key_or_skipped(tmp_path: Path, row: Any, message: str) -> None:
    folder = written(tmp_path, {"good": one_handed(), "broken": row, "last": one_handed()})
    with pytest.raises(BadRowError) as caught:
        list(HagridReader(folder))
    assert "palm.json, entry “broken”: expected " in str(caught.value) and message in str(caught.value)
    reader = HagridReader(folder, on_bad="skip")
    assert [row.name for row in reader] == ["good", "last"]
    assert reader.bad.count == 1 and str(reader.bad.examples[0]) == str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b'{"a": 3', b'{"a": NaN}', b"\xff\xfe"])
def test_files_that_are_not_annotations(tmp_path: Path, content: bytes) -> None:
    folder = written(tmp_path, content)
    with pytest.raises(BadRowError, match=r"palm\.json: expected one object with an entry for each picture"):
        list(HagridReader(folder))
    reader = HagridReader(folder, on_bad="skip")
    assert list(reader) == [] and reader.bad.count == 1


def test_a_file_cut_off_gives_what_stands_before(tmp_path: Path) -> None:
    whole = json.dumps({"a": one_handed(), "b": one_handed(), "c": one_handed()}).encode()
    reader = HagridReader(written(tmp_path, whole[: whole.index(b'"c"') + 30]), on_bad="skip")
    assert [row.name for row in reader] == ["a", "b"] and "after entry “b”" in str(reader.bad.examples[0])


def test_a_gesture_without_entries_is_fine(tmp_path: Path) -> None:
    assert list(HagridReader(written(tmp_path, {}))) == []


@pytest.mark.parametrize(
    "options", [{"splits": ["exam"]}, {"gestures": ["wave"]}, {"faces": "all"}, {"on_bad": "ignore"}]
)
def test_unknown_options(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        HagridReader(written(tmp_path, {}), **options)


def test_missing_folders_and_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        HagridReader(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"palm\.json"):
        HagridReader(tmp_path)


def test_the_labels_are_those_of_version_2() -> None:
    assert len(LABELS) == 34 and set(TWO_HANDED) < set(LABELS) and list(LABELS[:-1]) == sorted(LABELS[:-1])


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    rng = random.Random(0)
    entry = json.dumps(one_handed(hand_landmarks=[[[rng.random(), rng.random()] for _ in range(21)], []]))
    count = 3000
    file = tmp_path / "annotations" / "train" / "palm.json"
    file.parent.mkdir(parents=True)
    with file.open("w") as content:
        content.write("{" + ",".join(f'"{index:08d}": {entry}' for index in range(count)) + "}")
    assert file.stat().st_size > 3_000_000
    start = time.process_time()
    assert sum(1 for _ in HagridReader(file.parents[1])) == count
    assert time.process_time() - start < 3.0
    tracemalloc.start()
    assert next(iter(HagridReader(file.parents[1]))).name == "00000000"
    reader = iter(HagridReader(file.parents[1]))
    for _ in range(300):
        next(reader)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
