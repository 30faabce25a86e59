"""Prompts that ask for an emotion, in the four ways in which image models are asked.

- `geneava`: the sentence of the GenEAva paper (arXiv 2504.07945), as in its example "A photorealistic face of a
  middle-aged Indian woman with shoulders visible, displaying a facial expression of delight, plain white background."
- `pixelsmile`: the editing sentences on which PixelSmile (arXiv 2603.25728) was trained, letter for letter
- `facial attributes`: what mouth, brows, eyes, cheeks and nose, head and gaze do
- `tags`: comma-separated tags, as anime models are captioned
"""

import math
from dataclasses import dataclass

from . import vocabulary
from .emotion import Emotion
from .person import Person, with_article
from .tags import facial_tags
from .vocabulary import REGIONS, Word

STYLES = ("geneava", "pixelsmile", "facial attributes", "tags")
SUBJECTS = ("person", "character")
"""Whom PixelSmile edits: `person` in photographs, `character` in anime pictures."""

NEGATIVE = {
    "geneava": "illustration, painting, cartoon, 3d render, deformed face, blurry, cropped head, several people, "
    "hands over the face, text, watermark",
    "pixelsmile": "",  # made for CFG 1, where a negative prompt has no effect
    "facial attributes": "deformed face, blurry, cropped head, several people, hands over the face, text, watermark",
    "tags": "worst quality, low quality, bad anatomy, multiple views, extra faces, covered face, text, watermark, nsfw",
}

# Upper end of a grade, its adjective before "facial expression", its adverb before a region's description. The five
# grades follow the five of FACS, A trace … E maximum; the third is the emotion as its word is commonly understood.
_GRADES = (
    (0.3, "faint", "barely"),
    (0.65, "mild", "slightly"),
    (1.1, "", ""),
    (1.3, "strong", "markedly"),
    (float("inf"), "extreme", "extremely"),
)

_AT_REST = ("level", "low", "open", "relaxed", "smooth", "steady", "still", "upright")
"""Openings of a region's description that no adverb grades."""

_REGION_NAMES = {"cheeks_nose": "cheeks and nose", "head_gaze": "head"}

_REGION_OF = {
    **dict.fromkeys(("AU1", "AU2", "AU4"), "brows"),
    **dict.fromkeys(("AU5", "AU7", "AU43", "tears"), "eyes"),
    **dict.fromkeys(("AU6", "AU9", "blush", "sweat"), "cheeks_nose"),
    **{f"AU{code}": "head_gaze" for code in (51, 52, 53, 54, 55, 56, 61, 62, 63, 64)},
}  # all others move the mouth

_NEUTRAL_FACE = {
    "mouth": "relaxed and closed",
    "brows": "level and relaxed",
    "eyes": "open and calm",
    "cheeks_nose": "smooth and relaxed",
    "head_gaze": "upright, gaze straight at the viewer",
}


@dataclass(frozen=True)
class Prompts:
    """The texts for one picture.

    Attributes:
        prompt: asks for the emotion.
        neutral: the same with a neutral face; the other end of an expression slider.
        negative: what to avoid, for samplers with CFG above 1.
        label: the emotion's words, for captions and file names.
    """

    prompt: str
    neutral: str
    negative: str
    label: str


def write_prompts(emotion: Emotion, style: str, person: Person | None = None, subject: str = "person") -> Prompts:
    """The texts for an emotion in one of `STYLES`.

    Args:
        emotion: its intensities become words such as "mild" or "markedly"; not in `pixelsmile`, where the strength is
            the α of the interpolation between neutral and target.
        style: one of `STYLES`. `pixelsmile` knows twelve words and takes the nearest of them.
        person: whom to show; not used by `pixelsmile`, which edits a given picture.
        subject: one of `SUBJECTS`; used by `pixelsmile` alone.

    Raises:
        ValueError: unknown style or subject.
    """
    if style not in STYLES:
        raise ValueError(f"Expected a prompt style of {', '.join(STYLES)}; got “{style}”.")
    if subject not in SUBJECTS:
        raise ValueError(f"Expected person or character as the subject, got “{subject}”.")
    person = person or Person()

    def sentence(shown: Emotion) -> str:
        if style == "geneava":
            return _geneava(shown, person)
        if style == "pixelsmile":
            return pixelsmile_prompt(shown.nearest_pixelsmile(), subject)
        if style == "facial attributes":
            return _facial_attributes(shown, person)
        return _tags(shown, person)

    return Prompts(sentence(emotion), sentence(Emotion.neutral()), NEGATIVE[style], emotion.label)


def pixelsmile_prompt(word: str, subject: str = "person") -> str:
    """The sentence on which PixelSmile was trained for one of its twelve words, or "neutral"."""
    return f"Edit the {subject} to show a {word} expression"


def _geneava(emotion: Emotion, person: Person) -> str:
    details = f", {person.details}" if person.details else ""
    return (
        f"A photorealistic face of {with_article(person.noun)} with shoulders visible{details}, "
        f"displaying {_expression(emotion, 'facial expression')}, plain white background."
    )


def _facial_attributes(emotion: Emotion, person: Person) -> str:
    details = f", {person.details}," if person.details else ""
    regions = "; ".join(f"{_REGION_NAMES.get(region, region)} {_look(emotion, region)}" for region in REGIONS)
    return f"A portrait of {with_article(person.noun)}{details} with {_expression(emotion, 'expression')}: {regions}."


def _tags(emotion: Emotion, person: Person) -> str:
    count = {"woman": "1girl", "man": "1boy"}.get(person.gender)
    named = person.noun if person != Person(gender=person.gender, details=person.details) else ""
    feelings = [_weighted(vocabulary.entry(word_id).adjective, weight) for word_id, weight in emotion.weights]
    tags = [count, "solo", "portrait", named, *dict.fromkeys(feelings), *facial_tags(emotion), person.details]
    return ", ".join(tag for tag in tags if tag)


def _expression(emotion: Emotion, what: str) -> str:
    if not emotion.weights:
        return f"a neutral {what}"
    adjective = _grade(math.hypot(*(weight for _, weight in emotion.weights)))[1]
    nouns = list(dict.fromkeys(word.noun for word in emotion.words))
    joined = " and ".join([", ".join(nouns[:-1]), nouns[-1]] if len(nouns) > 1 else nouns)
    return f"{with_article(f'{adjective} {what}'.strip())} of {joined}"


def _grade(intensity: float) -> tuple[float, str, str]:
    return next(grade for grade in _GRADES if intensity <= grade[0])


def _look(emotion: Emotion, region: str) -> str:
    """What a region does: of several emotions the one that moves the region most is described."""
    if not emotion.weights:
        return _NEUTRAL_FACE[region]
    moved = {word_id: weight * _movement(vocabulary.entry(word_id), region) for word_id, weight in emotion.weights}
    word_id = max(moved, key=lambda i: (moved[i], dict(emotion.weights)[i]))
    look = _described(vocabulary.entry(word_id)).description[region]
    adverb = _grade(dict(emotion.weights)[word_id])[2]
    opening = look.split()[0].rstrip(",")
    return look if not adverb or opening in _AT_REST else f"{adverb} {look}"


def _movement(word: Word, region: str) -> float:
    seen = [*word.action_units.items(), *word.signs.items()]
    return sum(value for code, value in seen if _REGION_OF.get(code.rstrip("LR"), "mouth") == region)


def _described(word: Word) -> Word:
    """The word itself, or for a class of the text classifier the expression it is nearest to."""
    if word.description:
        return word
    return vocabulary.entry(f"pixelsmile.{Emotion(((word.id, 1.0),)).nearest_pixelsmile()}")


def _weighted(tag: str, intensity: float) -> str:
    """ComfyUI's emphasis: full intensity is plain, half of it (tag:0.75), half more (tag:1.25)."""
    emphasis = round(min(1.5, 0.5 + 0.5 * intensity), 2)
    return tag if emphasis == 1 else f"({tag}:{emphasis:g})"
