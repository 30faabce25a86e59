"""Small data files of drawn people for tests of trainings."""

import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from expressive.emotion import Emotion
from expressive.pocket.faces import Identity
from expressive.pocket.scene import Scene, picture

FIRST = 1_500_000  # identity seed


def draw(folder: Path, people: int, words: Sequence[tuple[str, str]]) -> Path:
    """PixelSmile's JSON lines, a pair for each person and two confusing words, 64 px; returns the file."""
    rows = []
    for seed in range(FIRST, FIRST + people):
        who = Identity.sample(seed)
        for a, b in words:
            for word in ("neutral", a, b):
                emotion = Emotion.neutral() if word == "neutral" else Emotion.of(f"pixelsmile.{word}", 0.8)
                Image.fromarray(picture(Scene(who, emotion), 64)).save(folder / f"{seed}-{word}.png")
            targets = [
                {"image": f"{seed}-{word}.png", "category": word, "scores": {word: 0.8, other: 0.3}}
                for word, other in ((a, b), (b, a))
            ]
            rows.append({"src": {"image": f"{seed}-neutral.png"}, "dst": targets})
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "train.jsonl"
