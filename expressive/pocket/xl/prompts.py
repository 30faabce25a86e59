"""Prompts as CLIP reads them: start, one token per word of the pocket vocabulary, end, padding up to 77 tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import text

LENGTH = 77
PAD, UNKNOWN, START, END = (text.vocabulary()[w] for w in ("<|pad|>", "<|unknown|>", "<|im_start|>", "<|im_end|>"))


def tokenize(prompt: str) -> list[int]:
    """Token ids of a prompt between start and end, without padding.

    Case does not matter; a word that the vocabulary lacks is spelled in letters, as in `expressive.pocket.text`.
    Raises ValueError for a prompt of more than 75 tokens; the host cuts those into parts of 77 instead.
    """
    tokens = text.word_tokens(prompt)
    if len(tokens) > LENGTH - 2:
        raise ValueError(
            f"This prompt has {len(tokens)} tokens, and a pocket base reads at most {LENGTH - 2} at once. "
            "Shorten it; words that the pocket vocabulary lacks count once per letter."
        )
    return [START, *tokens, END]


def token_rows(prompts: Sequence[str], padding: int) -> Tensor:
    """Token ids [B,77]. `padding` is END for the first text encoder and PAD for SDXL's second, as in the host."""
    rows = [tokenize(prompt) for prompt in prompts]
    return torch.tensor([row + [padding] * (LENGTH - len(row)) for row in rows])


def paddings(encoders: int) -> tuple[int, ...]:
    """The padding of each of one or two text encoders."""
    return (END, PAD)[:encoders]
