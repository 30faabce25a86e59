"""The pocket tokenizer: one token per word of a small vocabulary, letters for any other word.

A prompt is wrapped as the real model wraps it, `<|im_start|> words … <|im_end|> \\n <|im_start|> assistant \\n`,
so that in "… to show a happy expression" the expression word has index −7, as PixelSmile's methods expect.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from pathlib import Path

MAX_TOKENS = 77
PAD = 0
_PICTURE = re.compile(r"(?:picture \d+:\s*)?<\|vision_start\|>(?:<\|image_pad\|>)*<\|vision_end\|>", re.IGNORECASE)
_MARKER = re.compile(r"<\|\w*\|>")
_PIECES = re.compile(r"[^\W\d_]+|\d|\n|[^\w\s]|_")
_HEAD, _TAIL = ("<|im_start|>",), ("<|im_end|>", "\n", "<|im_start|>", "assistant", "\n")
_SYSTEM = re.compile(r"<\|im_start\|>system\n.*?<\|im_end\|>\n", re.DOTALL)


@functools.cache
def vocabulary() -> dict[str, int]:
    """Word → token id, in the order of `vocabulary.json`; ids are stable, new words go to the end."""
    words = json.loads(Path(__file__).with_name("vocabulary.json").read_text(encoding="utf-8"))["words"]
    return {word: index for index, word in enumerate(words)}


def tokenize(text: str) -> list[int]:
    """Token ids of a prompt, with the wrapping.

    Case does not matter and accents are dropped. Picture markers of the editing nodes are left out: this encoder reads
    text only.
    A word that the vocabulary lacks is spelled in letters; a character that it lacks becomes `<|unknown|>`.
    Raises ValueError for a prompt of more than 77 tokens.
    """
    known = vocabulary()
    tokens = [known[piece] for piece in (*_HEAD, *_pieces(text), *_TAIL)]
    if len(tokens) > MAX_TOKENS:
        wrapping = len(_HEAD) + len(_TAIL)
        limit = MAX_TOKENS - wrapping
        raise ValueError(
            f"This prompt has {len(tokens) - wrapping} tokens, and a pocket model reads at most {limit}. "
            "Shorten it; words that the pocket vocabulary lacks count once per letter."
        )
    return tokens


def word_tokens(text: str) -> list[int]:
    """Token ids of a prompt's words alone, without the wrapping; any number of them."""
    known = vocabulary()
    return [known[piece] for piece in _pieces(text)]


def _pieces(text: str) -> list[str]:
    text = unwrap(text)
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(c for c in text if not unicodedata.combining(c))
    known = vocabulary()
    found: list[str] = []
    for word in _PIECES.findall(_MARKER.sub(" ", _PICTURE.sub(" ", text))):
        found += [word] if word in known else [c if c in known else "<|unknown|>" for c in word]
    return found


def unwrap(text: str) -> str:
    """The user's words out of a whole chat template (`<|im_start|>user\\n…<|im_end|>…`); any other text as it is."""
    text = _SYSTEM.sub("", text)
    whole = re.fullmatch(r"<\|im_start\|>(?:user\n)?(.*?)<\|im_end\|>\n<\|im_start\|>assistant\n?", text, re.DOTALL)
    return whole.group(1) if whole else text


def words(tokens: list[int]) -> str:
    """Tokens as text, the wrapping left out: known words and letters separated by blanks."""
    by_id = {index: word for word, index in vocabulary().items()}
    inner = [by_id[token] for token in tokens if token != PAD]
    if tuple(inner[:1]) == _HEAD and tuple(inner[-len(_TAIL) :]) == _TAIL:
        inner = inner[1 : -len(_TAIL)]
    return " ".join(inner)
