"""How the small classifier of texts is made: from sentences that were written for it, in a minute."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ...emotion import vocabulary
from ...provenance import commit
from ...toml import read_toml
from .ngrams import NgramClassifier, Ngrams, features_of

STAGES = ("train", "evaluate", "export")
SENTENCES = Path(__file__).with_name("sentences")
LABELS = tuple(word.word for word in vocabulary.text7())
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that `trainers/configs/pocket-text.toml` says."""

    name: str
    seed: int
    fewest: int  # sentences that have to hold a feature
    sharpness: float  # of a text's features, which are of length 1
    ridge: float  # weight of the weights' squares
    smoothing: float  # of the labels
    rounds: int  # of L-BFGS
    width: int  # of the embedding
    text: str = ""  # the file itself, for the metadata of the weights

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """Raises FileNotFoundError, or ValueError, naming the file, for settings that are missing or do not exist."""
        written, found = read_toml(path)
        try:
            return cls(**found, text=written)
        except TypeError as error:
            raise ValueError(f"{path.name}: {error}") from error


def read_sentences(file: Path) -> tuple[list[str], Tensor]:
    """Sentences and the numbers [N] of their labels, from lines of label, tab and sentence. ValueError for another."""
    texts, labels = [], []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        label, tab, text = line.partition("\t")
        if label not in LABELS or not tab or not text.strip():
            raise ValueError(f"{file.name}, line {number}: expected a label, a tab and a sentence, got “{line[:60]}”.")
        texts.append(text)
        labels.append(LABELS.index(label))
    return texts, torch.tensor(labels)


def fit(texts: Sequence[str], labels: Tensor, recipe: Recipe) -> NgramClassifier:
    """Logistic regression and latent semantic analysis of the sentences."""
    torch.manual_seed(recipe.seed)
    held = [features_of(text) for text in texts]
    counts = Counter(feature for features in held for feature in features)
    features = sorted(feature for feature, count in counts.items() if count >= recipe.fewest)
    number = {feature: k for k, feature in enumerate(features)}
    scale = torch.tensor([math.log(len(texts) / counts[feature]) for feature in features])
    x = _tfidf([sorted(number[f] for f in features if f in number) for features in held], scale)  # sparse [N,V]
    weight = torch.zeros(len(features), len(LABELS), requires_grad=True)
    bias = torch.zeros(len(LABELS), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=recipe.rounds, history_size=10)

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = recipe.sharpness * torch.sparse.mm(x, weight) + bias
        found = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        total = found + recipe.ridge * weight.square().sum()
        total.backward()
        return total

    optimiser.step(loss)  # pyright: ignore[reportArgumentType]
    _, _, meaning = torch.svd_lowrank(x, q=recipe.width)
    network = Ngrams(scale, recipe.sharpness * weight.detach(), bias.detach(), meaning)
    return NgramClassifier(recipe.name, network.half().float(), LABELS, features)  # as the file holds it


def _tfidf(rows: Sequence[Sequence[int]], scale: Tensor) -> Tensor:
    """Sparse [N,V], rows of length 1."""
    at = torch.tensor([(n, k) for n, row in enumerate(rows) for k in row]).T
    values = torch.cat([F.normalize(scale[torch.tensor(row)], dim=0) for row in rows if row])
    with torch.sparse.check_sparse_tensor_invariants(True):
        return torch.sparse_coo_tensor(at, values, (len(rows), len(scale)), is_coalesced=True)


def figures(classifier: NgramClassifier, texts: Sequence[str], labels: Tensor) -> dict[str, float]:
    """accuracy, that of each class, and the expected calibration error (Guo et al., 2017; ten bins)."""
    shares = classifier.logits(texts).softmax(1)
    sure, read = shares.max(1)
    right = read == labels
    found = {"accuracy": float(right.float().mean())}
    for number, label in enumerate(LABELS):
        found[label] = float(right[labels == number].float().mean())
    bins = (sure * 10).long().clamp(max=9)
    gaps = [
        float((bins == k).float().mean() * (right[bins == k].float().mean() - sure[bins == k].mean()).abs())
        for k in range(10)
        if bool((bins == k).any())
    ]
    return {**found, "calibration error": sum(gaps)}


def by_fifths(recipe: Recipe) -> dict[str, float]:
    """`figures` of a classifier that has learned from four fifths of the sentences, on the last one."""
    texts, labels = read_sentences(SENTENCES / "train.tsv")
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(recipe.seed))
    learned, left = order.split([len(texts) * 4 // 5, len(texts) - len(texts) * 4 // 5])
    own, other = ([texts[k] for k in part.tolist()] for part in (learned, left))
    return figures(fit(own, labels[learned], recipe), other, labels[left])


def make(
    stage: str,
    recipe: Recipe,
    work: Path,
    models: Path,
    *,
    minutes: float | None = None,
    steps: int = 0,
    start: Path | None = None,
) -> None:
    """Run one stage: train the classifier, judge it on sentences that were held out, put it into `models`.

    Training takes a minute and has no budget. Raises ValueError for one, and FileNotFoundError where it is not trained.
    """
    if minutes is not None or steps or start is not None:
        raise ValueError("The classifier of texts takes a minute, always from nothing: leave the budget out.")
    trained = work / "trained"
    if stage == "train":
        classifier = fit(*read_sentences(SENTENCES / "train.tsv"), recipe)
        classifier.save(trained, _described(recipe))
        log.info("%d features", len(classifier.network.scale))
    elif not (trained / "config.json").is_file():
        raise FileNotFoundError(f"{trained} has no classifier. Run the stage train first.")
    elif stage == "evaluate":
        found = figures(NgramClassifier.load(trained), *read_sentences(SENTENCES / "held_out.tsv"))
        log.info("sentences that were held out: %s", found)
        log.info("a fifth of its own, learned from the others: %s", by_fifths(recipe))
    else:
        file = NgramClassifier.load(trained).save(models / "text_emotion" / "pocket", _described(recipe))
        log.info("wrote %s, %.1f MB", file.parent, sum(one.stat().st_size for one in file.parent.iterdir()) / 1e6)


def _described(recipe: Recipe) -> dict[str, object]:
    return {
        "modelspec.title": "Expressive Avatars pocket text emotion",
        "modelspec.license": "Apache-2.0",
        "expressive.recipe": recipe.text,
        "expressive.commit": commit(),
    }
