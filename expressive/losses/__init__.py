"""What trainings minimise, by the papers' names: flow matching, symmetric contrast, identity; one value per sample."""

from .contrastive import TRIPLETS, Triplet, symmetric_contrastive_loss, triplet
from .flow_matching import clean_estimate, flow_matching_loss, noised
from .identity import identity_loss, identity_weight

__all__ = [
    "TRIPLETS",
    "Triplet",
    "clean_estimate",
    "flow_matching_loss",
    "identity_loss",
    "identity_weight",
    "noised",
    "symmetric_contrastive_loss",
    "triplet",
]
