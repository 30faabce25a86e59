"""What a language model is asked, and what is made of its answer."""

import pytest

from expressive.dialogue.avatar_request import AvatarRequest
from expressive.dialogue.history import Turn
from expressive.dialogue.messages import fitting, instructions, messages_of, spoken, without_system
from expressive.emotion import Emotion

KNOWN = AvatarRequest("woman", 30)


def test_the_protocol_and_the_emotion_are_told() -> None:
    felt = Emotion((("pixelsmile.sad", 0.7), ("pixelsmile.anxious", 0.2)))
    told = instructions(" Be kind. ", AvatarRequest("woman"), emotion=felt)
    assert told.startswith("Be kind.\n\nThe age of the avatar") and "sadness 70%, anxiety 20%" in told
    assert "looks like a woman of 30" in instructions("", KNOWN) and not instructions("", KNOWN).startswith("\n")
    assert "gender and age" in instructions("Be kind.", AvatarRequest())
    refused = instructions("Be kind.", AvatarRequest("woman"), 12)
    assert "12 years" in refused and "18 to 100" in refused
    assert instructions("Be kind.", KNOWN, emotion=Emotion.neutral()) == instructions("Be kind.", KNOWN)


def test_user_and_assistant_take_turns() -> None:
    history = [
        Turn("assistant", "Whom would you like to see?"), Turn("user", "Hello"), Turn("user", "A woman"),
        Turn("assistant", "How old?"),
    ]  # fmt: skip
    found = messages_of("Be kind.", history, "30")
    assert [one["role"] for one in found] == ["system", "user", "assistant", "user"]
    assert found[1]["content"] == "Hello\nA woman" and found[-1]["content"] == "30"
    assert messages_of(" ", [], "30") == [{"role": "user", "content": "30"}]


def test_the_oldest_exchanges_make_room() -> None:
    history = [Turn(("user", "assistant")[k % 2], f"turn {k}") for k in range(8)]
    found = messages_of("Be kind.", history, "now")

    def count(messages: object) -> int:
        return len(list(messages))  # pyright: ignore[reportArgumentType]

    assert fitting(found, count, 99) == found
    kept = fitting(found, count, 5)
    assert [one["content"] for one in kept] == ["Be kind.", "turn 6", "turn 7", "now"]
    assert fitting(found[1:], count, 1) == [found[-1]]
    with pytest.raises(ValueError, match="take 2 tokens, but there is room for 1 "):
        fitting(found, count, 1)


def test_a_system_prompt_may_stand_in_the_first_message() -> None:
    found = messages_of("Be kind.", [], "Hello")
    assert without_system(found) == [{"role": "user", "content": "Be kind.\n\nHello"}]
    assert without_system(found[1:]) == found[1:]


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (" Hello. ", "Hello."),
        ("<think>\nHm.\n</think>\n\nHello.", "Hello."),
        ("Hm.</think>Hello.", "Hello."),
        ("<think>a</think>Hello <think>b</think>you", "Hello you"),
        ("Hello.<think>and n", "Hello."),
    ],
)
def test_thoughts_are_not_spoken(answer: str, reply: str) -> None:
    assert spoken(answer) == reply


def test_an_answer_without_words_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="Raise max_tokens"):
        spoken("<think>Well, let me")
    with pytest.raises(ValueError, match="answered nothing"):
        spoken(" \n")
