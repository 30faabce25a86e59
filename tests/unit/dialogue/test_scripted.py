"""The assistant that needs no model."""

import random
import re

import pytest

from expressive.dialogue import scripted
from expressive.dialogue.history import Turn
from expressive.dialogue.scripted import moods, reply, script
from expressive.emotion import Emotion, vocabulary

KNOWN = (Turn("user", "a woman of 30"), Turn("assistant", "Good."))
SEEDS = range(12)


def said(history: tuple[Turn, ...], message: str, answer: str) -> tuple[Turn, ...]:
    return (*history, Turn("user", message), Turn("assistant", answer))


def wordings(*case: str) -> list[str]:
    """The parts of a case's wordings that are the same whatever is put in."""
    found = script()
    for key in case:
        found = found[key]
    return [scripted._core(one) for one in ([found] if isinstance(found, str) else found)]


def speaks(answer: str, *case: str) -> bool:
    return any(one in answer for one in wordings(*case))


def test_the_protocol_of_the_paper() -> None:
    """It asks for gender and age, takes the standard answer, and goes on with "How can I help you today?"."""
    opening = reply("")
    assert speaks(opening, "opening") and "gender" in opening
    history = (Turn("assistant", opening),)
    answer = reply("Generate a 30-year-old female avatar", history)
    assert "a woman of 30" in answer and speaks(answer, "complete") and speaks(answer, "help")
    assert "How can I help you today?" in script()["help"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_missing_is_asked_for(seed: int) -> None:
    assert speaks(reply("hello", seed=seed), "opening")
    assert speaks(reply("a woman, please", seed=seed), "ask", "age")
    assert speaks(reply("somebody of 40", seed=seed), "ask", "gender")
    both = reply("I lost my job.", emotion=Emotion.of("sad"), seed=seed)
    assert speaks(both, "ask", "gender and age") and speaks(both, "mood", "sad", "heard")
    assert not speaks(reply("I lost my job.", KNOWN, Emotion.of("sad"), seed), "ask", "gender and age")


def test_a_refused_age_is_refused_politely() -> None:
    for seed in SEEDS:
        answer = reply("a 12-year-old girl", seed=seed)
        assert speaks(answer, "refused") and all(number in answer for number in ("12", "18", "100"))


def test_another_avatar_is_confirmed() -> None:
    changed = reply("make him 52", KNOWN)
    assert "a man of 52" in changed and speaks(changed, "changed")
    same = reply("a woman of 30", KNOWN).lower()
    assert "a woman of 30" in same and not speaks(same, "changed")


@pytest.mark.parametrize("word", [word.word for word in vocabulary.pixelsmile()] + ["neutral"])
def test_every_emotion_has_words_of_its_own(word: str) -> None:
    emotion = Emotion.of(word)
    assert moods(emotion) == (word, None)
    for seed in SEEDS:
        answer = reply("That is how it is.", KNOWN, emotion, seed)
        assert speaks(answer, "mood", word, "heard")
        others = [other for other in script()["mood"] if other not in (word, "neutral")]
        assert not any(speaks(answer, "mood", other, "heard") for other in others)
        assert 1 <= len(re.findall(r"[.!?]+(?:\s|$)", answer)) <= 3


def test_the_whole_mixture_counts() -> None:
    mixed = Emotion((("pixelsmile.sad", 0.6), ("pixelsmile.angry", 0.5)))
    assert moods(mixed) == ("sad", "angry")
    assert moods(Emotion((("pixelsmile.sad", 0.8), ("pixelsmile.angry", 0.1)))) == ("sad", None)
    assert moods(Emotion.of("sad", 0.1)) == moods(None) == moods(Emotion.neutral()) == ("neutral", None)
    assert moods(Emotion.from_text7([0, 0, 0, 0.9, 0.1, 0, 0])) == ("happy", None)
    assert moods(Emotion.of("delight"))[0] == "happy"
    assert any(speaks(reply("That is how it is.", KNOWN, mixed, seed), "mood", "angry", "also") for seed in SEEDS)


def test_a_seed_repeats_and_leaves_the_global_generator_alone() -> None:
    before = random.getstate()
    answers = {reply("That is how it is.", KNOWN, Emotion.of("sad"), seed) for seed in range(40)}
    assert random.getstate() == before and len(answers) > 8
    assert reply("Well.", KNOWN, seed=3) == reply("Well.", KNOWN, seed=3)


def test_nothing_is_said_twice_while_there_is_more_to_say() -> None:
    history = KNOWN
    answers = []
    for _ in range(4):
        answers.append(reply("That is how it is.", history, Emotion.of("sad")))
        history = said(history, "That is how it is.", answers[-1])
    firsts = [answer.partition(".")[0] for answer in answers]
    assert len(set(firsts)) == 4


@pytest.mark.parametrize(
    ("message", "case"),
    [
        ("Thanks, that helped", "thanks"),
        ("bye!", "goodbye"),
        ("How are you?", "wellbeing"),
        ("Who are you?", "about"),
        ("hello", "greeting"),
        ("What is the capital of France?", "question"),
        ("Should I take more of my antidepressants?", "medical"),
        ("I feel like killing myself", "danger"),
        ("I don’t want to live any more", "danger"),
    ],
)
def test_some_messages_have_answers_of_their_own(message: str, case: str) -> None:
    for seed in SEEDS:
        assert speaks(reply(message, KNOWN, seed=seed), case)


@pytest.mark.parametrize(
    "message",
    [
        "I'm gonna end it tonight", "I am going to jump off the bridge", "What's the point of living?",
        "I dont want to live", "I took all my pills", "My husband hits me", "My husband will kill me",
        "I want to kill my boss", "I have chest pain and can't breathe", "I just want to say goodbye forever",
    ],
)  # fmt: skip
def test_who_is_in_danger_is_sent_to_people(message: str) -> None:
    for seed in SEEDS:
        answer = reply(message, KNOWN, Emotion.of("sad"), seed)
        assert speaks(answer, "danger")
        after = reply("I have nobody.", said(KNOWN, message, answer), Emotion.of("sad"), seed)
        assert speaks(after, "danger")


@pytest.mark.parametrize("message", ["I take care of my sick mother", "Thanks for nothing, you are useless"])
def test_what_only_sounds_like_small_talk_is_none(message: str) -> None:
    for seed in SEEDS:
        answer = reply(message, KNOWN, Emotion.of("sad"), seed)
        assert not speaks(answer, "goodbye") and not speaks(answer, "thanks")


def test_danger_comes_before_the_protocol() -> None:
    answer = reply("Generate a 30-year-old female avatar. I want to die.", emotion=Emotion.of("happy"))
    assert speaks(answer, "danger") and "emergency" in answer


def test_curly_brackets_are_only_text() -> None:
    assert reply("I lost {who} today {0}", KNOWN, Emotion.of("sad"))


def test_an_empty_message_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="message is empty"):
        reply(" ", KNOWN)


def test_every_wording_can_be_spoken() -> None:
    """Whole sentences, and no brackets, which voices take for directions."""

    def texts(found: object) -> list[str]:
        if isinstance(found, dict):
            return [text for key, part in found.items() if key != "source" for text in texts(part)]
        if isinstance(found, list):
            return [text for part in found for text in texts(part)]
        return [found] if isinstance(found, str) and found else []

    for text in texts(script()):
        assert text[-1] in ".!?" and not re.search(r"[()\[\]*_#]", re.sub(r"\{\w+\}", "", text))
        assert set(re.findall(r"\{(\w*)\}", text)) <= {"who", "Who", "age", "youngest", "oldest"}
