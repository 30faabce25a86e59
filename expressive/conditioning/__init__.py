"""Textual latent interpolation (PixelSmile, arXiv 2603.25728, §4.1): move a prompt's embedding along an emotion."""

from .alphas import ALPHA_MAX, ALPHA_MIN, alpha_label, alpha_rows, parse_alphas
from .calibration import Calibration
from .conditioning import Conditioning, interpolate_conditioning, prompts_per_alpha
from .interpolate import METHODS, blend
from .schedule import interpolate_over_steps, parse_schedule

__all__ = [
    "ALPHA_MAX",
    "ALPHA_MIN",
    "METHODS",
    "Calibration",
    "Conditioning",
    "alpha_label",
    "alpha_rows",
    "blend",
    "interpolate_conditioning",
    "interpolate_over_steps",
    "parse_alphas",
    "parse_schedule",
    "prompts_per_alpha",
]
