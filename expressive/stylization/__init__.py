"""GenEAva's second stage: a realistic face becomes a cartoon avatar that keeps its identity and its expression.

The paper stylizes with DCT-Net, a network for a single style. Here any diffusion UNet and any prompt give the style:
`inversion` finds the noise from which the model would paint the source, `structure` hands the source's self-attention
and features to the new picture while that noise is taken away again (Plug-and-Play, Tumanyan et al., CVPR 2023), and
`adain` lends it the colours of a picture (Huang & Belongie, ICCV 2017).
"""

from .adain import adapt_statistics
from .inversion import Trajectory, invert, noise_levels_up
from .structure import SourceStructure

__all__ = ["SourceStructure", "Trajectory", "adapt_statistics", "invert", "noise_levels_up"]
