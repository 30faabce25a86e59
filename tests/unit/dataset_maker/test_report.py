"""The report and the shards of a small dataset of drawn people."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from expressive.dataset_maker.config import Config
from expressive.dataset_maker.maker import Missing, Outcome
from expressive.dataset_maker.plan import make_plan
from expressive.dataset_maker.report import write_report
from expressive.dataset_maker.shards import write_shards
from expressive.datasets.avatars import AvatarFolder

WORDS = ["delight", "grief", "rage"]


@pytest.fixture
def dataset(tmp_path: Path):
    workflow = {"file": "x.json", "keep": "x", "inputs": {}}
    config = {"name": "x", "expressions": WORDS, "people": {"count": 14}, "workflow": workflow}
    folder = AvatarFolder(tmp_path / "made")
    for avatar in make_plan(Config.model_validate(config)):
        pixels = np.random.default_rng(avatar.number).integers(0, 256, (32, 32, 3), np.uint8)
        row = {
            "number": avatar.number,
            "emotion": avatar.word,
            "person": avatar.person,
            "age": avatar.age,
            "gender": avatar.gender,
            "race": avatar.race,
            "reached": avatar.word != "rage" or avatar.person < 7,
            "try": avatar.person % 2,
        }
        folder.add(avatar.name, pixels, avatar.prompt, row)
    return folder


def test_the_report_counts_what_is_there(dataset):
    rows = dataset.rows()
    outcome = Outcome(kept=42, missing={"grief/person-099": Missing("no face", 4)})
    text = write_report(dataset.folder, rows, 43, outcome).read_text(encoding="utf-8")
    assert text.startswith("---\n") and "size_categories: [n<1K]" in text
    assert "42 of 43 planned avatars, 3 expressions, 14 people." in text
    assert "From 14 to 14 avatars of each expression." in text
    assert "| woman | " + " | ".join(["3"] * 7) + " |" in text
    assert f"{100 * 35 / 42:.1f} % show" in text
    assert "| angry | 14 | 50 % |" in text
    assert "grief/person-099: no face" in text
    sheets = sorted(path.name for path in (dataset.folder / "sheets").iterdir())
    assert sheets == ["all.jpg", "delight.jpg", "grief.jpg", "rage.jpg"]
    width, height = Image.open(dataset.folder / "sheets" / "delight.jpg").size
    assert width > 14 * 96 > 5 * height


def members(files):
    for file in files:
        with tarfile.open(file) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                assert content is not None
                yield entry.name, content.read()


def test_shards_hold_every_avatar_once_with_its_text_and_facts(dataset, tmp_path):
    rows = sorted(dataset.rows(), key=lambda row: row["number"])
    files = write_shards(dataset.folder, rows, 10, tmp_path / "shards")
    assert [file.name for file in files] == [f"avatars-{number:06d}.tar" for number in range(5)]
    samples: dict[str, dict[str, bytes]] = {}
    for name, content in members(files):
        key, _, kind = name.partition(".")
        assert "/" not in name and kind not in samples.setdefault(key, {})
        samples[key][kind] = content
    assert len(samples) == 42
    for row in rows:
        sample = samples[row["file_name"].removesuffix(".png").replace("/", "-")]
        assert set(sample) == {"json", "png", "txt"}
        assert sample["png"] == (dataset.folder / row["file_name"]).read_bytes()
        assert sample["txt"].decode() == row["text"]
        assert json.loads(sample["json"])["emotion"] == row["emotion"]


def test_shards_are_the_same_bytes_again_and_old_ones_go(dataset, tmp_path):
    rows, out = dataset.rows(), tmp_path / "shards"
    first = {file.name: file.read_bytes() for file in write_shards(dataset.folder, rows, 10, out)}
    assert {file.name: file.read_bytes() for file in write_shards(dataset.folder, rows, 10, out)} == first
    write_shards(dataset.folder, rows[:15], 10, out)
    assert sorted(path.name for path in out.iterdir()) == ["avatars-000000.tar", "avatars-000001.tar"]
