"""What trainings minimise, by the papers' names: flow matching, symmetric contrast, identity, denoising, expression.

All give one value per sample.
"""

from .contrastive import TRIPLETS, Triplet, symmetric_contrastive_loss, triplet
from .denoising import diffused, min_snr_weight, one_step_estimate
from .expression import expression_loss, expression_weight
from .flow_matching import clean_estimate, flow_matching_loss, noised
from .identity import identity_loss, identity_weight

__all__ = [
    "TRIPLETS",
    "Triplet",
    "clean_estimate",
    "diffused",
    "expression_loss",
    "expression_weight",
    "flow_matching_loss",
    "identity_loss",
    "identity_weight",
    "min_snr_weight",
    "noised",
    "one_step_estimate",
    "symmetric_contrastive_loss",
    "triplet",
]
