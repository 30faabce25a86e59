"""The algebra of `Emotion`."""

import dataclasses
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expressive.emotion import Emotion, vocabulary

IDS = [word.id for name in vocabulary.VOCABULARIES for word in getattr(vocabulary, name)()]
weights = st.floats(0, 2, allow_nan=False)
emotions = st.dictionaries(st.sampled_from(IDS), weights, max_size=4).map(lambda d: Emotion(tuple(d.items())))
shares = st.floats(0.01, 1)
CLOSE = 2e-5  # six decimals a weight, a handful of weights


def alike(a: dict[str, float], b: dict[str, float], within: float = CLOSE) -> bool:
    return all(abs(a.get(key, 0) - b.get(key, 0)) <= within for key in {*a, *b})


@given(emotions)
def test_json_round_trip(emotion):
    again = Emotion.from_json(emotion.to_json())
    assert again == emotion
    assert hash(again) == hash(emotion)
    assert pickle.loads(pickle.dumps(emotion)) == emotion


@given(emotions, emotions)
def test_addition_commutes_and_adds_weights(a, b):
    assert a + b == b + a
    both = {i: dict(a.weights).get(i, 0) + dict(b.weights).get(i, 0) for i in dict(a.weights) | dict(b.weights)}
    assert alike(dict((a + b).weights), both)


@given(emotions, emotions, emotions)
def test_addition_is_associative_and_has_a_zero(a, b, c):
    assert alike(dict(((a + b) + c).weights), dict((a + (b + c)).weights))
    assert a + Emotion.neutral() == a


@given(emotions, st.floats(0, 2), st.floats(0, 2))
def test_scaling(emotion, k, m):
    assert emotion.scaled(1) == emotion
    assert emotion.scaled(0) == Emotion.neutral()
    assert alike(dict(emotion.scaled(k).scaled(m).weights), dict(emotion.scaled(k * m).weights))
    assert emotion.scaled(k).intensity == pytest.approx(k * emotion.intensity, abs=CLOSE)


@given(st.lists(st.tuples(emotions, shares), min_size=1, max_size=4))
def test_a_mix_is_convex(parts):
    mix = Emotion.mix(parts)
    names = [(Emotion.action_units, 1.5), (Emotion.signs, 1.5), (Emotion.pixelsmile, math.inf)]
    for read, limit in names:
        seen = [read(emotion) for emotion, _ in parts]
        for key, value in read(mix).items():
            assert min(s.get(key, 0) for s in seen) - CLOSE <= min(value, limit)
            if all(s.get(key, 0) < limit for s in seen):
                assert value <= max(s.get(key, 0) for s in seen) + CLOSE
    assert mix.intensity <= max(emotion.intensity for emotion, _ in parts) + CLOSE


@given(emotions, shares)
def test_a_mix_depends_on_proportions_alone(emotion, share):
    assert alike(dict(Emotion.mix([(emotion, share), (emotion, 3 * share)]).weights), dict(emotion.weights))
    happy, sad = Emotion.of("happy"), Emotion.of("sad")
    assert Emotion.mix([(happy, share), (sad, share)]) == Emotion.mix([(sad, 1), (happy, 1)])


@given(emotions)
def test_ranges(emotion):
    assert all(0 < value <= 1.5 for value in (emotion.action_units() | emotion.signs()).values())
    assert all(-1 <= value <= 1 for value in emotion.valence_arousal())
    assert list(emotion.pixelsmile()) == [word.word for word in vocabulary.pixelsmile()]
    assert sum(emotion.text7().values()) == pytest.approx(max(1, emotion.intensity), abs=CLOSE)
    assert emotion.nearest_pixelsmile() == "neutral" or emotion.weights


def test_exaggeration_is_clipped():
    assert (Emotion.of("happy") + Emotion.of("joy")).action_units()["AU12"] == 1.5
    assert Emotion.of("shy", 9).signs()["blush"] == 1.5
    assert Emotion.of("grief", 9).valence_arousal()[0] == -1


@given(st.lists(weights, min_size=12, max_size=12))
def test_twelve_vector_round_trip(vector):
    back = list(Emotion.from_pixelsmile(vector).pixelsmile().values())
    assert back == pytest.approx(vector, abs=CLOSE)


@given(st.lists(st.floats(0.001, 1), min_size=7, max_size=7))
def test_seven_vector_round_trip(vector):
    vector = [value / sum(vector) for value in vector]
    back = list(Emotion.from_text7(vector).text7().values())
    assert back == pytest.approx(vector, abs=CLOSE)


@pytest.mark.parametrize("word", vocabulary.pixelsmile(), ids=lambda word: word.word)
@pytest.mark.parametrize("intensity", [0.1, 1, 1.5])
def test_each_of_the_twelve_is_nearest_to_itself(word, intensity):
    assert Emotion.of(word.id, intensity).nearest_pixelsmile() == word.word


@pytest.mark.parametrize("word", vocabulary.text7(), ids=lambda word: word.word)
def test_each_of_the_seven_is_nearest_to_itself(word):
    emotion = Emotion.of(word.id, 0.3)
    assert emotion.nearest_text7() == word.word
    # by way of the twelve and back
    there = Emotion.from_pixelsmile(list(emotion.pixelsmile().values()))
    assert there.nearest_text7() == word.word


@pytest.mark.parametrize(
    ("noun", "adjective"),
    [
        ("happiness", "happy"),
        ("sadness", "sad"),
        ("anger", "angry"),
        ("fear", "fear"),
        ("surprise", "surprised"),
        ("disgust", "disgust"),
        ("contempt", "contempt"),
        ("embarrassment", "shy"),
        ("anxiety", "anxious"),
        ("nervousness", "anxious"),
        ("pride", "confident"),
        ("terror", "fear"),
        ("delight", "happy"),
    ],
)
def test_nouns_and_their_expression(noun, adjective):
    assert Emotion.of(noun).nearest_pixelsmile() == adjective


def test_neutral():
    neutral = Emotion.neutral()
    assert neutral == Emotion() == Emotion.of("neutral") == Emotion.of("joy", 0) == Emotion.from_text7([0] * 7)
    assert (neutral.label, neutral.nearest_pixelsmile(), neutral.nearest_text7()) == ("neutral",) * 3
    assert neutral.action_units() == neutral.signs() == {}
    assert neutral.valence_arousal() == (0, 0)
    assert neutral.text7()["neutral"] == 1


def test_value():
    emotion = Emotion.of("delight", 0.5)
    assert emotion.weights == (("emo135.delight", 0.5),)
    assert len({emotion, Emotion.of("emo135.delight", 0.5), Emotion.of("delight")}) == 2
    assert Emotion((("text7.joy", 0.1), ("emo135.joy", 0.2), ("emo135.joy", 0.1))).weights == (
        ("emo135.joy", 0.3),
        ("text7.joy", 0.1),
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        emotion.weights = ()  # type: ignore[misc]


def test_label_lists_the_strongest_first():
    emotion = Emotion.of("fear", 0.2) + Emotion.of("happy", 0.9) + Emotion.of("pixelsmile.fear", 0.1)
    assert emotion.label == "happy and fear"
    assert (emotion + Emotion.of("shy", 0.5)).label == "happy, shy and fear"


def test_from_words():
    emotion = Emotion.from_words(["happy", "surprised"], 0.8)
    assert dict(emotion.weights) == {"pixelsmile.happy": 0.4, "pixelsmile.surprised": 0.4}


def test_a_class_of_text_looks_like_its_expression():
    assert Emotion.of("text7.sadness", 0.5).action_units() == pytest.approx(Emotion.of("sad", 0.5).action_units())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Emotion.of("joyy"), "joy"),
        (lambda: Emotion.of("joy", -0.1), "0 or more, got -0.1"),
        (lambda: Emotion.of("joy", math.nan), "0 or more, got nan"),
        (lambda: Emotion.of("joy", "1"), "0 or more, got '1'"),  # type: ignore[arg-type]
        (lambda: Emotion((("emo135.happy", 1.0),)), "no emotion id “emo135.happy”"),
        (lambda: Emotion.of("joy").scaled(math.inf), "0 or more, got inf"),
        (lambda: Emotion.mix([]), "at least one part"),
        (lambda: Emotion.mix([(Emotion.of("joy"), 0)]), "at least one part"),
        (lambda: Emotion.mix([(Emotion.of("joy"), -1)]), "share of a mix"),
        (lambda: Emotion.from_pixelsmile([1, 0]), r"Expected 12 numbers \(angry, .*got 2"),
        (lambda: Emotion.from_text7([1] * 12), r"Expected 7 numbers .*got 12"),
        (lambda: Emotion.from_json("joy"), "not JSON"),
        (lambda: Emotion.from_json("[]"), "emo135.joy"),
        (lambda: Emotion.from_json('{"version": 2, "weights": {}}'), "emo135.joy"),
        (lambda: Emotion.from_json('{"version": 1, "weights": {"emo135.joy": null}}'), "got None"),
    ],
)
def test_bad_input_is_told_in_a_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_adding_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        Emotion.of("joy") + 1  # type: ignore[operator]


@pytest.mark.parametrize("word", vocabulary.emo135())
def test_each_of_the_135_is_nearest_to_itself(word: vocabulary.Word) -> None:
    assert Emotion.of(word.id, 0.3).nearest_emo135() is word


@pytest.mark.parametrize(
    ("emotion", "wanted"),
    [
        (Emotion.of("pixelsmile.happy"), "happiness"),
        (Emotion.of("pixelsmile.anxious"), "anxiety"),
        (Emotion.of("pixelsmile.confident"), "pride"),
        (Emotion.of("text7.anger"), "anger"),
        (Emotion.of("terror") + Emotion.of("fear", 0.01), "terror"),
    ],
)
def test_other_words_have_their_nearest_of_the_135(emotion: Emotion, wanted: str) -> None:
    assert emotion.nearest_emo135().word == wanted


def test_neutral_has_none_of_the_135() -> None:
    with pytest.raises(ValueError, match="neutral face is none of the 135"):
        Emotion.neutral().nearest_emo135()
