# pyright: reportAttributeAccessIssue=false
"""The emotion of a text, by classifiers of the real layout."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from expressive.emotion import Emotion
from expressive.emotion.spread import SPREADS, spread
from expressive.speech.classifiers import TransformerClassifier
from expressive.speech.sentences import cut, sentences
from expressive.speech.text_emotion import WHOLE, TextEmotion

from .small_classifier import LABELS, write_classifier

SHORT = "I am so happy today!"
LONG = " ".join(["The train leaves at nine, from platform four, as it does on any other day of the week."] * 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("models") / "small", positions=130)


@pytest.fixture(scope="module")
def classifier(folder: Path) -> TextEmotion:
    return TextEmotion.load(folder)


def by_transformers(folder: Path, text: str) -> tuple[dict[str, float], torch.Tensor]:
    """Probabilities and the first token's last hidden state, as transformers' own classes give them."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
    tokens = AutoTokenizer.from_pretrained(str(folder))(text, return_tensors="pt", truncation=True)
    with torch.no_grad():
        found = model(**tokens, output_hidden_states=True)
    shares = found.logits[0].softmax(0).tolist()
    return {model.config.id2label[k]: share for k, share in enumerate(shares)}, found.hidden_states[-1][0, 0]


def test_it_says_what_transformers_says(folder: Path, classifier: TextEmotion) -> None:
    shares, state = by_transformers(folder, SHORT)
    found = classifier.read(SHORT)
    assert found.probabilities == pytest.approx(shares, abs=1e-6)
    assert found.label == max(shares, key=lambda label: shares[label])
    torch.testing.assert_close(classifier.embed(SHORT), state, atol=1e-5, rtol=0)
    assert classifier.embed(SHORT).shape == (classifier.classifier.width,)
    expected = Emotion.mix([(Emotion.of(f"text7.{label}"), share) for label, share in shares.items() if share >= 0.02])
    faint = sum(share for share in shares.values() if share < 0.02)
    assert dict(found.emotion.weights) == pytest.approx(dict(expected.scaled(1 - faint).weights), abs=1e-4)


def test_labels_are_read_from_the_file_in_any_order(tmp_path: Path) -> None:
    turned = TextEmotion.load(write_classifier(tmp_path / "turned", tuple(reversed(LABELS))))
    usual = TextEmotion.load(write_classifier(tmp_path / "usual")).read(SHORT).probabilities
    pairs = zip(LABELS, reversed(LABELS), strict=True)
    assert turned.read(SHORT).probabilities == pytest.approx({b: usual[a] for a, b in pairs}, abs=1e-6)


def test_other_emotion_words_will_do_as_labels(tmp_path: Path) -> None:
    found = TextEmotion.load(
        write_classifier(tmp_path / "six", ("Love", "joy", "Optimism", "grief", "pride", "neutral"))
    )
    assert {i.partition(".")[2] for i, _ in found.read(SHORT).emotion.weights} <= {
        "love", "joy", "optimism", "grief", "pride",
    }  # fmt: skip


def test_pickled_weights_are_read_as_tensors_alone(tmp_path: Path, classifier: TextEmotion) -> None:
    pickled = TextEmotion.load(write_classifier(tmp_path / "pickled", positions=130, pickled=True))
    assert pickled.read(SHORT).probabilities == pytest.approx(classifier.read(SHORT).probabilities, abs=1e-6)


def test_a_long_text_is_read_by_its_sentences(classifier: TextEmotion) -> None:
    text = f"{LONG} {SHORT}"
    assert classifier.classifier.count(text) > WHOLE
    asked: list[int] = []
    found = classifier.read(text, lambda: asked.append(1))
    assert [one.text for one in found.sentences] == sentences(text) and len(found.sentences) == 7 and asked
    assert sum(one.weight for one in found.sentences) == pytest.approx(1)
    alone = [classifier.read(one.text) for one in found.sentences]
    mixed = {
        label: sum(one.weight * own.probabilities[label] for one, own in zip(found.sentences, alone, strict=True))
        for label in LABELS
    }
    assert found.probabilities == pytest.approx(mixed, abs=1e-5)


def test_a_neutral_sentence_weighs_little(tmp_path: Path) -> None:
    """Of two equally long sentences the one that feels something counts more."""

    class Fixed(TextEmotion):
        def _probabilities(self, texts: Any, between: Any) -> torch.Tensor:
            neutral = torch.tensor([0.9 if "train" in text else 0.1 for text in texts])
            rest = torch.zeros(len(texts), 7)
            rest[:, LABELS.index("neutral")] = neutral
            rest[:, LABELS.index("joy")] = 1 - neutral
            return rest

    fixed = Fixed(TransformerClassifier.load(write_classifier(tmp_path / "small")))
    same = "the train leaves today at nine. the party begins today at nine. " * 8
    found = fixed.read(same)
    calm, felt = ([one.weight for one in found.sentences if word in one.text] for word in ("train", "party"))
    assert sum(felt) > 2 * sum(calm) and found.emotion.intensity > 0.6


def test_a_sentence_longer_than_the_network_reads_is_cut(classifier: TextEmotion) -> None:
    endless = "happy " * 500
    found = classifier.read(endless)
    assert len(found.sentences) > 1 and " ".join(one.text for one in found.sentences) == endless.strip()
    assert all(classifier.classifier.count(one.text) <= 128 for one in found.sentences)


def test_sentences_and_parts() -> None:
    assert sentences("Dr. Smith left.  She was\nangry! Was she?") == ["Dr. Smith left.", "She was angry!", "Was she?"]
    assert sentences(" \n ") == []
    assert cut("a b c d e", 2) == ["a b c", "d e"] and cut("a", 3) == ["a"]


def test_an_emotion_is_told_in_other_words() -> None:
    seven = Emotion.from_text7([0.1, 0, 0, 0.6, 0.2, 0, 0.1])
    assert spread(seven, SPREADS[0]) == seven
    assert dict(spread(seven, SPREADS[1]).weights) == {
        "pixelsmile.angry": 0.1, "pixelsmile.happy": 0.6, "pixelsmile.surprised": 0.1,
    }  # fmt: skip
    assert dict(spread(seven, SPREADS[2]).weights) == {"emo135.anger": 0.1, "emo135.joy": 0.6, "emo135.surprise": 0.1}
    with pytest.raises(ValueError, match="none of 7 classes"):
        spread(seven, "all")


def test_a_slip_is_a_sentence(tmp_path: Path, classifier: TextEmotion) -> None:
    for text in ("", " \n"):
        with pytest.raises(ValueError, match="text is empty"):
            classifier.read(text)
        with pytest.raises(ValueError, match="text is empty"):
            classifier.embed(text)
    with pytest.raises(ValueError, match="label “label_0” of odd is not an emotion word"):
        TextEmotion.load(write_classifier(tmp_path / "odd", ("LABEL_0", "LABEL_1")))
    with pytest.raises(ValueError, match="several labels at once"):
        TextEmotion.load(write_classifier(tmp_path / "multi", problem_type="multi_label_classification"))
    bare = write_classifier(tmp_path / "bare")
    for file in ("tokenizer.json", "vocab.json"):
        (bare / file).unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match="tokenizer's files"):
        TextEmotion.load(bare)
    (bare / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no model.safetensors"):
        TextEmotion.load(bare)
    (bare / "config.json").write_text(json.dumps({"model_type": "gpt2"}), encoding="utf-8")
    with pytest.raises(ValueError, match="kind 'gpt2'"):
        TextEmotion.load(bare)


@pytest.fixture
def nodes(pack: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    loader, reader = (
        importlib.import_module(f"{pack.__name__}.nodes.{name}") for name in ("load_text_emotion", "emotion_from_text")
    )
    paths = importlib.import_module("folder_paths")
    known, extensions = paths.folder_names_and_paths["text_emotion"]
    monkeypatch.setitem(paths.folder_names_and_paths, "text_emotion", ([str(folder.parent), *known], extensions))
    return loader.LoadTextEmotion, reader.EmotionFromText


def test_the_nodes_read_a_message(nodes: tuple[Any, Any]) -> None:
    loader, reader = nodes
    loaded = loader.execute("small").args[0]
    emotion, label, scores, embedding, found = reader.execute(loaded, SHORT, "135 words").args
    assert label in LABELS and all(i.startswith("emo135.") for i, _ in emotion.weights)
    told = json.loads(scores)
    assert sum(told["probabilities"].values()) == pytest.approx(1, abs=1e-3) and embedding.shape == (16,)
    assert [one["text"] for one in told["sentences"]] == [one.text for one in found] == [SHORT]
    replied = reader.execute(loaded, SHORT, "135 words", "why did nobody tell me?").args
    assert replied[0] == emotion and not torch.equal(replied[3], embedding)
    before = loader.fingerprint_inputs("small")
    assert before == loader.fingerprint_inputs("small") and before != loader.fingerprint_inputs("gone")


def test_a_missing_folder_says_what_to_download(nodes: tuple[Any, Any]) -> None:
    with pytest.raises(FileNotFoundError, match="models/text_emotion/emotion_text_classifier"):
        nodes[0].execute("gone")
