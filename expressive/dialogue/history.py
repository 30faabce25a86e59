"""What was said so far: the turns of a user and an assistant, oldest first. Immutable; JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("user", "assistant")


@dataclass(frozen=True)
class Turn:
    """role: one of `ROLES`. text: without outer blanks, never empty. Raises ValueError for anything else."""

    role: str
    text: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(
                f"A turn of a chat is by one of {', '.join(ROLES)}, but here it is by {self.role!r}. A system prompt "
                "has an input of its own."
            )
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValueError(f"A turn of a chat is a text that is not empty, but here it is {self.text!r}.")
        object.__setattr__(self, "text", self.text.strip())


History = tuple[Turn, ...]


def to_json(history: Sequence[Turn]) -> str:
    """One line of JSON that `from_json` reads back to equal turns."""
    turns = [{"role": turn.role, "text": turn.text} for turn in history]
    return json.dumps({"version": 1, "turns": turns}, ensure_ascii=False)


def from_json(text: str) -> History:
    """The turns that `to_json` wrote, or a list of messages as chat models take them ("content" instead of "text").

    An empty text is an empty history. Raises ValueError with a sentence for anything else.
    """
    if not text.strip():
        return ()
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"Expected a chat history as JSON, got text that is not JSON ({error}).") from error
    if isinstance(content, dict):
        if content.get("version") != 1:
            raise ValueError(f"This chat history has version {content.get('version')!r}, but only version 1 is known.")
        content = content.get("turns")
    if not isinstance(content, list) or not all(isinstance(turn, dict) for turn in content):
        raise ValueError('Expected a chat history as JSON, such as [{"role": "user", "text": "Hello!"}].')
    return tuple(Turn(turn.get("role", ""), turn.get("text", turn.get("content", ""))) for turn in content)
