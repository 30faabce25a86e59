"""Folders of edits, and the reader as their judge."""

import json
from pathlib import Path

import pytest
from PIL import Image

from expressive.datasets.rows import BadRowError
from expressive.emotion import Emotion
from expressive.metrics import plots
from expressive.metrics.edit_folder import EditFile, read_edit_folder
from expressive.metrics.ffe_bench import figures
from expressive.metrics.judging import ReaderJudge, judged
from expressive.pocket.faces import Identity
from expressive.pocket.reader.encoders import PocketEncoder
from expressive.pocket.scene import Scene, picture
from launcher.places import ROOT

ALPHAS = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A drawn person's edits towards two expressions, named as PixelSmile's script names them, and the sources."""
    edits, sources = tmp_path_factory.mktemp("edits"), tmp_path_factory.mktemp("sources")
    who = Identity.sample(2_500_000)
    Image.fromarray(picture(Scene(who, Emotion.neutral()))).save(sources / "one.png")
    for word in ("happy", "angry"):
        for alpha in ALPHAS:
            emotion = Emotion.of(f"pixelsmile.{word}", alpha) if alpha else Emotion.neutral()
            Image.fromarray(picture(Scene(who, emotion))).save(edits / f"one_{word}_{alpha}.png")
    return edits, sources


def test_edits_are_found_by_their_names(folders: tuple[Path, Path]) -> None:
    edits, sources = folders
    found = read_edit_folder(edits, sources)
    assert [(edit.expression, edit.alpha) for edit in found] == [(w, a) for w in ("angry", "happy") for a in ALPHAS]
    assert all(edit.source == sources / "one.png" for edit in found)


def test_or_by_a_list(folders: tuple[Path, Path], tmp_path: Path) -> None:
    image, source = str(folders[0] / "one_happy_1.0.png"), str(folders[1] / "one.png")
    rows: list[dict[str, object]] = [{"image": image, "source": source, "expression": "Happiness"}]
    rows.append({**rows[0], "alpha": 0.25})
    (tmp_path / "edits.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read_edit_folder(tmp_path) == [EditFile(Path(image), Path(source), "happy", alpha) for alpha in (0.25, 1.0)]
    for wrong, sentence in (
        ({**rows[0], "expression": "joyous"}, "edits.jsonl:3: expected “expression” to be one of angry"),
        ({**rows[0], "image": "gone.png"}, "edits.jsonl:3: expected a picture, got “gone.png”"),
        ({**rows[0], "alpha": "x"}, "edits.jsonl:3: expected “alpha”"),
    ):
        (tmp_path / "edits.jsonl").write_text("\n".join(map(json.dumps, [*rows, wrong])), encoding="utf-8")
        with pytest.raises(BadRowError, match=sentence):
            read_edit_folder(tmp_path)


def test_what_is_no_folder_of_edits_is_a_sentence(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_edit_folder(tmp_path / "gone")
    with pytest.raises(ValueError, match="has no edits.jsonl, so the folder"):
        read_edit_folder(folders[0])
    with pytest.raises(ValueError, match="holds no edited pictures"):
        read_edit_folder(tmp_path, folders[1])
    with pytest.raises(BadRowError, match="made from in .*, got no one"):
        read_edit_folder(folders[0], tmp_path)


def test_the_reader_judges_them(folders: tuple[Path, Path]) -> None:
    encoder = PocketEncoder.load(ROOT / "models")
    found = judged(read_edit_folder(*folders), ReaderJudge(encoder, [encoder]))
    told = figures(found)
    assert told["Acc-12"] == 1.0 and told["CLS-12"] > 0.9 and told["ID Sim"] > 0.6
    neutral = [edit for edit in found if edit.alpha == 0]
    assert all(edit.dominant == "" and edit.identity == pytest.approx(1.0, abs=1e-3) for edit in neutral)


def test_plots_over_edits(folders: tuple[Path, Path]) -> None:
    encoder = PocketEncoder.load(ROOT / "models")
    found = judged(read_edit_folder(*folders), ReaderJudge(encoder, [encoder]))
    for page in (plots.alpha_curves(found, 300), plots.trade_off({"drawn": found}, 300)):
        assert page.shape == (300, 300, 3) and page.std() > 5
