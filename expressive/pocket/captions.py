"""Captions of drawn scenes: what a text-to-image model reads beside a picture.

One in three is the sentence of the GenEAva paper as `ExpressionPrompt` writes it; the others name the same attributes
in other words and order. A caption names an expression, never its intensity.
"""

from __future__ import annotations

import random

from ..emotion import Emotion
from ..emotion.person import Person, with_article
from .body.clothes import clothes
from .choices import BACKGROUNDS
from .scene import Scene

STYLE_NAMES: dict[str, tuple[str, ...]] = {
    "portrait": ("photorealistic", "portrait", "photo"),
    "cartoon": ("flat cartoon", "cartoon", "cartoon avatar"),
    "anime": ("anime", "anime style", "anime drawing"),
    "clay": ("3d animated", "3d cartoon", "animated avatar"),
}
"""Style → the words that ask for it; the first is the one to teach."""

_HAIR_STYLES = {
    "bob": "in a bob",
    "long": "long and straight",
    "wavy": "long and wavy",
    "ponytail": "in a ponytail",
    "bun": "in a bun",
    "buzz": "in a buzz cut",
    "parted": "short and parted",
    "spiky": "short and spiky",
    "quiff": "in a quiff",
    "curls": "in short curls",
}

_GESTURES = {
    "call": "a call sign",
    "dislike": "thumb down",
    "fist": "a fist",
    "four": "four fingers",
    "like": "thumb up",
    "mute": "a finger on the lips",
    "ok": "an ok sign",
    "one": "one finger up",
    "palm": "an open palm",
    "peace": "a peace sign",
    "rock": "a rock sign",
    "stop": "a stop sign",
}


def details(scene: Scene, rng: random.Random | None = None, share: float = 1.0) -> list[str]:
    """What can be seen of a person beside age, gender and race: hair, eyes, glasses, beard, freckles, clothes.

    share: how many of them are named, drawn by `rng`; hair and glasses are named more often than the rest.
    """
    who = scene.identity
    found: list[tuple[float, str]] = []
    if who.hair_style == "bald":
        found.append((1.2, "bald"))
    else:
        found.append((1.2, f"{who.hair_name} hair"))
        found.append((0.8, f"hair {_HAIR_STYLES[who.hair_style]}"))
    found.append((1.2, f"{who.glasses} glasses" if who.glasses != "none" else "no glasses"))
    if who.beard != "none":
        found.append((1.0, {"full": "a full beard", "stubble": "stubble"}.get(who.beard, f"a {who.beard}")))
    if who.freckles:
        found.append((0.8, "freckles"))
    if who.lipstick:
        found.append((0.6, "red lipstick"))
    found.append((0.5, f"{who.eye_name} eyes"))
    found.append((0.8, f"wearing a {who.clothes_name} {_garment(scene)}"))
    if rng is None:
        return [words for _, words in found]
    kept = [words for weight, words in found if rng.random() < share * weight]
    rng.shuffle(kept)
    return kept


def caption(scene: Scene, rng: random.Random) -> str:
    """One caption of a scene, drawn by `rng`."""
    who = scene.identity
    person = Person(
        age=who.age_group if rng.random() < 0.85 else "unspecified",
        gender=who.gender,
        race=who.race if rng.random() < 0.85 else "unspecified",
    )
    words = STYLE_NAMES[scene.style]
    style = words[0] if rng.random() < 0.6 else rng.choice(words)
    parts = details(scene, rng, rng.choice((0.0, 0.5, 0.8, 0.9)))
    feeling, noun = _feeling(scene.emotion, rng)
    gesture = _gesture(scene)
    if gesture and rng.random() < 0.85:
        parts.append(gesture)
    form = rng.random()
    if form < 0.35:
        face, listed = with_article(f"{style} face").capitalize(), "".join(f", {part}" for part in parts)
        return (
            f"{face} of {with_article(person.noun)} with shoulders visible{listed}, "
            f"displaying {f'a facial expression of {noun}' if noun else 'a neutral facial expression'}, "
            f"{_background(scene)}."
        )
    if form < 0.7:
        listed = ", ".join(parts)
        return f"{style} of {with_article(person.noun)}, {feeling} expression{', ' if listed else ''}{listed}"
    tags = [style, person.noun, feeling, *parts]
    if rng.random() < 0.3:
        tags.append(_background(scene))
    return ", ".join(tags)


def full_caption(scene: Scene) -> str:
    """The GenEAva sentence with everything about the person that a caption can name: what models are judged by."""
    who = scene.identity
    style = STYLE_NAMES[scene.style][0]
    noun = Person(age=who.age_group, gender=who.gender, race=who.race).noun
    listed = "".join(f", {part}" for part in (*details(scene), _gesture(scene)) if part)
    word = _feeling(scene.emotion, random.Random(0))[1]
    return (
        f"{with_article(f'{style} face').capitalize()} of {with_article(noun)} with shoulders visible{listed}, "
        f"displaying {f'a facial expression of {word}' if word else 'a neutral facial expression'}, "
        f"{_background(scene)}."
    )


def _feeling(emotion: Emotion, rng: random.Random) -> tuple[str, str]:
    """(word or adjective, noun); ("neutral", "") for a face at rest."""
    if not emotion.weights:
        return "neutral", ""
    strongest = emotion.words[0]
    return (strongest.word if rng.random() < 0.6 else strongest.adjective), strongest.noun


def _garment(scene: Scene) -> str:
    top = "shirt" if scene.identity.neckline == "collar" else "sweater"
    if scene.frame == "face":
        return top  # stripes, zips and sleeves lie below the picture
    cut = clothes(scene.identity).cut
    return {"striped": f"striped {top}", "hoodie": "hoodie", "zip": "jacket", "cardigan": "cardigan"}.get(cut, top)


def _gesture(scene: Scene) -> str:
    for arm in (scene.body.right, scene.body.left):
        if scene.frame == "upper_body" and arm.lift > 0.25 and arm.gesture in _GESTURES:
            return f"showing {_GESTURES[arm.gesture]}"
    return ""


def _background(scene: Scene) -> str:
    return f"{BACKGROUNDS[scene.background % len(BACKGROUNDS)]} background"
