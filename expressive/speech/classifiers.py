"""Who reads texts: what a classifier has to do, and those of transformers from a local folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..encoders import loading, model_folder

KINDS = ("roberta", "xlm-roberta", "camembert", "bert", "distilbert", "electra", "modernbert")
"""model_type of the families whose first token stands for the whole text."""


class Classifier(Protocol):
    """A frozen network that tells classes of texts.

    labels: in the order of its outputs. length: tokens that it reads at once. width: of `embed`.
    """

    name: str
    labels: tuple[str, ...]
    length: int
    width: int

    @property
    def network(self) -> nn.Module:
        """What is to be on the device."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def logits(self, texts: Sequence[str]) -> Tensor:
        """[N,K] on the CPU."""
        ...

    def embed(self, text: str) -> Tensor:
        """[D] on the CPU, of all that fits."""
        ...


class TransformerClassifier:
    """RoBERTa and its relatives."""

    def __init__(
        self, name: str, network: nn.Module, tokenizer: Callable[..., Any], labels: Sequence[str], length: int
    ) -> None:
        """network: transformers' …ForSequenceClassification."""
        self.name, self.network, self.labels, self.length = name, network, tuple(labels), length
        self._model: Any = network
        self._tokenizer = tokenizer
        self.width = int(self._model.config.hidden_size)

    @classmethod
    def load(cls, folder: Path) -> TransformerClassifier:
        """From a model's folder. Raises FileNotFoundError, ImportError or ValueError with one sentence."""
        config = model_folder.read_config(folder, KINDS, "text emotion classifier")
        if config.get("problem_type") == "multi_label_classification":
            raise ValueError(
                f"The classifier in {folder} tells several labels at once, each on its own. Choose one whose "
                "probabilities add up to 1."
            )
        transformers = loading.package("transformers", "read the emotion of a text")
        network: Any = model_folder.load_network(
            transformers.AutoModelForSequenceClassification, folder, "the text emotion classifier", pickled=True
        )
        tokenizer = model_folder.load_tokenizer(transformers.AutoTokenizer, folder, int(network.config.vocab_size))
        named = network.config.id2label
        positions = int(getattr(network.config, "max_position_embeddings", 512))
        reserved = 2 if config["model_type"] in ("roberta", "xlm-roberta", "camembert") else 0  # before the first token
        return cls(folder.name, network, tokenizer, [named[index] for index in sorted(named)], positions - reserved)

    def count(self, text: str) -> int:
        return len(self._tokenizer(text)["input_ids"])

    @torch.no_grad()
    def logits(self, texts: Sequence[str]) -> Tensor:
        return self._model(**self._encoded(texts)).logits.float().cpu()

    @torch.no_grad()
    def embed(self, text: str) -> Tensor:
        """The last hidden state of the first token."""
        states = self._model.base_model(**self._encoded([text])).last_hidden_state  # [1,L,D]
        return states[0, 0].float().cpu()

    def _encoded(self, texts: Sequence[str]) -> dict[str, Tensor]:
        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.length, return_tensors="pt"
        )
        device = next(self.network.parameters()).device
        return {name: tokens[name].to(device) for name in ("input_ids", "attention_mask")}
