"""Writers of the pocket world's datasets: what they write is what the readers of the real formats read."""

import hashlib
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from expressive.datasets.emo135 import read_emo135
from expressive.datasets.ffe import read_ffe, read_ffe_bench
from expressive.datasets.hagrid import HagridReader
from expressive.datasets.splits import check_disjoint
from expressive.datasets.talking_clips import read_talking_clips
from expressive.emotion import Emotion, vocabulary
from expressive.pocket.datasets import clips, emo135, ffe, hagrid, writing
from expressive.pocket.datasets.cli import main
from expressive.pocket.datasets.people import BLOCKS, person_of, split_of_item, split_of_seed
from expressive.pocket.datasets.writing import ABOUT, JOURNAL, Item, Recipe, write_dataset
from expressive.pocket.training.people import HELD_OUT


def digests(folder: Path) -> dict[str, str]:
    """Path → digest of every file of a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def small(recipe: Recipe, folder: Path, index: int) -> Item:
    """An item that takes no time to draw: one text file."""
    writing.write_text(folder / "items" / f"{index}.txt", f"{recipe.seed} {index}")
    return Item({"index": index}, (f"items/{index}.txt",))


def listed(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    writing.write_lines(folder / "rows.jsonl", rows)
    return {"rows": len(rows)}


def write_small(folder: Path, count: int = 8, seed: int = 0, workers: int = 1) -> bool:
    recipe = Recipe("small", count, 32, seed)
    return write_dataset(folder, recipe, partial(small, recipe), listed, workers)


def test_splits_are_blocks_of_identities_that_do_not_touch() -> None:
    edges = [edge for block in BLOCKS.values() for edge in block]
    assert edges == sorted(edges) and BLOCKS["train"][1] == BLOCKS["validation"][0] == HELD_OUT
    for split, (first, end) in BLOCKS.items():
        assert split_of_seed(first) == split_of_seed(end - 1) == split
    with pytest.raises(ValueError, match="lie within 0"):
        split_of_seed(-1)


@pytest.mark.parametrize("kinds", [1, 13, 135])
def test_eight_of_ten_items_are_for_training(kinds: int) -> None:
    found = Counter((index % kinds, split_of_item(index, kinds)) for index in range(10 * kinds))
    assert all(found[kind, "train"] == 8 for kind in range(kinds))
    assert all(found[kind, split] == 1 for kind in range(kinds) for split in ("validation", "test"))


def test_people_belong_to_the_items_split_and_are_balanced() -> None:
    shown = {}
    for index in range(1200):
        split = split_of_item(index)
        who = person_of(index, split, 1200, 3, items=2)
        assert split_of_seed(who.seed) == split
        assert shown.setdefault(who.seed, who) == who
    train = [who for who in shown.values() if split_of_seed(who.seed) == "train"]
    races = Counter(who.race for who in train)
    assert len(races) == 7 and max(races.values()) < 1.35 * min(races.values())
    assert person_of(5, "train", 1200, 3, 2) != person_of(5, "train", 1200, 4, 2)


def test_a_run_cut_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_small(tmp_path / "whole")
    drawn = []

    def cut(recipe: Recipe, folder: Path, index: int) -> Item:
        if len(drawn) == 5:
            raise KeyboardInterrupt
        drawn.append(index)
        return small(recipe, folder, index)

    recipe, folder = Recipe("small", 8, 32, 0), tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        write_dataset(folder, recipe, partial(cut, recipe), listed, 1)
    assert json.loads((folder / ABOUT).read_bytes())["complete"] is False and not (folder / "rows.jsonl").exists()
    with (folder / JOURNAL).open("a") as journal:
        journal.write('{"index": 5, "files": ["items/5.t')  # as a cut in the middle of a line leaves it
    (folder / "items" / "2.txt").unlink()
    (folder / "items" / ".5.1234.txt").write_text("half")
    drawn.clear()
    assert write_dataset(folder, recipe, partial(cut, recipe), listed, 1)
    assert drawn == [2, 5, 6, 7]
    assert digests(folder) == digests(tmp_path / "whole")
    assert not (folder / JOURNAL).exists()


def test_a_complete_dataset_is_left_alone_and_another_is_refused(tmp_path: Path) -> None:
    assert write_small(tmp_path / "a") is True
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert write_small(tmp_path / "a") is False
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == before
    with pytest.raises(ValueError, match="another dataset .count 8 there, 9 asked for; seed 0 there, 1 asked for."):
        write_small(tmp_path / "a", 9, seed=1)
    about = json.loads((tmp_path / "a" / ABOUT).read_bytes())
    writing.write_json(tmp_path / "a" / ABOUT, about | {"drawing": "0" * 12})
    with pytest.raises(ValueError, match="drawn by another version of the pocket world"):
        write_small(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files"):
        write_small(tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["letter.txt"]


def test_a_failure_leaves_no_half_file(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        writing.write_json(tmp_path / "a.json", {"a": object()})
    with pytest.raises((TypeError, AttributeError)):
        writing.write_picture(tmp_path / "a.png", None)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "value"), [("count", 0), ("size", 8), ("seed", -1)])
def test_recipes_have_limits(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"Expected a {name} of"):
        Recipe(**{"kind": "small", "count": 1, "size": 32, "seed": 0, name: value})


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emo135")
    emo135.write_emo135(folder, Recipe("emo135", 40, 32, 0), 1)
    return folder


def test_emo135(faces: Path) -> None:
    read = read_emo135(faces)
    assert len(read.pictures) == 40 and read.bad.count == 0
    assert sorted(set(read.counts.values())) == [0, 1]
    assert {split for one in read.pictures if (split := one.split)} == {"train", "validation", "test"}
    assert len(read.of_split("train")) == 32
    for one in read.pictures:
        assert one.identity is not None and split_of_seed(int(one.identity)) == one.split
        assert 16 <= one.about["age"] <= 80 and one.about["gender"] in ("woman", "man")
    assert read.pictures[0].open().size == (32, 32)
    made = json.loads((faces / ABOUT).read_bytes())
    assert made["complete"] and made["licence"] == "Apache-2.0" and made["pictures"] == 40
    assert sum(made["people"].values()) == len({one.identity for one in read.pictures})


def test_two_processes_and_two_runs_write_the_same_bytes(faces: Path, tmp_path: Path) -> None:
    recipe = Recipe("emo135", 6, 32, 0)
    for folder, workers in ((tmp_path / "one", 1), (tmp_path / "two", 2)):
        assert emo135.write_emo135(folder, recipe, workers)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    other = tmp_path / "other"
    emo135.write_emo135(other, Recipe("emo135", 6, 32, 1), 1)
    assert not set(digests(other).values()) & set(digests(tmp_path / "one").values())


def test_ffe(tmp_path: Path) -> None:
    ffe.write_ffe(tmp_path, Recipe("ffe", 10, 32, 0), 1)
    pairs = {split: read_ffe(tmp_path / f"{split}.jsonl", missing="refuse").pairs for split in BLOCKS}
    assert [len(found) for found in pairs.values()] == [8, 1, 1]
    identities = json.loads((tmp_path / "identities.json").read_bytes())
    assert len(identities) == 30
    assert len(check_disjoint((row["identity"], row["split"]) for row in identities.values())) == 3
    alike = 0
    for pair in [pair for found in pairs.values() for pair in found]:
        first, second = pair.targets
        alike += (first.category, second.category) in ffe.CONFUSING or (
            second.category,
            first.category,
        ) in ffe.CONFUSING
        assert 0.3 <= first.score <= 1.0 and max(first.scores) == first.score
        neutral, one = np.asarray(pair.open_source(), float), np.asarray(first.open(), float)
        assert 0.2 < np.abs(neutral - one).mean() < 60.0  # the same scene, another face
        assert pair.box is not None and 0 <= pair.box[0] < pair.box[2] <= 32 and 0 <= pair.box[1] < pair.box[3] <= 32
    assert alike >= 4
    tasks, bad = read_ffe_bench(tmp_path / ffe.BENCH)
    assert len(tasks) == 1 and bad.count == 0
    for task in tasks:
        assert identities[task.image.relative_to(tmp_path).as_posix()]["split"] == "test"
        assert task.expression in task.prompt and (task.domain == "anime") == ("character" in task.prompt)


def test_confusing_pairs_are_expressions() -> None:
    words = {word.word for word in vocabulary.pixelsmile()}
    assert all(len({*pair} & words) == 2 for pair in ffe.CONFUSING)


def test_hagrid(tmp_path: Path) -> None:
    count = 2 * len(hagrid.TARGETS)
    hagrid.write_hagrid(tmp_path, Recipe("hagrid", count, 48, 0), 1)
    rows = list(HagridReader(tmp_path / hagrid.ANNOTATIONS, tmp_path / hagrid.PICTURES, faces="one"))
    assert len(rows) == count and Counter(row.gesture for row in rows) == dict.fromkeys(hagrid.TARGETS, 2)
    assert set(check_disjoint((row.user, row.split) for row in rows)) == {"train", "validation", "test"}
    for row in rows:
        assert row.gesture in [hand.label for hand in row.hands]
        assert row.person is not None and 16 <= row.person.age <= 80
        for hand in row.hands:
            left, top, width, height = hand.box
            assert len(hand.landmarks) == 21
            inside = [left <= x <= left + width and top <= y <= top + height for x, y in hand.landmarks]
            assert sum(inside) == 21 or (hand.label == "no_gesture" and sum(inside) >= 8)
    assert rows[0].open().size == (48, 48)
    file = tmp_path / "annotations" / "train" / "call.json"
    (entry,) = list(json.loads(file.read_bytes()).values())[:1]
    assert list(entry) == [
        "bboxes", "labels", "united_bbox", "united_label", "user_id", "hand_landmarks", "meta",
    ]  # fmt: skip


def test_a_talking_clip(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    clips.write_clips(tmp_path, Recipe("clips", 1, 32, 0), 1)
    (clip,) = read_talking_clips(tmp_path).clips
    assert clip.identity is not None and split_of_seed(int(clip.identity)) == clip.split == "train"
    assert clip.text in clips.sentences()["anger"] and clip.emotion.nearest_text7() == "anger"
    assert clip.frames > 25 and next(clip.pictures(10)).shape == (32, 32, 3)
    assert len(clip.phonemes()) > 5 and abs(len(clip.audio()) / clip.sample_rate - clip.seconds) < 0.04
    with pytest.raises(ValueError, match="even size"):
        clips.write_clips(tmp_path / "odd", Recipe("clips", 1, 33, 0), 1)


def test_sentences_belong_to_the_seven_classes() -> None:
    found = clips.sentences()
    assert list(found) == [word.word for word in vocabulary.text7()]
    texts = [text for lines in found.values() for text in lines]
    assert len(set(texts)) == len(texts) >= 84 and all(3 <= len(text.split()) <= 12 for text in texts)
    assert all(Emotion.of(word).nearest_text7() == name for name, words in clips._words().items() for word in words)


def test_the_command(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    command = ["emo135", "--out", str(tmp_path / "a"), "--count", "2", "--size", "32", "--seed", "7", "--workers", "1"]
    assert main(command) == 0 and main(command) == 0
    assert "is complete already" in caplog.text
    assert len(json.loads((tmp_path / "a" / ABOUT).read_bytes())["drawing"]) == 12
    with pytest.raises(ValueError, match="count of 1 or more"):
        main(["ffe", "--out", str(tmp_path / "b"), "--count", "0"])
    with pytest.raises(ValueError, match="1 worker or more"):
        main(["ffe", "--out", str(tmp_path / "b"), "--workers", "0"])
    for wrong in (["faces", "--out", "x"], ["emo135"]):
        with pytest.raises(SystemExit):
            main(wrong)
