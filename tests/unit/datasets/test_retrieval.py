"""An identity image out of a drawn folder in HaGRID's layout."""

import json
import shutil
from pathlib import Path

import pytest

from expressive.datasets.hagrid import HagridReader
from expressive.datasets.hagrid_layout import is_hagrid, pictures_of
from expressive.datasets.retrieval import index_of, picture_of
from expressive.pocket.datasets.hagrid import write_hagrid
from expressive.pocket.datasets.writing import Recipe


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets") / "hagrid"
    write_hagrid(folder, Recipe("hagrid", 36, seed=3, size=64), workers=1)
    return folder


def test_a_picture_of_the_nearest_age_is_found(drawn: Path, tmp_path: Path) -> None:
    assert is_hagrid(drawn) and not is_hagrid(tmp_path)
    index = index_of(drawn, tmp_path / "cache")
    known = {one.name: one for one in HagridReader(drawn / "annotations", drawn / "images", faces="one")}
    assert len(index) == len(known)
    for age in (20, 45, 99):
        found = index.find("woman", age, seed=1)
        who = known[found.name].person
        assert who is not None and who.gender == "woman" and int(who.age) == found.age
        assert picture_of(found, drawn) == known[found.name].picture


def test_the_index_is_made_once_and_anew_when_something_changes(drawn: Path, tmp_path: Path) -> None:
    own, cache = tmp_path / "own", tmp_path / "cache"
    shutil.copytree(drawn, own)
    asked: list[int] = []
    first = index_of(own, cache, asked.append)
    assert asked == [0] and index_of(own, cache, asked.append).file == first.file and asked == [0]
    found = first.find("man", 30, seed=0)
    picture_of(found, own).unlink()
    with pytest.raises(FileNotFoundError, match=f"{found.name} is no longer"):
        picture_of(found, own)
    again = index_of(own, cache)
    assert len(again) == len(first) - 1 and again.file != first.file and list(cache.iterdir()) == [again.file]


def test_pictures_may_lie_beside_the_annotations(drawn: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(drawn / "annotations", own / "annotations")
    for folder in (drawn / "images").iterdir():
        shutil.copytree(folder, own / folder.name)
    assert pictures_of(own) == own
    found = index_of(own, tmp_path / "cache").find("woman", 30, seed=0)
    assert picture_of(found, own).parent == own / found.gesture


def test_entries_that_say_too_little_are_left_out(drawn: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(drawn, own)
    (file, *_) = sorted((own / "annotations" / "train").glob("*.json"))
    entries = json.loads(file.read_text(encoding="utf-8"))
    (name, *_) = entries
    entries[name]["meta"] = {"age": [30.0, 31.0], "gender": ["male", "male"], "race": ["White", "White"]}
    entries["nobody"] = {"labels": []}
    file.write_text(json.dumps(entries), encoding="utf-8")
    assert len(index_of(own, tmp_path / "cache")) == len(index_of(drawn, tmp_path / "other")) - 1
    with pytest.raises(FileNotFoundError, match="no folder"):
        index_of(tmp_path / "gone", tmp_path / "cache")
