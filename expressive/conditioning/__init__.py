"""Textual latent interpolation (PixelSmile, arXiv 2603.25728, §4.1): move a prompt's embedding along an emotion."""

from .alphas import ALPHA_MAX, ALPHA_MIN, alpha_label, alpha_rows, parse_alphas
from .conditioning import Conditioning, interpolate_conditioning, prompts_per_alpha
from .interpolate import METHODS, blend

__all__ = [
    "ALPHA_MAX",
    "ALPHA_MIN",
    "METHODS",
    "Conditioning",
    "alpha_label",
    "alpha_rows",
    "blend",
    "interpolate_conditioning",
    "parse_alphas",
    "prompts_per_alpha",
]
