"""What can be chosen of the drawn world, by name; imports nothing, so that a host can list it as it starts."""

STYLES = ("portrait", "cartoon", "anime", "clay")
"""How a picture is painted."""

FRAMES = ("face", "upper_body")
"""What a picture shows."""

GESTURES = ("relaxed", "call", "dislike", "fist", "four", "like", "mute", "ok", "one", "palm", "peace", "rock", "stop")
"""Hand shapes; all but the first are classes of HaGRID."""

BACKGROUNDS = (
    "plain grey",
    "light blue",
    "light purple",
    "beige",
    "light green",
    "light grey",
    "plain white",
    "warm wall",
    "window",
    "outdoor",
    "night city",
    "patterned",
)
"""What is behind a person."""
