"""Facial tags, as anime models are captioned, read off the action units."""

from collections.abc import Mapping

from .emotion import Emotion

# In each group the first tag whose minimum intensities are all reached is written. Codes with L or R also count for the
# code without.
_GROUPS: tuple[tuple[tuple[str, Mapping[str, float]], ...], ...] = (
    (("raised eyebrows", {"AU1": 0.4, "AU2": 0.4}), ("raised inner eyebrows", {"AU1": 0.45})),
    (("v-shaped eyebrows", {"AU4": 0.85}), ("furrowed brow", {"AU4": 0.4})),
    (("closed eyes", {"AU43": 0.8}), ("half-closed eyes", {"AU43": 0.3}), ("wide-eyed", {"AU5": 0.5})),
    (("narrowed eyes", {"AU7": 0.5}),),
    (("wrinkled nose", {"AU9": 0.4}),),
    (("smirk", {"half a smile": 0.3}), ("grin", {"AU12": 0.7, "AU25": 0.5}), ("smile", {"AU12": 0.3})),
    (("pout", {"AU17": 0.55, "AU18": 0.1}), ("frown", {"AU15": 0.35}), ("grimace", {"AU20": 0.5})),
    (
        ("clenched teeth", {"AU10": 0.5, "AU16": 0.3}),
        ("open mouth", {"AU26": 0.3}),
        ("open mouth", {"AU27": 0.3}),
        ("biting own lip", {"AU32": 0.3}),
        ("parted lips", {"AU25": 0.2}),
        ("pressed lips", {"AU24": 0.3}),
    ),
    (("blush", {"blush": 0.3}),),
    (("crying", {"tears": 0.6}), ("teary eyes", {"tears": 0.2})),
    (("sweat", {"sweat": 0.3}),),
    (("head tilt", {"AU55": 0.25}), ("head tilt", {"AU56": 0.25})),
    (
        ("", {"AU43": 0.8}),  # closed eyes look nowhere
        ("looking down", {"AU64": 0.3}),
        ("looking down", {"AU54": 0.5}),
        ("looking up", {"AU63": 0.3}),
        ("looking to the side", {"AU61": 0.3}),
        ("looking to the side", {"AU62": 0.3}),
        ("looking at viewer", {}),
    ),
)


def facial_tags(emotion: Emotion) -> list[str]:
    """What an anime tagger would write of the face, brows first; a neutral face gets "expressionless" first."""
    seen: dict[str, float] = dict(emotion.signs())
    for code, value in emotion.action_units().items():
        plain = code.rstrip("LR")
        seen[plain] = max(seen.get(plain, 0.0), value)
        if code in ("AU12L", "AU12R"):
            seen["half a smile"] = max(seen.get("half a smile", 0.0), value)
    tags = [] if emotion.weights else ["expressionless", "closed mouth"]
    for group in _GROUPS:
        tags += [tag for tag, needed in group if all(seen.get(key, 0.0) >= least for key, least in needed.items())][:1]
    return [tag for tag in tags if tag]
