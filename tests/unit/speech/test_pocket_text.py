"""The pack's own small classifier of texts, and how it is made."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from expressive.speech.pocket.ngrams import NgramClassifier, features_of, words_of
from expressive.speech.pocket.recipe import LABELS, SENTENCES, Recipe, figures, fit, make, read_sentences
from expressive.speech.text_emotion import TextEmotion
from launcher.places import ROOT

RECIPE = Recipe.read(ROOT / "trainers" / "configs" / "pocket-text.toml")
LINES = """\
joy\tI am so happy that we won
joy\tWhat a happy day, we won!
anger\tI am furious, he lied to me
anger\tHe lied again and I am furious
neutral\tThe train leaves at nine
neutral\tThe shop opens at nine
"""


def test_words_pairs_and_pieces_count() -> None:
    assert words_of("Don’t GO, now!!") == ["don't", "go", ",", "now", "!!"]
    found = features_of("sad sadness")
    assert {"sad", "sadness", "sad sadness", "…<sad", "…ness>"} <= found and "…sad>" not in found
    assert features_of(" ") == set()


def test_it_learns_and_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "lines.tsv"
    file.write_text(LINES, encoding="utf-8")
    texts, labels = read_sentences(file)
    made = fit(texts, labels, replace(RECIPE, fewest=1, width=4))
    assert figures(made, texts, labels)["accuracy"] == 1.0
    made.save(tmp_path / "model", {"modelspec.license": "Apache-2.0"})
    read = NgramClassifier.load(tmp_path / "model")
    torch.testing.assert_close(read.logits(texts), made.logits(texts))
    near, far = (float(read.embed(texts[0]) @ read.embed(other)) for other in (texts[1], texts[2]))
    assert near > far and read.embed(texts[0]).norm() == pytest.approx(1, abs=1e-4)
    assert not read.embed("zzz").any() and torch.equal(read.logits(["zzz"])[0], read.network.bias)
    assert TextEmotion.load(tmp_path / "model").read("We won! I am happy.").label == "joy"


def test_a_run_makes_the_same_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.tsv").write_text(LINES, encoding="utf-8")
    (tmp_path / "held_out.tsv").write_text(LINES, encoding="utf-8")
    monkeypatch.setattr("expressive.speech.pocket.recipe.SENTENCES", tmp_path)
    for run in ("one", "two"):
        for stage in ("train", "evaluate", "export"):
            make(stage, replace(RECIPE, fewest=1, width=4), tmp_path / run, tmp_path / run / "models")
    one, two = (NgramClassifier.load(tmp_path / run / "models" / "text_emotion" / "pocket") for run in ("one", "two"))
    assert torch.equal(one.logits(["so happy"]), two.logits(["so happy"]))
    with pytest.raises(FileNotFoundError, match="stage train first"):
        make("export", RECIPE, tmp_path / "three", tmp_path)
    with pytest.raises(ValueError, match="leave the budget out"):
        make("train", RECIPE, tmp_path, tmp_path, minutes=3)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "lines.tsv"
    file.write_text("joy\tyes\nlove\tno\n", encoding="utf-8")
    with pytest.raises(ValueError, match="lines.tsv, line 2: expected a label"):
        read_sentences(file)


def test_what_is_judged_was_not_learned() -> None:
    (learned, _), (held_out, labels) = (read_sentences(SENTENCES / f"{name}.tsv") for name in ("train", "held_out"))
    known = {frozenset(words_of(text)) for text in learned}
    assert not [text for text in held_out if frozenset(words_of(text)) in known]
    assert len(held_out) >= 300 and labels.bincount().min() >= 50 and len(labels.unique()) == len(LABELS)


def test_the_bundled_one_reads_what_it_never_saw() -> None:
    """Nine of ten sentences; chance is one in seven."""
    bundled = NgramClassifier.load(ROOT / "models" / "text_emotion" / "pocket")
    found = figures(bundled, *read_sentences(SENTENCES / "held_out.tsv"))
    assert found["accuracy"] >= 0.9 and min(found[label] for label in LABELS) >= 0.75
    assert found["calibration error"] <= 0.05
