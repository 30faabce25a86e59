"""The node, as the host loads it."""

import re

import pytest

WOMAN = {"style": "geneava", "age": "middle-aged", "gender": "woman", "race": "Indian", "details": ""}
EDIT = {"style": "pixelsmile", "subject": "person"}


@pytest.fixture
def run(pack):
    node = pack.nodes.expression_prompt.ExpressionPrompt

    def execute(mode, style=EDIT, intensity=1.0, **more):
        if isinstance(mode, str):
            mode = {"mode": "single", "word": mode}
        prompt, neutral, negative, emotion, label = node.execute(
            intensity=intensity, mode=mode, style=style, **more
        ).result
        assert len(prompt) == len(neutral) == len(negative) == len(emotion) == len(label)
        return prompt, neutral, negative, emotion, label

    return execute


def test_single(run, pack):
    prompt, neutral, negative, emotion, label = run("happy")
    assert prompt == ["Edit the person to show a happy expression"]
    assert neutral == ["Edit the person to show a neutral expression"]
    assert negative == [""]
    assert emotion == [pack.expressive.emotion.Emotion.of("happy")]
    assert label == ["happy"]


def test_styles_of_a_new_face(run):
    assert run("delight", WOMAN)[0] == [
        "A photorealistic face of a middle-aged Indian woman with shoulders visible, "
        "displaying a facial expression of delight, plain white background."
    ]
    assert "brows raised in glad arches" in run("delight", WOMAN | {"style": "facial attributes"})[0][0]
    prompt, _, negative, _, _ = run("delight", WOMAN | {"style": "tags", "details": "red scarf"})
    assert prompt[0].startswith("1girl, solo") and prompt[0].endswith("red scarf")
    assert "nsfw" in negative[0]


def test_intensity_scales_the_emotion_and_words_but_not_pixelsmile(run, pack):
    assert run("happy", intensity=0.5)[0] == run("happy")[0]
    assert "a mild facial expression" in run("happy", WOMAN, 0.5)[0][0]
    assert run("happy", intensity=0.5)[3] == [pack.expressive.emotion.Emotion.of("happy", 0.5)]
    prompt, neutral, _, _, label = run("happy", intensity=0.0)
    assert prompt == neutral
    assert label == ["neutral"]


def test_every_choice_of_the_combo_is_a_word(run, pack):
    mode = pack.nodes.expression_prompt.ExpressionPrompt.GET_SCHEMA().inputs[0]
    word = mode.options[0].inputs[0]
    assert word.options[0] == "neutral"
    assert len(word.options) == 1 + 12 + 135 - 3  # contempt, disgust and fear are in both vocabularies
    for choice in word.options:
        assert run(choice)[4] == [choice]


def test_all_135_in_the_order_of_the_tree(run, pack):
    words = [word.word for word in pack.expressive.emotion.vocabulary.emo135()]
    prompt, _, _, emotion, label = run({"mode": "all 135"}, WOMAN)
    assert label == words
    assert len(set(prompt)) == len(set(emotion)) == 135
    assert re.findall(r"of (\w+), plain", "\n".join(prompt)) == words


def test_the_twelve_in_pixelsmiles_order(run):
    prompt, _, _, emotion, label = run({"mode": "pixelsmile 12"})
    assert label == "angry confused contempt confident disgust fear happy sad shy sleepy surprised anxious".split()
    assert prompt == [f"Edit the person to show a {word} expression" for word in label]
    assert [felt.weights for felt in emotion] == [((f"pixelsmile.{word}", 1.0),) for word in label]


def test_a_primary_class(run):
    assert run({"mode": "primary class", "primary": "surprise"})[4] == ["amazement", "surprise", "astonishment"]
    assert len(run({"mode": "primary class", "primary": "fear"})[4]) == 17


def test_a_chosen_list_keeps_its_order(run):
    words = "sad, Delight\npixelsmile.fear;; hatred ,\n neutral"
    assert run({"mode": "chosen list", "words": words})[4] == ["sad", "delight", "fear", "hate", "neutral"]


def test_a_connected_emotion_replaces_the_word(run, pack):
    felt = pack.expressive.emotion.Emotion.of("rage", 0.8)
    prompt, _, _, emotion, label = run("happy", WOMAN, 0.5, emotion=felt)
    assert label == ["rage"]
    assert emotion == [felt.scaled(0.5)]
    assert "of rage" in prompt[0]


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ({"mode": "chosen list", "words": "happy, delihgt"}, "“delihgt” .*Did you mean delight"),
        ({"mode": "chosen list", "words": " ,\n"}, "list of words is empty"),
    ],
)
def test_bad_lists_are_told_in_a_sentence(run, mode, message):
    with pytest.raises(ValueError, match=message):
        run(mode)


def test_two_orders_at_once_are_refused(run, pack):
    with pytest.raises(ValueError, match="mode is “all 135”.*disconnect the emotion"):
        run({"mode": "all 135"}, emotion=pack.expressive.emotion.Emotion.of("joy"))
    with pytest.raises(ValueError, match="Expected an EMOTION .*got str"):
        run("happy", emotion="joy")


GRID = {
    "style": "geneava grid", "ages": "child, elderly", "genders": "woman, man", "races": "Indian, Latino",
    "details": "", "part": 1, "parts": 1,
}  # fmt: skip


def test_a_grid_has_everybody_once_with_each_emotion(run):
    prompt, neutral, _, emotion, label = run({"mode": "chosen list", "words": "joy, grief"}, GRID)
    assert len(prompt) == len(set(prompt)) == 2 * 8
    assert label[:3] == ["joy, Indian girl", "joy, Indian boy", "joy, Latina girl"]
    assert [felt.label for felt in emotion] == ["joy"] * 8 + ["grief"] * 8
    assert prompt[0].startswith("A photorealistic face of an Indian girl with") and "neutral" in neutral[0]


@pytest.mark.parametrize("parts", [1, 3, 16])
def test_the_parts_of_a_grid_are_the_whole(run, parts):
    mode = {"mode": "chosen list", "words": "joy, grief"}
    cut = [run(mode, GRID | {"part": part, "parts": parts})[4] for part in range(1, parts + 1)]
    assert sum(cut, []) == run(mode, GRID)[4]
    assert max(map(len, cut)) - min(map(len, cut)) <= 1


def test_geneavas_own_grid(run):
    from expressive.emotion.person import AGES, GENDERS, RACES

    everybody = {"ages": ", ".join(AGES), "genders": ", ".join(GENDERS), "races": ", ".join(RACES)}
    assert len(run({"mode": "all 135"}, GRID | everybody)[0]) == 135 * 70


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"part": 3, "parts": 2}, "no part 3 of 2 in a list of 8 prompts"),
        ({"parts": 9}, "no part 1 of 9"),
        ({"ages": " "}, "ages of a balanced grid have to be one or more"),
        ({"races": "Indian, Indian"}, "each once"),
        ({"genders": "lady"}, "Expected gender to be .*got “lady”"),
    ],
)
def test_a_wrong_grid_is_told_in_a_sentence(run, wrong, message):
    with pytest.raises(ValueError, match=message):
        run("joy", GRID | wrong)


def test_schema_tells_everything(pack):
    schema = pack.nodes.expression_prompt.ExpressionPrompt.GET_SCHEMA()
    assert schema.node_id == "ExpressionPrompt"
    assert schema.category == "Expressive Avatars/prompt"
    inputs = [*schema.inputs, *(i for dynamic in schema.inputs[0:3:2] for o in dynamic.options for i in o.inputs)]
    assert len(inputs) > 15
    assert all(item.tooltip for item in (*inputs, *schema.outputs))
    assert all(output.is_output_list for output in schema.outputs)
