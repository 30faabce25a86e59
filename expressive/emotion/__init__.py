"""Emotion words, the `Emotion` value that travels between nodes, and the prompts that ask for it."""

from . import vocabulary
from .emotion import Emotion

__all__ = ["Emotion", "vocabulary"]
