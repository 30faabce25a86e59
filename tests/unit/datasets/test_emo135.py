import json
from pathlib import Path

import pytest
from PIL import Image

from expressive.datasets.emo135 import class_of, read_emo135
from expressive.datasets.rows import BadRowError
from expressive.datasets.splits import SplitError
from expressive.emotion import vocabulary


def picture(path: Path, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (8, 6), 200).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("delight/a.jpg", "delight/b.PNG", "028_happiness/c.webp", "grouchy/sub/d.jpeg"):
        picture(tmp_path / name)
    (tmp_path / "delight" / "notes.txt").write_text("no picture")
    (tmp_path / "delight" / "._a.jpg").write_text("left by another system")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("delight", "delight"), ("Delight", "delight"), ("028_happiness", "happiness"), ("28-Happiness", "happiness"),
        ("hatred", "hate"), ("crosspatch", "grouchiness"), ("69. Hatred", "hate"), ("sadness_91", "sadness"),
        ("attractiveness", "attraction"), ("emo135.joy", "joy"),
    ],
)  # fmt: skip
def test_folders_are_matched_to_words(name: str, word: str) -> None:
    assert class_of(name).word == word


def test_every_noun_alias_and_number_is_matched() -> None:
    for word in vocabulary.emo135():
        for spelling in (word.word, *word.aliases, word.word.upper(), f"{word.index:03d}_{word.word}"):
            assert class_of(spelling) is word


@pytest.mark.parametrize("name", ["hapiness", "neutral", "012", "", "annotations"])
def test_other_folders_are_not(name: str) -> None:
    with pytest.raises(ValueError):
        class_of(name)


def test_a_folder_a_class(folder: Path) -> None:
    read = read_emo135(folder)
    assert [(one.word.word, one.path.name) for one in read.pictures] == [
        ("delight", "a.jpg"), ("delight", "b.PNG"), ("happiness", "c.webp"), ("grouchiness", "d.jpeg"),
    ]  # fmt: skip
    assert len(read.counts) == 135 and read.counts["delight"] == 2 and read.counts["joy"] == 0
    assert {(one.identity, one.split) for one in read.pictures} == {(None, None)}
    assert read.pictures[0].open().mode == "RGB" and read.pictures[0].open().size == (8, 6)


def test_splits_may_be_folders(tmp_path: Path) -> None:
    for name in ("train/delight/a.jpg", "val/delight/a.jpg", "test/grief/a.jpg"):
        picture(tmp_path / name)
    read = read_emo135(tmp_path)
    assert [len(read.of_split(split)) for split in ("train", "validation", "test")] == [1, 1, 1]
    assert read.counts["delight"] == 2


def test_identities_from_json_and_csv(folder: Path) -> None:
    rows = {"delight/a.jpg": {"identity": "anna", "split": "train", "age": 31}}
    (folder / "identities.json").write_text(json.dumps(rows))
    (folder / "identities.csv").write_text("picture,identity,split\ndelight/b.PNG,ben,val\n", encoding="utf-8-sig")
    first, second, *others = read_emo135(folder).pictures
    assert (first.identity, first.split, first.about) == ("anna", "train", {"age": 31})
    assert (second.identity, second.split, second.about) == ("ben", "validation", {})
    assert {one.identity for one in others} == {None}


def test_an_identity_in_two_splits_is_refused(folder: Path) -> None:
    text = "picture,identity,split\ndelight/a.jpg,anna,train\ndelight/b.PNG,anna,test\n"
    (folder / "identities.csv").write_text(text)
    with pytest.raises(SplitError, match="anna in test and train"):
        read_emo135(folder, "skip")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("delight/z.jpg,anna,train", r"identities\.csv:2: expected a picture of the dataset, got “delight/z\.jpg”"),
        ("delight/a.jpg,,train", r"identities\.csv:2: expected “identity” to be a text"),
        ("delight/a.jpg,anna", r"identities\.csv:2: expected “split” to be a text, got None"),
        ("delight/a.jpg,anna,exam", r"identities\.csv:2: expected “split” to be train, validation, test, got “exam”"),
    ],
)
def test_broken_identity_rows(folder: Path, row: str, message: str) -> None:
    (folder / "identities.csv").write_text(f"picture,identity,split\n{row}\ndelight/b.PNG,ben,val\n")
    with pytest.raises(BadRowError, match=message):
        read_emo135(folder)
    read = read_emo135(folder, "skip")
    assert read.bad.count == 1 and len(read.pictures) == 4
    assert [one.identity for one in read.pictures if one.identity] == ["ben"]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"delight/a.jpg": 3}', b"\xff\xfe{"])
def test_broken_identity_files(folder: Path, content: bytes) -> None:
    (folder / "identities.json").write_bytes(content)
    with pytest.raises(BadRowError, match=r"identities\.json.*expected"):
        read_emo135(folder)
    assert read_emo135(folder, "skip").bad.count == 1


def test_unknown_and_empty_folders_are_reported(folder: Path) -> None:
    picture(folder / "hapiness" / "a.jpg")
    with pytest.raises(BadRowError, match="hapiness: expected a folder named after one of the 135.*happiness"):
        read_emo135(folder)
    (folder / "grief").mkdir()
    read = read_emo135(folder, "skip")
    assert read.bad.count == 2 and len(read.pictures) == 4
    assert {row.file.name for row in read.bad.examples} == {"hapiness", "grief"}


def test_a_broken_picture_says_so_when_opened(folder: Path) -> None:
    (folder / "grief").mkdir()
    (folder / "grief" / "a.jpg").write_bytes(b"no picture")
    broken = read_emo135(folder).pictures[-1]
    with pytest.raises(BadRowError, match=r"a\.jpg: expected a picture, got a file that cannot be read"):
        broken.open()
    broken.path.unlink()
    with pytest.raises(BadRowError, match=r"a\.jpg: expected a picture, got no such file"):
        broken.open()


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        read_emo135(tmp_path / "nowhere")
