"""Text to picture in the drawn world: PocketXL, shaped as SDXL, and PocketVideo, shaped as Stable Diffusion 1.5."""

from .config import AutoencoderConfig, BaseConfig, EncoderConfig, UNetConfig
from .model import PocketVideo, PocketXL, load_base

__all__ = [
    "AutoencoderConfig",
    "BaseConfig",
    "EncoderConfig",
    "PocketVideo",
    "PocketXL",
    "UNetConfig",
    "load_base",
]
