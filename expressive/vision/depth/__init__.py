"""Depth by Marigold, of pictures and of clips: loading, estimating, one range for a clip, looking at it."""

from .estimate import SMOOTHING, estimate
from .folder import Marigold
from .maps import DepthMaps, coloured

__all__ = ["SMOOTHING", "DepthMaps", "Marigold", "coloured", "estimate"]
