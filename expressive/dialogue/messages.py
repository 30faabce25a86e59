"""What a language model is asked, and what is made of its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .avatar_request import ADULTS, AvatarRequest
from .history import Turn

if TYPE_CHECKING:
    from ..emotion import Emotion

Message = dict[str, str]
"""{"role": "system" | "user" | "assistant", "content": …}"""

MOST_EMOTIONS = 3  # that a model is told of

_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True)
class Sampling:
    """tokens: at most so many are answered. temperature: 0 always takes the likeliest word. seed: 0 or more."""

    tokens: int = 160
    temperature: float = 0.7
    seed: int = 0


class Assistant(Protocol):
    """A language model that answers."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def reply(self, messages: Sequence[Message], sampling: Sampling, progress: Callable[[int], None]) -> str:
        """The answer, as `spoken` leaves it. progress: told how many tokens there are, often; what it raises stops.

        Raises ValueError, RuntimeError … with a sentence.
        """
        ...


def instructions(
    system_prompt: str, request: AvatarRequest, refused: int | None = None, emotion: Emotion | None = None
) -> str:
    """The system prompt with what the protocol knows (MAVAGEN §3.1) and what the user feels.

    refused: an age that was asked for and cannot be shown.
    """
    parts = [system_prompt.strip()]
    if refused is not None:
        parts.append(
            f"The user asked for an avatar of {refused} years. Only adults from {ADULTS[0]} to {ADULTS[1]} can be "
            "shown: say so politely, and ask for another age."
        )
    elif request.complete:
        parts.append(f"The avatar who speaks your words looks like {request.described}, as the user asked.")
    else:
        parts.append(
            f"The {request.missing} of the avatar that the user would like to see is not known yet: ask for it in one "
            "short sentence, for example “a 30-year-old woman”."
        )
    if emotion is not None and emotion.weights:
        weights = dict(emotion.weights)
        felt = ", ".join(f"{word.noun} {weights[word.id]:.0%}" for word in emotion.words[:MOST_EMOTIONS])
        parts.append(
            f"What the user feels, as far as the message tells: {felt}. Let it shape your tone; do not name it."
        )
    return "\n\n".join(part for part in parts if part)


def messages_of(instructed: str, history: Sequence[Turn], message: str) -> list[Message]:
    """The system prompt, the turns so far and the new message, user and assistant in alternation, the user first.

    An opening by the assistant is left out, and turns of the same side in a row become one: chat templates ask for it.
    """
    turns = [*history, Turn("user", message)]
    while turns[0].role == "assistant":
        turns.pop(0)
    found: list[Message] = [{"role": "system", "content": instructed}] if instructed.strip() else []
    for turn in turns:
        if found and found[-1]["role"] == turn.role:
            found[-1] = {"role": turn.role, "content": f"{found[-1]['content']}\n{turn.text}"}
        else:
            found.append({"role": turn.role, "content": turn.text})
    return found


def fitting(messages: Sequence[Message], count: Callable[[Sequence[Message]], int], room: int) -> list[Message]:
    """The messages without the oldest exchanges, so that they take at most `room` tokens.

    The system prompt and the newest message stay. count: tokens of messages. ValueError if these alone are too long.
    """
    kept = list(messages)
    first = 1 if kept[0]["role"] == "system" else 0
    while (tokens := count(kept)) > room:
        if len(kept) <= first + 1:
            raise ValueError(
                f"The message and the system prompt take {tokens} tokens, but there is room for {max(0, room)} beside "
                "the answer. Shorten them, or lower max_tokens."
            )
        del kept[first : first + 2]  # a user's turn and its answer
    return kept


def without_system(messages: Sequence[Message]) -> list[Message]:
    """The system prompt at the head of the first message, for models that know no such role."""
    if messages[0]["role"] != "system":
        return list(messages)
    system, first, *rest = messages
    return [{"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}, *rest]


def spoken(answer: str) -> str:
    """An answer without the thoughts that come before it. ValueError if nothing is left."""
    told = _THOUGHT.sub("", answer).rpartition("</think>")[2]  # a template may have opened the thought itself
    told = told.partition("<think>")[0].strip()  # cut off in the midst of it
    if told:
        return told
    if "think>" in answer:
        raise ValueError("The assistant thought until its tokens were used up. Raise max_tokens.")
    raise ValueError("The assistant answered nothing. Change the seed or the message.")
