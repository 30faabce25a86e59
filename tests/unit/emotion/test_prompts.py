"""The sentences: grammar, the papers' wording, and intensity where it belongs."""

import itertools
import re
from pathlib import Path

import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.emotion.person import AGES, GENDERS, RACES, UNSPECIFIED, Person, age_group
from expressive.emotion.prompts import STYLES, SUBJECTS, write_prompts
from expressive.emotion.tags import facial_tags

EVERYONE = [
    Person(*parts) for parts in itertools.product((UNSPECIFIED, *AGES), (UNSPECIFIED, *GENDERS), (UNSPECIFIED, *RACES))
]


def test_geneava_is_the_papers_sentence():
    indian = Person("middle-aged", "woman", "Indian")
    assert write_prompts(Emotion.of("delight"), "geneava", indian).prompt == (
        "A photorealistic face of a middle-aged Indian woman with shoulders visible, "
        "displaying a facial expression of delight, plain white background."
    )


@pytest.mark.parametrize("word", vocabulary.pixelsmile(), ids=lambda word: word.word)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_pixelsmile_is_letter_for_letter_what_it_was_trained_on(word, subject):
    for intensity in (0.2, 1, 1.5):
        prompts = write_prompts(Emotion.of(word.id, intensity), "pixelsmile", Person(details="a hat"), subject)
        assert prompts.prompt == f"Edit the {subject} to show a {word.word} expression"
        assert prompts.neutral == f"Edit the {subject} to show a neutral expression"
        assert prompts.negative == ""


def test_pixelsmile_takes_the_nearest_of_its_words():
    assert write_prompts(Emotion.of("embarrassment"), "pixelsmile").prompt.endswith("a shy expression")
    assert write_prompts(Emotion.neutral(), "pixelsmile").prompt.endswith("a neutral expression")


@pytest.mark.parametrize(
    ("person", "noun"),
    [
        (Person(), "a person"),
        (Person("elderly", "man", "East Asian"), "an elderly East Asian man"),
        (Person("young adult", "woman", "Latino"), "a young Latina woman"),
        (Person("child", "man", "Indian"), "an Indian boy"),
        (Person("teenage", "woman", "Middle Eastern"), "a teenage Middle Eastern girl"),
        (Person("teenage", race="Black"), "a Black teenager"),
        (Person("child"), "a child"),
        (Person(race="Southeast Asian"), "a Southeast Asian person"),
        (Person("middle-aged", "woman", "Indian"), "a middle-aged Indian woman"),
    ],
)
def test_people_in_proper_english(person, noun):
    assert f" of {noun} with" in write_prompts(Emotion.of("joy"), "geneava", person).prompt


def test_years_belong_to_a_group():
    years = (0, 12.9, 13, 19, 20, 39.5, 40, 59, 60, 101)
    assert [AGES.index(age_group(one)) for one in years] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="0 years or more"):
            age_group(wrong)


def test_articles_agree_for_everyone_and_every_grade():
    for person, intensity in itertools.product(EVERYONE, (0, 0.2, 0.5, 1, 1.2, 1.5)):
        for style in ("geneava", "facial attributes"):
            text = write_prompts(Emotion.of("anger", intensity), style, person).prompt
            for article, letter in re.findall(r"\b([Aa]n?) (\w)", text):
                assert (article.lower() == "an") == (letter.lower() in "aeiou"), text
            assert UNSPECIFIED not in text


@pytest.mark.parametrize("style", STYLES)
def test_every_word_makes_tidy_prompts(style):
    seen = set()
    for word in (*vocabulary.emo135(), *vocabulary.pixelsmile(), *vocabulary.text7()):
        for intensity in (0.2, 0.5, 1, 1.2, 1.5):
            prompts = write_prompts(Emotion.of(word.id, intensity), style, Person("elderly", details=" a hat, "))
            for text in (prompts.prompt, prompts.neutral):
                assert not re.search(r"  |,,|, ,| ,|\.\.|None|\n", text)
                assert text.strip() == text
                assert text.endswith(".") == (style in ("geneava", "facial attributes"))
            seen.add(prompts.prompt)
        assert word.id == "text7.neutral" or prompts.label == word.word
    if style != "pixelsmile":
        assert len(seen) >= 135 * 5  # words and grades stay apart
    else:
        assert len(seen) == 13


@pytest.mark.parametrize("style", STYLES)
def test_neutral_is_what_no_emotion_gives_and_keeps_the_person(style):
    person = Person("elderly", "man", "Black", "wearing a red scarf")
    prompts = write_prompts(Emotion.of("rage"), style, person)
    neutral = write_prompts(Emotion.neutral(), style, person)
    assert prompts.neutral == neutral.prompt == neutral.neutral
    assert "rage" not in prompts.neutral
    if style != "pixelsmile":
        assert "wearing a red scarf" in prompts.neutral
        assert "elderly Black man" in prompts.neutral


@pytest.mark.parametrize(
    ("intensity", "adjective", "adverb"),
    [(0.2, "faint ", "barely "), (0.5, "mild ", "slightly "), (1, "", ""), (1.25, "strong ", "markedly ")],
)
def test_intensity_becomes_words(intensity, adjective, adverb):
    emotion = Emotion.of("grief", intensity)
    assert f"displaying a {adjective}facial expression of grief" in write_prompts(emotion, "geneava").prompt
    attributes = write_prompts(emotion, "facial attributes").prompt
    assert f"a {adjective}expression of grief" in attributes or f"an {adjective}expression of grief" in attributes
    assert f"brows {adverb}raised to a peak" in attributes


def test_a_region_at_rest_is_not_graded():
    assert "brows relaxed and even" in write_prompts(Emotion.of("contentment", 0.2), "facial attributes").prompt


def test_a_mix_describes_each_region_by_what_moves_it_most():
    emotion = Emotion.mix([(Emotion.of("happy"), 1), (Emotion.of("surprised"), 1)])
    text = write_prompts(emotion, "facial attributes").prompt
    assert "an expression of happiness and surprise" in text
    happy, surprised = vocabulary.resolve("happy").description, vocabulary.resolve("surprised").description
    assert f"brows slightly {surprised['brows']}" in text
    assert f"cheeks and nose slightly {happy['cheeks_nose']}" in text


def test_a_class_of_text_is_described_by_its_expression():
    text = write_prompts(Emotion.of("text7.sadness"), "facial attributes").prompt
    assert "an expression of sadness" in text
    assert vocabulary.resolve("sad").description["mouth"] in text


def test_tags():
    woman = Person("young adult", "woman", "Indian", "red scarf")
    tags = write_prompts(Emotion.of("happy"), "tags", woman).prompt.split(", ")
    assert tags[:5] == ["1girl", "solo", "portrait", "young Indian woman", "happy"]
    assert {"grin", "looking at viewer"} <= set(tags)
    assert tags[-1] == "red scarf"
    assert write_prompts(Emotion.neutral(), "tags", Person(gender="man")).prompt == (
        "1boy, solo, portrait, expressionless, closed mouth, looking at viewer"
    )


def test_tags_carry_intensity_as_emphasis():
    for intensity, tag in ((0.5, "(delighted:0.75)"), (1, "delighted"), (1.5, "(delighted:1.25)")):
        assert tag in write_prompts(Emotion.of("delight", intensity), "tags").prompt.split(", ")


@pytest.mark.parametrize(
    ("word", "present", "absent"),
    [
        ("bliss", {"closed eyes", "smile"}, {"looking at viewer", "wide-eyed"}),
        ("terror", {"wide-eyed", "raised eyebrows", "open mouth", "sweat"}, {"smile"}),
        ("grief", {"crying", "frown", "raised inner eyebrows"}, {"smile"}),
        ("rage", {"v-shaped eyebrows", "clenched teeth", "wrinkled nose"}, {"smile", "raised eyebrows"}),
        ("scorn", {"smirk"}, {"smile", "grin"}),
        ("shame", {"looking down", "blush"}, {"looking at viewer"}),
        ("exasperation", {"looking up"}, {"looking at viewer"}),
        ("grumpiness", {"pout"}, {"smile"}),
    ],
)
def test_facial_tags_follow_the_face(word, present, absent):
    tags = set(facial_tags(Emotion.of(word)))
    assert present <= tags
    assert not absent & tags


def test_weak_emotions_have_fewer_tags():
    assert len(facial_tags(Emotion.of("terror", 0.3))) < len(facial_tags(Emotion.of("terror")))


def test_wording_stays_safe():
    unsafe = re.compile(r"\b(sex|nude|naked|erotic|breast|kiss|lick|orgasm|aroused)", re.IGNORECASE)
    for word, style in itertools.product(vocabulary.emo135(), STYLES):
        assert not unsafe.search(write_prompts(Emotion.of(word.id), style).prompt)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: write_prompts(Emotion.of("joy"), "poem"), "Expected a prompt style of geneava, .*got “poem”"),
        (lambda: write_prompts(Emotion.of("joy"), "pixelsmile", subject="cat"), "person or character"),
        (lambda: Person(age="old"), "Expected age to be unspecified, child"),
        (lambda: Person(race="Martian"), "got “Martian”"),
    ],
)
def test_bad_input_is_told_in_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("style", STYLES)
def test_the_help_page_shows_what_is_written(style):
    page = (Path(__file__).parents[3] / "web/docs/ExpressionPrompt.md").read_text(encoding="utf-8")
    written = write_prompts(Emotion.of("delight", 0.5), style, Person("middle-aged", "woman", "Indian")).prompt
    assert f"> {written}\n" in page
