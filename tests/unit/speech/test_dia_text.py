# pyright: reportOptionalSubscript=false
"""Texts as Dia takes them, and what an emotion does to them."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressive.emotion import Emotion
from expressive.speech.dia_text import MOST_BYTES, Turn, chunks, cleaned, seconds, tagged, turns, written
from expressive.speech.dia_wording import LONG, worded
from expressive.speech.markup import NON_VERBALS, without_tags
from expressive.speech.voices import AS_WRITTEN, SOUNDS, WORDINGS

SENTENCE = "The train leaves at nine, from platform four, as it does on any other day of the week."
STORY = " ".join([SENTENCE, "I was late.", "Nobody had told me, and I ran as fast as I could!", "Was it in vain?"] * 6)
ALL_SOUNDS = SOUNDS, WORDINGS[1]


def letters(text: str) -> str:
    return "".join(sign for sign in without_tags(text) if sign.isalnum())


def test_speakers_take_turns_and_the_first_is_the_first() -> None:
    assert turns("Hello there.") == (Turn(1, "Hello there."),)
    found = turns("[s1]Hi! [S1] It is me. [S2] Who? [ S1 ] Me.")
    assert found == (Turn(1, "Hi! It is me."), Turn(2, "Who?"), Turn(1, "Me."))
    assert turns("[S2] Who is there? [Speaker 1] Me.") == (Turn(1, "Who is there?"), Turn(2, "Me."))
    assert turns("Before. [S1] After. [S2] [S1] Later.") == (Turn(1, "Before. After. Later."),)
    with pytest.raises(ValueError, match=r"has \[S3\]"):
        turns("[S1] Hi. [S3] Ho.")


@pytest.mark.parametrize("text", ["", " \n ", "(laughs)", "[S1] ... [S2] !", "🎉🎉"])
def test_a_text_without_words_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        turns(text)


def test_another_script_is_not_english() -> None:
    with pytest.raises(ValueError, match="speaks English alone"):
        turns("Привет, как дела? OK")
    assert turns("The café in Zürich.")[0].text == "The café in Zürich."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oh (Laughs) no", "Oh (laughs) no"),
        ("*giggles* Stop it", "(chuckle) Stop it"),
        ("[sighing] Well", "(sighs) Well"),
        ("(laughs softly) Yes.", "(laughs) Yes."),
        ("(clears her throat) Now.", "(clears throat) Now."),
        ("(smiling) Hello.", "Hello."),
        ("[door opens] Hello.", "Hello."),
        ("He came (as he said) at nine.", "He came, as he said, at nine."),
        ("It was big (really big).", "It was big, really big."),
        ("It is *really* good.", "It is really good."),
        ("“Don’t” — he said… then:", '"Don\'t", he said... then'),
        ("From 10–12 o'clock", "From 10-12 o'clock"),
        ("So happy 🎉 today 👩‍🚀!", "So happy today!"),
        ("- one\n- two", "one, two"),
        ("It costs $5 & more :)", "It costs $5 & more"),
        ("An open (bracket and ] another", "An open bracket and another"),
    ],
)  # fmt: skip
def test_only_what_dia_reads_is_left(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize("sound", NON_VERBALS)
def test_every_sound_that_dia_knows_stays(sound: str) -> None:
    assert len(NON_VERBALS) == 21 and cleaned(f"Well ({sound}) yes.") == f"Well ({sound}) yes."


def test_a_written_text_keeps_the_rules() -> None:
    assert written(turns("Hello there.")) == "[S1] Hello there. [S2]"
    assert written(turns("Hi. [S2] Ho.")) == "[S1] Hi. [S2] Ho. [S1]"
    voice = turns("This is me.")
    assert written(turns("Hello."), voice) == "[S1] This is me. Hello. [S2]"
    assert written([Turn(2, "Hello.")], voice) == "[S1] This is me. [S2] Hello. [S1]"
    assert written([Turn(2, "Hello."), Turn(1, "Hi.")]) == "[S1] Hello. [S2] Hi. [S1]"
    with pytest.raises(ValueError, match=f"reads {MOST_BYTES} bytes"):
        written(turns("word " * 200), turns("voice " * 20))


def test_a_long_text_is_cut_where_sentences_end() -> None:
    parts = chunks(turns(STORY), 14.0)
    whole = tagged([turn for part in parts for turn in part])
    assert letters(whole) == letters(STORY)
    lengths = [sum(seconds(turn.text) for turn in part) for part in parts]
    assert len(parts) == -(-seconds(STORY) // 14.0) or len(parts) == -(-seconds(STORY) // 14.0) + 1
    assert max(lengths) <= 14.0 and min(lengths) >= 5.0
    assert all(re.search(r"[.!?]$", part[-1].text) for part in parts)
    assert all(len(written(part).encode()) <= MOST_BYTES for part in parts)


def test_a_sentence_that_is_too_long_is_cut_at_commas_or_between_words() -> None:
    endless = "and then, " * 100 + "no " * 150
    parts = chunks(turns(endless), 10.0)
    assert all(sum(seconds(turn.text) for turn in part) <= 10.5 for part in parts)
    assert letters(tagged([turn for part in parts for turn in part])) == letters(endless)


def test_who_speaks_stays_known_in_every_part() -> None:
    dialogue = " ".join(f"[S{1 + index % 2}] Number {index}: {SENTENCE}" for index in range(8))
    parts = chunks(turns(dialogue), 14.0)
    said = [turn for part in parts for turn in part]
    for turn in said:
        number = int(re.search(r"Number (\d+)", turn.text)[1]) if "Number" in turn.text else None
        assert number is None or turn.speaker == 1 + number % 2
    for part in parts:
        assert all(one.speaker != other.speaker for one, other in itertools.pairwise(part))
        assert written(part).startswith("[S1] ")


words = st.text(st.sampled_from("abc ,.!?()[]S12*…\n🎉-é"), max_size=120)


@given(words, words)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_is_valid(before: str, after: str) -> None:
    text = f"{before} word [S2] {after} other"
    try:
        parts = chunks(turns(text), 6.0)
    except ValueError as error:
        assert "two speakers" in str(error)
        return
    for part in parts:
        found = written(part)
        speakers = re.findall(r"\[S(\d+)\]", found)
        assert found.startswith("[S1]") and set(speakers) <= {"1", "2"}
        assert all(one != other for one, other in itertools.pairwise(speakers))
        assert found.endswith(f"[S{speakers[-1]}]")
        inside = re.sub(r"\[S[12]\]", "", found)
        assert set(re.findall(r"\(([^)]*)\)", inside)) <= set(NON_VERBALS)
        assert not re.search(r"[\[\]*\n🎉]", inside)


@pytest.mark.parametrize(
    ("emotion", "sound"),
    [("joy", "laughs"), ("sadness", "sniffs"), ("fear", "gasps"), ("surprise", "gasps"), ("disgust", "groans")],
)
def test_an_emotion_brings_its_sounds(emotion: str, sound: str) -> None:
    part = turns("We have the results. They came today.")
    (found,) = worded([part], Emotion.of(f"text7.{emotion}"))
    assert f"({sound})" in tagged(found) and letters(tagged(found)) == letters(tagged(part))


def test_a_weak_emotion_and_none_bring_nothing() -> None:
    part = turns("We have the results. They came today.")
    for emotion in (Emotion.neutral(), Emotion.of("text7.joy", 0.2), Emotion.of("text7.fear", 0.3)):
        assert worded([part], emotion, WORDINGS[1]) == [part]


def test_sounds_are_few() -> None:
    parts = chunks(turns(STORY), 14.0)
    both = Emotion((("text7.joy", 0.9), ("text7.surprise", 0.8)))
    counts = [len(re.findall(r"\([a-z ]+\)", tagged(part))) for part in worded(parts, both)]
    assert counts[0] == 2 and max(counts) == 2 and not any(counts[1::2])
    short = turns("We have the results.")
    assert seconds(short[0].text) < LONG
    assert len(re.findall(r"\([a-z ]+\)", tagged(worded([short], both)[0]))) == 1
    own = turns("(coughs) We have the results.")
    assert "laughs" not in tagged(worded([own], both)[0])


def test_a_mixture_is_heard_as_one() -> None:
    part = turns(f"{SENTENCE} {SENTENCE}")
    mixed = tagged(worded([part], Emotion((("text7.sadness", 0.5), ("text7.surprise", 0.6))))[0])
    assert "(sighs)" in mixed and "(gasps)" in mixed


def test_exclamation_marks_are_few() -> None:
    part = turns("No!!! Stop it! Go away! Now!?")
    for emotion, most in ((Emotion.neutral(), 1), (Emotion.of("text7.anger"), 2)):
        found = tagged(worded([part], emotion)[0])
        assert found.count("!") == most and found.endswith("Now?") and letters(found) == letters(tagged(part))
    (loud,) = worded([turns("Dr. Smith is here. He came.")], Emotion.of("text7.anger", 0.65))
    assert tagged(loud) == "[S1] Dr. Smith is here! He came."
    (low,) = worded([turns("Dr. Smith is here. He came.")], Emotion.of("text7.sadness", 0.6))
    assert tagged(low) == "[S1] (sighs) Dr. Smith is here... He came."


def test_interjections_come_if_they_are_allowed() -> None:
    glad = Emotion.of("text7.surprise", 0.45)
    parts = [turns("The door was open."), turns("The window too.")]
    found = worded(parts, glad, WORDINGS[1])
    assert tagged(found[0]) == "[S1] Wow, the door was open." and found[1] == parts[1]
    assert worded(parts, glad, SOUNDS) == parts
    (begun,) = worded([turns("Oh, the door was open.")], glad, WORDINGS[1])
    assert tagged(begun) == "[S1] Oh, the door was open."


def test_as_written_is_as_written() -> None:
    part = turns("No!!! Stop it! (laughs) Go away")
    assert worded([part], Emotion.of("text7.anger"), AS_WRITTEN) == [part]
    with pytest.raises(ValueError, match="none of: sounds and punctuation"):
        worded([part], Emotion.neutral(), "louder")


@pytest.mark.parametrize("wording", ALL_SOUNDS)
@pytest.mark.parametrize("emotion", ["anger", "disgust", "fear", "joy", "sadness", "surprise"])
def test_what_is_added_is_valid(wording: str, emotion: str) -> None:
    for part in worded(chunks(turns(STORY), 14.0), Emotion.of(f"text7.{emotion}", 1.5), wording):
        found = written(part)
        assert set(re.findall(r"\(([^)]*)\)", found)) <= set(NON_VERBALS)
        assert "!!" not in found and "...." not in found
