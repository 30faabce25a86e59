"""`Emotion`: how much of which emotion words. The one value that prompts, sliders, faces and voices take."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import SupportsFloat

from . import vocabulary
from .vocabulary import Word

_LIMIT = 1.5  # an additive mix may exceed full intensity by half
_DECIMALS = 6  # weights that agree to here are the same emotion


@dataclass(frozen=True)
class Emotion:
    """An immutable, hashable set of emotion words with an intensity each; without any it is neutral.

    Attributes:
        weights: pairs of stable id and intensity > 0, in the order of the vocabularies. The constructor takes pairs in
            any order, adds up repeated ids, drops zeros and `text7.neutral`, and keeps six decimals, so that equal
            mixes are equal values.

    Raises:
        ValueError: an unknown id, or an intensity that is negative or not finite.
    """

    weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        total: dict[Word, float] = {}
        for word_id, weight in self.weights:
            word = vocabulary.entry(word_id)
            total[word] = total.get(word, 0.0) + _checked(weight, f"The intensity of {word_id}")
        kept = ((word, round(weight, _DECIMALS)) for word, weight in total.items() if word.id != "text7.neutral")
        ordered = sorted(((w, x) for w, x in kept if x > 0), key=lambda item: _place(item[0]))
        object.__setattr__(self, "weights", tuple((word.id, weight) for word, weight in ordered))

    @classmethod
    def neutral(cls) -> "Emotion":
        """A face at rest: no weights."""
        return cls()

    @classmethod
    def of(cls, word: str, intensity: float = 1.0) -> "Emotion":
        """One word (or id, or alias; "neutral" too) at an intensity of 0 … 1, more to exaggerate.

        Raises:
            ValueError: unknown word (the message names close ones), or intensity negative or not finite.
        """
        return cls(((vocabulary.resolve(word).id, intensity),))

    @classmethod
    def from_words(cls, words: Iterable[str], intensity: float = 1.0) -> "Emotion":
        """Several words in equal shares that add up to `intensity`."""
        return cls.mix([(cls.of(word, intensity), 1.0) for word in words])

    @classmethod
    def from_pixelsmile(cls, vector: Sequence[float]) -> "Emotion":
        """Twelve intensities ≥ 0 in PixelSmile's order (`vocabulary.pixelsmile()`)."""
        return cls(_paired(vector, vocabulary.pixelsmile()))

    @classmethod
    def from_text7(cls, vector: Sequence[float]) -> "Emotion":
        """Seven probabilities in the order of the classifier's ids (`vocabulary.text7()`); neutral's has no weight."""
        return cls(_paired(vector, vocabulary.text7()))

    @classmethod
    def mix(cls, parts: Iterable[tuple["Emotion", float]]) -> "Emotion":
        """Convex mix: shares ≥ 0, divided by their sum, so that nothing becomes stronger than its strongest part.

        Raises:
            ValueError: no part, a negative or non-finite share, or all shares zero.
        """
        shares = [(emotion, _checked(share, "A share of a mix")) for emotion, share in parts]
        total = sum(share for _, share in shares)
        if total <= 0:
            raise ValueError("A mix of emotions needs at least one part with a share above zero.")
        return cls(tuple((i, weight * share / total) for emotion, share in shares for i, weight in emotion.weights))

    def __add__(self, other: "Emotion") -> "Emotion":
        """Both at once, each at its own intensity."""
        if not isinstance(other, Emotion):
            return NotImplemented
        return Emotion(self.weights + other.weights)

    def scaled(self, factor: float) -> "Emotion":
        """The same emotion with every intensity times `factor` ≥ 0."""
        factor = _checked(factor, "The factor of an emotion")
        return Emotion(tuple((i, weight * factor) for i, weight in self.weights))

    @property
    def intensity(self) -> float:
        """Sum of the weights; 0 is neutral, 1 full."""
        return round(sum(weight for _, weight in self.weights), _DECIMALS)

    @property
    def words(self) -> tuple[Word, ...]:
        """Its words, the strongest first."""
        return tuple(vocabulary.entry(i) for i, _ in sorted(self.weights, key=lambda pair: -pair[1]))

    @property
    def label(self) -> str:
        """Its words for people, the strongest first: "delight", "sadness and anger", "neutral"."""
        return _listed(word.word for word in self.words)

    def action_units(self) -> dict[str, float]:
        """FACS code → intensity, the sum over its words, at most 1.5 each (1 is FACS E)."""
        return self._sum("action_units")

    def signs(self) -> dict[str, float]:
        """`blush`, `tears`, `sweat` → intensity, the sum over its words, at most 1.5 each."""
        return self._sum("signs")

    def valence_arousal(self) -> tuple[float, float]:
        """(valence, arousal), each the sum over its words, within −1 … 1; neutral is (0, 0)."""
        weighted = [(vocabulary.entry(i), weight) for i, weight in self.weights]
        valence = sum(weight * word.valence for word, weight in weighted)
        arousal = sum(weight * word.arousal for word, weight in weighted)
        return max(-1.0, min(1.0, valence)), max(-1.0, min(1.0, arousal))

    def pixelsmile(self) -> dict[str, float]:
        """All 12 expression words in PixelSmile's order → intensity ≥ 0."""
        return self._mapped("pixelsmile", vocabulary.pixelsmile())

    def text7(self) -> dict[str, float]:
        """All 7 classes in the classifier's order → weight ≥ 0; neutral also takes what intensity leaves below 1."""
        classes = self._mapped("text7", vocabulary.text7())
        classes["neutral"] += max(0.0, 1.0 - self.intensity)
        return classes

    def nearest_pixelsmile(self) -> str:
        """The PixelSmile word with the largest weight whatever the intensity; "neutral" for neutral."""
        weights = self.pixelsmile()
        return max(weights, key=lambda word: weights[word]) if self.weights else "neutral"

    def nearest_text7(self) -> str:
        """The class with the largest weight whatever the intensity; "neutral" for neutral."""
        weights = self._mapped("text7", vocabulary.text7())
        return max(weights, key=lambda word: weights[word]) if self.weights else "neutral"

    def nearest_emo135(self) -> Word:
        """The one of the 135 words that comes closest: a single word with the same noun, else the most similar face.

        Similar: the largest cosine between action units and signs. Raises ValueError for a neutral emotion.
        """
        if not self.weights:
            raise ValueError("A neutral face is none of the 135 emotions. Choose a word, or an intensity above 0.")
        words = vocabulary.emo135()
        if len(self.weights) == 1:
            noun = self.words[0].noun
            for word in words:
                if word is self.words[0] or word.noun == noun:
                    return word
        return max(words, key=lambda word: _cosine(self, Emotion(((word.id, 1.0),))))

    def to_json(self) -> str:
        """One line of JSON that `from_json` reads back to an equal value."""
        return json.dumps({"version": 1, "weights": dict(self.weights)})

    @classmethod
    def from_json(cls, text: str) -> "Emotion":
        """An emotion that `to_json` wrote.

        Raises:
            ValueError: not JSON, another version, no weights, or a bad weight.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"Expected an emotion as JSON, got text that is not JSON ({error}).") from error
        if not isinstance(content, dict) or content.get("version") != 1 or not isinstance(content.get("weights"), dict):
            raise ValueError('Expected an emotion as JSON, such as {"version": 1, "weights": {"emo135.joy": 1.0}}.')
        return cls(tuple(content["weights"].items()))

    def _sum(self, what: str) -> dict[str, float]:
        total: dict[str, float] = {}
        for word_id, weight in self.weights:
            for key, value in getattr(vocabulary.entry(word_id), what).items():
                total[key] = total.get(key, 0.0) + weight * value
        return {key: min(value, _LIMIT) for key, value in total.items()}

    def _mapped(self, name: str, words: Sequence[Word]) -> dict[str, float]:
        total = {word.word: 0.0 for word in words}
        for word_id, weight in self.weights:
            for word, share in getattr(vocabulary.entry(word_id), name).items():
                total[word] += weight * share
        return total


def _checked(value: SupportsFloat, name: str) -> float:
    number = float(value) if isinstance(value, SupportsFloat) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name} must be a number of 0 or more, got {value!r}.")
    return number


def _paired(vector: Sequence[float], words: Sequence[Word]) -> tuple[tuple[str, float], ...]:
    values = [float(value) for value in vector]
    if len(values) != len(words):
        names = ", ".join(word.word for word in words)
        raise ValueError(f"Expected {len(words)} numbers ({names}), got {len(values)}.")
    return tuple((word.id, value) for word, value in zip(words, values, strict=True))


def _place(word: Word) -> tuple[int, int]:
    return vocabulary.VOCABULARIES.index(word.vocabulary), word.index


def _cosine(one: Emotion, other: Emotion) -> float:
    faces = [{**emotion.action_units(), **emotion.signs()} for emotion in (one, other)]
    product = sum(value * faces[1].get(key, 0.0) for key, value in faces[0].items())
    length = math.prod(math.hypot(*face.values()) for face in faces)
    return product / length if length else 0.0


def _listed(words: Iterable[str]) -> str:
    unique = list(dict.fromkeys(words)) or ["neutral"]
    return " and ".join([", ".join(unique[:-1]), unique[-1]] if len(unique) > 1 else unique)
