"""A small classifier of texts: words, pairs of words and pieces of words, each with a weight for each class.

Logistic regression on TF-IDF features (Salton & Buckley, 1988). Beside it the texts' latent semantic analysis
(Deerwester et al., 1990) gives an embedding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...weights import reading_weights, write_weights

KIND = "ngrams"
"""model_type in config.json."""
PIECES = (4, 5)  # letters of a piece of a word; a word's ends are letters, too
LENGTH = 512  # words of a text that are read


def words_of(text: str) -> list[str]:
    """Words, and marks that end a sentence or part it."""
    return re.findall(r"[a-z']+|[!?.,]+", text.lower().replace("’", "'"))


def features_of(text: str) -> set[str]:
    """What of a text counts: words, pairs of neighbours, and pieces of longer words."""
    words = words_of(text)[:LENGTH]
    found = {*words, *(f"{a} {b}" for a, b in zip(words, words[1:], strict=False))}
    for word in words:
        whole = f"<{word}>"
        if len(word) > 3:
            found |= {f"…{whole[start : start + n]}" for n in PIECES for start in range(len(whole) - n + 1)}
    return found


class Ngrams(nn.Module):
    """scale: [V], of each feature. weight: [V,K]. bias: [K]. meaning: [V,D]."""

    def __init__(self, scale: Tensor, weight: Tensor, bias: Tensor, meaning: Tensor) -> None:
        super().__init__()
        self.scale, self.weight, self.bias, self.meaning = (
            nn.Parameter(value, requires_grad=False) for value in (scale, weight, bias, meaning)
        )

    def forward(self, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """The features of N texts → logits [N,K], and embeddings [N,D] of length 1, zero where nothing is known."""
        both = torch.cat((self.weight, self.meaning), dim=1)
        rows = [both.new_zeros(both.shape[1])] * len(texts)
        for number, text in enumerate(texts):
            if text:
                chosen = torch.tensor(text, device=both.device)
                rows[number] = F.normalize(self.scale[chosen], dim=0) @ both[chosen]
        logits, embedded = torch.stack(rows).split((self.weight.shape[1], self.meaning.shape[1]), dim=1)
        return logits + self.bias, F.normalize(embedded, dim=1)


class NgramClassifier:
    """`Classifier` of the pack's own folder: config.json with labels and features, and model.safetensors."""

    length = LENGTH

    def __init__(self, name: str, network: Ngrams, labels: Sequence[str], features: Sequence[str]) -> None:
        self.name, self.network, self.labels = name, network, tuple(labels)
        self.width = network.meaning.shape[1]
        self._numbers = {feature: number for number, feature in enumerate(features)}

    @staticmethod
    def is_one(folder: Path) -> bool:
        """Whether a folder holds one."""
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            return isinstance(config, dict) and config.get("model_type") == KIND
        except (OSError, ValueError):  # said by who reads it as something else
            return False

    @classmethod
    def load(cls, folder: Path) -> NgramClassifier:
        """Raises ValueError for damaged files."""
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with reading_weights(folder / "model.safetensors") as opened:
            weights = [opened.get_tensor(name).float() for name in ("scale", "weight", "bias", "meaning")]
            if len({len(config["features"]), *(len(weights[k]) for k in (0, 1, 3))}) > 1:
                raise KeyError("a weight for each feature")
            return cls(folder.name, Ngrams(*weights), config["labels"], config["features"])

    def save(self, folder: Path, metadata: dict[str, object]) -> Path:
        """Write both files, the weights in half precision."""
        weights = {name: value.half() for name, value in self.network.state_dict().items()}
        file = write_weights(folder / "model.safetensors", weights, metadata)
        config = {"model_type": KIND, "labels": list(self.labels), "features": list(self._numbers)}
        (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False) + "\n", encoding="utf-8")
        return file

    def count(self, text: str) -> int:
        return len(words_of(text))

    @torch.no_grad()
    def logits(self, texts: Sequence[str]) -> Tensor:
        return self.network(self.numbers(texts))[0].cpu()

    @torch.no_grad()
    def embed(self, text: str) -> Tensor:
        """By latent semantic analysis, of length 1; zero for a text of which no word is known."""
        return self.network(self.numbers([text]))[1][0].cpu()

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """The known features of texts, in order."""
        return [sorted(self._numbers[found] for found in features_of(text) & self._numbers.keys()) for text in texts]
