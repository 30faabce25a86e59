"""Whom the user wants to see, out of the many ways to say it."""

import pytest

from expressive.dialogue.avatar_request import ADULTS, AvatarRequest, Reading, read, request_of
from expressive.dialogue.history import Turn
from expressive.emotion.person import GENDERS

KNOWN = AvatarRequest("woman", 30)

SAID = [
    ("Generate a 30-year-old female avatar", "woman", 30),
    ("Generate a 30 year old female avatar.", "woman", 30),
    ("generate 30yo female avatar", "woman", 30),
    ("Generate a 30-years old femal avatar", "woman", 30),
    ("a 30–year–old woman", "woman", 30),
    ("a thirty‑year‑old WOMAN", "woman", 30),
    ("thirtyyearold female", "woman", 30),
    ("a 30 year old-woman", "woman", 30),
    ("30years old girl", "woman", 30),
    ("30 y.o. man", "man", 30),
    ("a 30 y/o man", "man", 30),
    ("45 yr-old male", "man", 45),
    ("45 yr.-old male", "man", 45),
    ("A 33-y.o. woman", "woman", 33),
    ("Generate a thirty-year-old male avatar", "man", 30),
    ("Generate a twenty five year old woman", "woman", 25),
    ("Please generate a fifty-two-year-old man avatar!", "man", 52),
    ("Generate: 30 / female", "woman", 30),
    ("Please create for me an avatar: female, 30 years old", "woman", 30),
    ("create an avatar for me: female, 30", "woman", 30),
    ("An  avatar ,  female ,  28 !", "woman", 28),
    ("Avatar gender: male, age: 40", "man", 40),
    ("gender = female; age = 33", "woman", 33),
    ("Woman. 30.", "woman", 30),
    ("woman / 30", "woman", 30),
    ("a woman of thirty", "woman", 30),
    ("woman aged 41", "woman", 41),
    ("a man of the age of 50", "man", 50),
    ("girl about 19", "woman", 19),
    ("40ish guy", "man", 40),
    ("fifty year old dude", "man", 50),
    ("a lady in her early sixties", "woman", 62),
    ("male, mid-forties", "man", 45),
    ("mid-40's woman", "woman", 45),
    ("A young woman, early 20s", "woman", 22),
    ("a woman in her late twenties", "woman", 28),
    ("Let's take a man in his 50s", "man", 55),
    ("a forty something bloke", "man", 45),
    ("generate a twenty-something woman", "woman", 25),
    ("a woman between 30 and 40", "woman", 35),
    ("Woman, 30 or 40 years old", "woman", 35),
    ("F, 30", "woman", 30),
    ("30m", "man", 30),
    ("25/f", "woman", 25),
    ("make him 52", "man", 52),
    ("I want him to be 47", "man", 47),
    ("turn her into a man", "man", None),
    ("make the avatar a woman", "woman", None),
    ("my avatar should be 30 and male", "man", 30),
    ("Can the avatar be male and 40?", "man", 40),
    ("I want my avatar to be a 30 year old woman", "woman", 30),
    ("I'd like the avatar to look like a woman in her thirties", "woman", 35),
    ("I'd like somebody who is female and about 30", "woman", 30),
    ("I would prefer a male who is 29", "man", 29),
    ("I want to see a woman of 30", "woman", 30),
    ("can you be a 50 yr old man?", "man", 50),
    ("Can I have a woman of 60?", "woman", 60),
    ("I'm looking for a gentleman in his late seventies", "man", 78),
    ("let's go with a woman, twenty-seven", "woman", 27),
    ("how about a man of 40?", "man", 40),
    ("create a tall dark handsome man, 38", "man", 38),
    ("A 45-year-old man with a beard and glasses", "man", 45),
    ("Create a woman with short hair, 30 years old", "woman", 30),
    ("I want someone with brown hair, female, 30", "woman", 30),
    ("a 68-year old lady named Ruth", "woman", 68),
    ("create a woman and make her 30", "woman", 30),
    ("grandpa", "man", None),
    ("I'd like a grandpa", "man", None),
    ("grandma in her eighties", "woman", 85),
    ("an old man", "man", None),
    ("a middle-aged woman, please", "woman", None),
    ("switch to male", "man", None),
    ("female pls", "woman", None),
    ("someone around 25", None, 25),
    ("change the age to 45", None, 45),
    ("can the avatar be a bit older, like 60?", None, 60),
    ("make me look 30", None, 30),
    ("30-year-old", None, 30),
    ("Not a man, a woman", "woman", None),
    ("no, a woman please", "woman", None),
    ("not a man but a woman of 40", "woman", 40),
    ("a woman instead of a man", "woman", None),
    ("a man? no, a woman of 20", "woman", 20),
    ("I don't want a man, I want a woman of 44", "woman", 44),
    ("I need an avatar", None, None),
    ("either a man or a woman", None, None),
]

TALK = [
    "My mother is 60 and very ill. I am scared.",
    "I am a 30-year-old woman and I feel lost",
    "I want to be a good mother",
    "A man with a dog shouted at me today",
    "I need help, man",
    "thanks man",
    "give me a break, man",
    "He is 12",
    "I have been married for 30 years",
    "I turn 30",
    "I just turned 30 today!",
    "I'm 30",
    "I like him",
    "I need a hug",
    "I want a 30 minute break",
    "the bank lost 30 million",
    "I need 20 dollars",
    "My dad died when I was 12.",
    "show me how to be a better man",
    "I tried to draw a man",
    "I went to see a woman of 60",
    "My wife of 30 years left me",
    "I need my mother",
    "That man is a liar",
    "I feel like a 90 year old",
    "make me 2 avatars",
    "Hello, how are you?",
]


@pytest.mark.parametrize(("message", "gender", "age"), SAID)
def test_a_request_is_understood(message: str, gender: str | None, age: int | None) -> None:
    found = read(message)
    assert (found.gender, found.age, found.refused) == (gender, age, None)
    assert gender is None or gender in GENDERS


@pytest.mark.parametrize("message", TALK)
def test_talk_is_no_request(message: str) -> None:
    for known in (None, KNOWN):
        found = read(message, known)
        assert (found.gender, found.age, found.refused) == (None, None, None)
        assert found.rest


@pytest.mark.parametrize(
    ("message", "years"),
    [
        ("a 12-year-old girl", 12),
        ("make her 7", 7),
        ("Generate a 17 year old male avatar", 17),
        ("show me a teenager", 16),
        ("a 300-year-old vampire man", 300),
        ("a hundred-and-ten-year-old woman", 110),
        ("I want a 5 year old girl", 5),
    ],
)
def test_an_age_that_cannot_be_shown_is_refused(message: str, years: int) -> None:
    found = read(message)
    assert found.refused == years and found.age is None
    assert not ADULTS[0] <= years <= ADULTS[1]


@pytest.mark.parametrize("age", ADULTS)
def test_the_youngest_and_the_oldest_are_shown(age: int) -> None:
    assert read(f"a woman of {age}").age == age
    assert read(f"a {age}-year-old").refused is None


@pytest.mark.parametrize(
    ("message", "gender", "age"),
    [
        ("30", None, 30),
        ("thirty", None, 30),
        ("52, please", None, 52),
        ("30, but I am sad", None, 30),
        ("F", "woman", None),
        ("a guy", "man", None),
        ("probably female", "woman", None),
        ("a man with glasses", "man", None),
        ("in her forties", "woman", 45),
        ("I think a woman of around thirty would be nice", "woman", 30),
        ("thanks man", None, None),
        ("not sure", None, None),
        ("My wife of 30 years left me", None, None),
    ],
)
def test_the_answer_to_the_question_may_be_short(message: str, gender: str | None, age: int | None) -> None:
    found = read(message, asked=True)
    assert (found.gender, found.age) == (gender, age)


@pytest.mark.parametrize(
    ("message", "gender", "age"),
    [
        ("make him 60", "man", 60),
        ("make it 45", None, 45),
        ("a man of 60", "man", 60),
        ("male, 60", "man", 60),
        ("a man instead", "man", None),
        ("a man", None, None),
        ("30 years", None, None),
        ("She is 30", None, None),
        ("A 60-year-old man with a dog bit me", None, None),
    ],
)
def test_once_all_is_known_only_a_request_changes_it(message: str, gender: str | None, age: int | None) -> None:
    found = read(message, KNOWN)
    assert (found.gender, found.age) == (gender, age)


def test_the_rest_of_a_message_is_kept_as_it_was_said() -> None:
    lost = "I lost my job today and I'm so sad."
    for message in (f"Generate a 30-year-old female avatar. {lost}", f"{lost} Hi! Make me a woman of 30, please."):
        assert read(message) == Reading("woman", 30, None, lost)
    assert read("Hello there! A man of 40, please. Thanks!").rest == ""
    assert read("Generate a male avatar, and my mother is 60 and ill").rest == "my mother is 60 and ill"


def said(*turns: str) -> list[Turn]:
    """The user and the assistant in turn."""
    return [Turn(("user", "assistant")[k % 2], text) for k, text in enumerate(turns)]


def test_the_history_counts() -> None:
    assert request_of([]) == (AvatarRequest(), False)
    assert request_of(said("a woman")) == (AvatarRequest("woman"), False)
    assert request_of(said("a woman", "How old?")) == (AvatarRequest("woman"), True)
    assert request_of(said("a woman", "How old?", "30", "Good.")) == (KNOWN, False)
    assert request_of(said("a woman", "How old?", "30", "Good.", "make him 52")) == (AvatarRequest("man", 52), False)
    refused = ("a woman of 30", "Good.", "30 years", "I see.", "a boy of 9")
    assert request_of(said(*refused)) == (AvatarRequest("man", 30), False)
    assert request_of(said(*refused, "Which age instead?", "44")) == (AvatarRequest("man", 44), False)


def test_what_is_missing_has_words() -> None:
    assert [one.missing for one in (AvatarRequest(), AvatarRequest("man"), AvatarRequest(None, 40), KNOWN)] == [
        "gender and age", "age", "gender", "",
    ]  # fmt: skip
    assert [one.described for one in (AvatarRequest(), AvatarRequest("man"), AvatarRequest(None, 40), KNOWN)] == [
        "somebody", "a man", "somebody of 40", "a woman of 30",
    ]  # fmt: skip
    assert KNOWN.complete and not AvatarRequest("man").complete
