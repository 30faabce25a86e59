"""An emotion told in the words of another vocabulary."""

from .emotion import Emotion

SPREADS = ("7 classes", "PixelSmile's 12", "135 words")
"""In which words an emotion is told."""


def spread(emotion: Emotion, words: str) -> Emotion:
    """The same emotion told in other words; words: one of `SPREADS`. Raises ValueError for another.

    7 classes: as read. PixelSmile's 12: by what each word shares with them. 135 words: by the noun that is nearest to
    each of its words.
    """
    if words == SPREADS[0]:
        return emotion
    if words == SPREADS[1]:
        return Emotion.from_pixelsmile(list(emotion.pixelsmile().values()))
    if words == SPREADS[2]:
        return Emotion(tuple((Emotion(((i, 1.0),)).nearest_emo135().id, weight) for i, weight in emotion.weights))
    raise ValueError(f"“{words}” is none of {', '.join(SPREADS)}.")
