"""How a contact sheet looks; imports nothing, so that a host can list it as it starts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SheetStyle:
    background: str = "light"  # or "dark"
    picture_width: int = 0  # pixels; 0 leaves the pictures as they are
    gap: float = 5.0  # between pictures, in percent of a picture's width
    caption_size: float = 8.0  # height of the letters, in percent of a picture's width
    axis: bool = True  # draw an axis where the labels are a sweep of α
    target: str = "target"  # the name of α = 1 on that axis
