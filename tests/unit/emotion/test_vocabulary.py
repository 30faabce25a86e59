"""The vocabulary files: complete, within their schemas, and each word unlike the others."""

import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from expressive.emotion import Emotion, vocabulary

FOLDER = Path(vocabulary.__file__).parent
DRAWN = (*vocabulary.emo135(), *vocabulary.pixelsmile())


@pytest.mark.parametrize("name", vocabulary.VOCABULARIES)
def test_file_follows_its_schema(name):
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)
    broken = json.loads(json.dumps(content))
    broken["entries"][0]["valence"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(broken)


def test_the_tree_has_its_known_size():
    words = vocabulary.emo135()
    assert [word.index for word in words] == list(range(1, 136))
    assert Counter(word.primary for word in words) == {
        "love": 16,
        "joy": 33,
        "surprise": 3,
        "anger": 29,
        "sadness": 37,
        "fear": 17,
    }
    runs = [key for key, _ in itertools.groupby((word.primary, word.secondary) for word in words)]
    assert len(runs) == len(set(runs)) == 25  # each secondary class is one run of the table
    assert [word.word for word in words[:3]] == ["adoration", "affection", "love"]
    assert words[24].word == "delight" and words[134].word == "dread"


def test_the_twelve_and_the_seven_have_the_order_of_their_sources():
    assert [word.word for word in vocabulary.pixelsmile()] == (
        "angry confused contempt confident disgust fear happy sad shy sleepy surprised anxious".split()
    )
    assert {word: vocabulary.entry(f"pixelsmile.{word}").aliases[1] for word in ("shy", "sleepy", "anxious")} == {
        "shy": "embarrassment",
        "sleepy": "drowsiness",
        "anxious": "nervousness",
    }
    assert [(word.index, word.word) for word in vocabulary.text7()] == list(
        enumerate("anger disgust fear joy neutral sadness surprise".split())
    )


@pytest.mark.parametrize("name", vocabulary.VOCABULARIES)
def test_ids_are_unique_and_say_the_word(name):
    words = getattr(vocabulary, name)()
    assert [word.id for word in words] == [f"{name}.{word.word}" for word in words]
    spellings = [s for word in words for s in {word.word, *word.aliases}]
    assert len(spellings) == len(set(spellings))


def test_every_face_differs_in_its_movements():
    for words in (vocabulary.emo135(), vocabulary.pixelsmile()):
        seen = {word: {**word.action_units, **word.signs} for word in words}
        for a, b in itertools.combinations(words, 2):
            apart = sum(abs(seen[a].get(k, 0) - seen[b].get(k, 0)) for k in {*seen[a], *seen[b]})
            assert apart >= 0.5, f"{a.word} and {b.word} move alike"


def test_every_face_differs_in_its_description():
    for region in vocabulary.REGIONS:
        texts = Counter(word.description[region] for word in vocabulary.emo135())
        assert texts.most_common(1)[0][1] == 1


@pytest.mark.parametrize("word", DRAWN, ids=lambda word: word.id)
def test_description_and_action_units_tell_of_the_same_face(word):
    said, moved = word.description, {code.rstrip("LR") for code in word.action_units}
    head = set(re.findall(r"\w+", said["head_gaze"]))
    assert ("left" in head) == bool(moved & {"AU51", "AU55", "AU61"})
    assert ("right" in head) == bool(moved & {"AU52", "AU56", "AU62"})
    for code in word.action_units:
        if code[-1] in "LR":
            side = "left" if code.endswith("L") else "right"
            assert any(side in said[region] for region in ("mouth", "brows", "cheeks_nose"))
    everything = " ".join(said.values())
    hints = {
        "blush": r"flush|red|ruddy|pink|blush|crimson|scorch|burning|warm|colour",
        "tears": r"tear|wet|stream|moist|mist|brim|glist|swim|weep",
        "sweat": r"sweat|damp|clammy",
    }
    for sign in word.signs:
        assert re.search(hints[sign], everything), f"the text does not tell of {sign}"
    if re.search(r"gap|opened|dropped open|thrown open|hanging open|scream|gasp", said["mouth"]):
        assert moved & {"AU25", "AU26", "AU27"}
    if re.search(r"wide|opened round", said["eyes"]):
        assert "AU5" in moved
    if re.search(r"lowered|pulled down|drawn together", said["brows"]):
        assert "AU4" in moved
    if re.search(r"raised|lifted high", said["brows"]):
        assert moved & {"AU1", "AU2"}
    if "AU9" in moved:
        assert re.search(r"nose|bridge", said["cheeks_nose"])


@pytest.mark.parametrize("word", vocabulary.emo135(), ids=lambda word: word.word)
def test_mappings_are_shares(word):
    assert 0 < sum(word.pixelsmile.values()) <= 1 + 1e-9
    assert sum(word.text7.values()) == pytest.approx(1)


def test_classes_agree_with_the_tree():
    # Where a face tells another story than the tree: the tree puts disgust under anger, torment beside it, and so on.
    apart = {
        "compassion": "sadness",
        "longing": "sadness",
        "loathing": "disgust",
        "scorn": "disgust",
        "disgust": "disgust",
        "revulsion": "disgust",
        "contempt": "disgust",
        "torment": "sadness",
        "displeasure": "anger",
        "insecurity": "fear",
        "insult": "anger",
        "shock": "surprise",
    }
    for word in vocabulary.emo135():
        expected = "joy" if word.primary == "love" else word.primary
        assert Emotion.of(word.id).nearest_text7() == apart.get(word.word, expected), word.word


def test_valence_has_the_sign_of_the_class():
    for word in vocabulary.emo135():
        if word.primary == "joy":
            assert word.valence >= 0.5, word.word
        if word.primary in ("anger", "fear"):
            assert word.valence <= -0.2, word.word
        if word.primary == "sadness" and word.secondary != "sympathy":
            assert word.valence <= -0.35, word.word
    loud, quiet = vocabulary.entry("emo135.rage"), vocabulary.entry("emo135.annoyance")
    assert loud.arousal > quiet.arousal > vocabulary.entry("emo135.depression").arousal


@pytest.mark.parametrize(
    ("typed", "word_id"),
    [
        ("delight", "emo135.delight"),
        (" Delight ", "emo135.delight"),
        ("suspense", "emo135.tenseness"),
        ("hatred", "emo135.hate"),
        ("attractiveness", "emo135.attraction"),
        ("grouchy", "emo135.grouchiness"),
        ("disgust", "emo135.disgust"),
        ("happiness", "emo135.happiness"),
        ("happy", "pixelsmile.happy"),
        ("Drowsiness", "pixelsmile.sleepy"),
        ("Confidence", "pixelsmile.confident"),
        ("neutral", "text7.neutral"),
        ("pixelsmile.disgust", "pixelsmile.disgust"),
        ("text7.joy", "text7.joy"),
    ],
)
def test_resolve(typed, word_id):
    assert vocabulary.resolve(typed).id == word_id


def test_every_word_and_alias_resolves_within_its_vocabulary_or_an_earlier_one():
    for place, name in enumerate(vocabulary.VOCABULARIES):
        for word in getattr(vocabulary, name)():
            for spelling in (word.id, word.word, *word.aliases):
                assert vocabulary.VOCABULARIES.index(vocabulary.resolve(spelling).vocabulary) <= place


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("delihgt", "delight"), ("hapy", "happy"), ("emo135.grif", "emo135.grief"), ("qqqq", "135 nouns"), ("", "135")],
)
def test_unknown_words_name_close_ones(typed, hint):
    with pytest.raises(ValueError, match=hint):
        vocabulary.resolve(typed)


def test_of_class():
    assert [word.word for word in vocabulary.of_class("surprise")] == ["amazement", "surprise", "astonishment"]
    assert len(vocabulary.of_class("sadness")) == 37
    assert len(vocabulary.of_class("cheerfulness")) == 17
    with pytest.raises(ValueError, match="love, joy, surprise, anger, sadness, fear"):
        vocabulary.of_class("bliss")


def test_loading_is_lazy_quick_and_light():
    script = """
import sys, time
from expressive.emotion import vocabulary
assert vocabulary._read.cache_info().currsize == 0, "read at import"
heavy = {"torch", "numpy", "diffusers", "transformers"} & set(sys.modules)
assert not heavy, heavy
start = time.process_time()
for name in vocabulary.VOCABULARIES:
    getattr(vocabulary, name)()
sys.stdout.write(str(time.process_time() - start))
"""
    seconds = [
        float(
            subprocess.run(
                [sys.executable, "-c", script], cwd=FOLDER.parents[1], check=True, capture_output=True
            ).stdout
        )
        for _ in range(5)
    ]
    assert min(seconds) < 0.02
