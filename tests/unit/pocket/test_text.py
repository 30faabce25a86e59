import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expressive.emotion import vocabulary as emotions
from expressive.pocket import text
from expressive.pocket.training.captions import Captions, names, prompt
from expressive.pocket.training.people import EXPRESSIONS

TEMPLATE = (
    "<|im_start|>system\nDescribe the key features of the input image (color, shape).<|im_end|>\n"
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
WORDS = sorted(w for w in text.vocabulary() if re.fullmatch("[a-z]{2,}", w))
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MARKER = "Picture 1: <|vision_start|><|image_pad|><|vision_end|>"


@pytest.mark.parametrize("subject", ["person", "character"])
@pytest.mark.parametrize("word", [*EXPRESSIONS, *(w.word for w in emotions.emo135())])
def test_the_expression_word_has_index_minus_seven(word: str, subject: str) -> None:
    tokens = text.tokenize(prompt(word, subject))
    assert text.words([tokens[-7]]) == word
    assert len(tokens) == 14


def test_picture_markers_chat_template_and_case_do_not_matter() -> None:
    plain = text.tokenize("Edit the person to show a happy expression")
    assert text.tokenize(MARKER + "Edit the person to show a happy expression") == plain
    assert text.tokenize(TEMPLATE.format(MARKER + "edit the PERSON to show a happy expression")) == plain


@patient
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_known_words_come_back(words: list[str]) -> None:
    assert text.words(text.tokenize(" ".join(words))) == " ".join(words)


@patient
@given(st.text(max_size=23))
def test_any_text_is_tokens_or_a_sentence(written: str) -> None:
    try:
        tokens = text.tokenize(written)
    except ValueError as error:  # some characters decompose into many
        assert "Shorten it" in str(error)
        return
    assert 6 <= len(tokens) <= text.MAX_TOKENS
    assert all(0 < token < len(text.vocabulary()) for token in tokens)
    assert tokens[0] == text.vocabulary()["<|im_start|>"]
    assert tokens[-5:] == text.tokenize("")[-5:]


def test_a_long_prompt_is_a_sentence_with_the_numbers() -> None:
    with pytest.raises(ValueError, match=r"72 tokens, and a pocket model reads at most 71"):
        text.tokenize("happy " * 72)
    assert len(text.tokenize("happy " * 71)) == 77


def test_unknown_words_are_spelled() -> None:
    assert text.words(text.tokenize("zürxq!")) == "z u r x q !"


def test_captions_confuse_pairs_symmetrically_at_the_stated_rate() -> None:
    import torch

    captions = Captions([("fear", "surprised")], noise=0.25, synonyms=0.0)
    for shown, other in (("fear", "surprised"), ("surprised", "fear")):
        index = torch.full((4000,), EXPRESSIONS.index(shown))
        rows = captions.draw(index, torch.zeros(4000, dtype=torch.bool), torch.Generator().manual_seed(0))
        called = [text.words([int(token)]) for token in rows[:, -7]]
        assert set(called) == {shown, other}
        assert 0.22 < called.count(other) / 4000 < 0.28
    happy = captions.draw(
        torch.full((500,), EXPRESSIONS.index("happy")), torch.ones(500, dtype=torch.bool), torch.Generator()
    )
    assert {text.words(row.tolist()) for row in happy} == {"edit the character to show a happy expression"}


def test_synonyms_are_words_of_the_same_expression_alone() -> None:
    claimed: dict[str, str] = {}
    for expression in EXPRESSIONS:
        for name in names(expression):
            assert claimed.setdefault(name, expression) == expression
    assert "joy" in names("happy")
