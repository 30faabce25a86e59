"""Turns of a chat, and their JSON."""

import dataclasses
import json

import pytest

from expressive.dialogue.history import Turn, from_json, to_json

TURNS = (Turn("user", "Grüße! “Hello”\nyou"), Turn("assistant", "Hi."))


def test_a_history_comes_back() -> None:
    assert from_json(to_json(TURNS)) == TURNS and "\n" not in to_json(TURNS)
    assert from_json(to_json(())) == from_json("") == from_json(" \n") == ()
    assert isinstance(from_json(to_json(TURNS)), tuple) and hash(TURNS) == hash(from_json(to_json(TURNS)))


def test_messages_of_chat_programs_are_read() -> None:
    told = json.dumps([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": " Hi. "}])
    assert from_json(told) == (Turn("user", "Hello"), Turn("assistant", "Hi."))


def test_a_turn_never_changes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TURNS[0].text = "other"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "not JSON"),
        ('"hello"', "Expected a chat history"),
        ("[1]", "Expected a chat history"),
        ('{"version": 2, "turns": []}', "version 2"),
        ('{"version": 1}', "Expected a chat history"),
        ('[{"role": "system", "text": "Be kind."}]', "system prompt has an input of its own"),
        ('[{"role": "user", "text": " "}]', "not empty"),
        ('[{"role": "user", "text": 3}]', "not empty"),
        ('[{"text": "Hello"}]', "user, assistant"),
    ],
)
def test_what_is_no_history_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_json(text)
