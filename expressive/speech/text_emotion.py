"""Which emotion a text expresses: MAVAGEN's first step (§3.3.3), by a classifier from a local folder.

A folder holds config.json, the weights and the tokenizer's files as Hugging Face publishes them, such as
michellejieli/emotion_text_classifier, or the pack's own small classifier. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..emotion import Emotion, vocabulary
from .classifiers import Classifier, TransformerClassifier
from .sentences import cut, sentences

WHOLE = 64
"""Tokens up to which a text is read as one utterance, as the classifiers were trained; longer ones by sentence."""
CALM = 0.25
"""What a sentence that is wholly neutral weighs, beside one that is not at all: small talk drowns no outburst."""
FAINT = 0.02
"""Probabilities below this are not felt."""
BATCH = 16  # sentences at a time


@dataclass(frozen=True)
class Sentence:
    """text, what it expresses, and its weight in the whole; the weights of a text add up to 1."""

    text: str
    emotion: Emotion
    weight: float


@dataclass(frozen=True)
class TextReading:
    """z_E of a text: probabilities of the classifier's labels, and of each sentence on its own."""

    probabilities: dict[str, float]
    emotion: Emotion
    sentences: tuple[Sentence, ...]

    @property
    def label(self) -> str:
        """The most likely one."""
        return max(self.probabilities, key=lambda label: self.probabilities[label])


class TextEmotion:
    """A classifier, and what its labels mean."""

    def __init__(self, classifier: Classifier) -> None:
        """Raises ValueError for a label that is no emotion word."""
        self.classifier = classifier
        self.labels = tuple(label.lower() for label in classifier.labels)
        self._means = [_meaning(label, classifier.name) for label in self.labels]

    @classmethod
    def load(cls, folder: Path) -> TextEmotion:
        """From a model's folder, or the pack's own. Raises FileNotFoundError, ImportError or ValueError."""
        from .pocket.ngrams import NgramClassifier

        own = NgramClassifier.is_one(folder)
        return cls(NgramClassifier.load(folder) if own else TransformerClassifier.load(folder))

    def read(self, text: str, between: Callable[[], None] = lambda: None) -> TextReading:
        """What a text expresses; between: called before each batch of sentences, to stop or to show progress.

        Texts of up to `WHOLE` tokens are read in one; of longer ones the sentences are read, each of which weighs as
        many tokens as it has, and less the more neutral it is. Raises ValueError for an empty text.
        """
        found = sentences(text)
        if not found:
            raise ValueError("The text is empty. Write what was said.")
        parts = [part for sentence in found for part in self._fitting(sentence)]
        shares = self._probabilities(parts, between)  # [S,K]
        neutral = sum((shares[:, k] for k, mean in enumerate(self._means) if not mean.weights), shares.new_zeros(()))
        weights = torch.tensor([float(self.classifier.count(part)) for part in parts]) * (1 - (1 - CALM) * neutral)
        weights = weights / weights.sum()
        short = self.classifier.count(text) <= min(WHOLE, self.classifier.length)
        whole = self._probabilities([" ".join(text.split())], between)[0] if short else weights @ shares
        told = tuple(
            Sentence(part, self._mixed(row), float(weight))
            for part, row, weight in zip(parts, shares, weights, strict=True)
        )
        probabilities = {label: float(share) for label, share in zip(self.labels, whole, strict=True)}
        return TextReading(probabilities, self._mixed(whole), told)

    def embed(self, text: str) -> Tensor:
        """z_T: [D], of all that the network reads at once. Raises ValueError for an empty text."""
        if not text.strip():
            raise ValueError("The text is empty. Write what is to be said.")
        return self.classifier.embed(text)

    def _probabilities(self, texts: Sequence[str], between: Callable[[], None]) -> Tensor:
        """[N,K] on the CPU"""
        found = []
        for start in range(0, len(texts), BATCH):
            between()
            found.append(self.classifier.logits(texts[start : start + BATCH]).softmax(1))
        return torch.cat(found)

    def _fitting(self, sentence: str) -> list[str]:
        """The sentence, in parts where it is longer than the network reads."""
        tokens = self.classifier.count(sentence)
        if tokens <= self.classifier.length:
            return [sentence]
        return cut(
            sentence, -(-tokens * 5 // (self.classifier.length * 4))
        )  # a quarter more of them, as parts differ in length

    def _mixed(self, shares: Tensor) -> Emotion:
        """Probabilities [K] of the labels → their mix; what is neutral has no weight, and what is faint is neutral."""
        felt = zip(self._means, shares.tolist(), strict=True)
        return Emotion.mix((mean if share >= FAINT else Emotion.neutral(), share) for mean, share in felt)


def _meaning(label: str, name: str) -> Emotion:
    if label == "neutral":
        return Emotion.neutral()
    try:
        return Emotion.of(_IDS.get(label, label))
    except ValueError as error:
        raise ValueError(f"The label “{label}” of {name} is not an emotion word known here: choose another.") from error


_IDS = {word.word: word.id for word in vocabulary.text7()}
