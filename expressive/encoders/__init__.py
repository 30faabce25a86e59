"""Judges of faces: the interfaces, and the published networks behind them, loaded from files that the user has.

`interfaces` says what an encoder answers; `insightface`, `poster`, `clip` and `holistic` load the published ones from a
path. Nothing heavy is imported before something is loaded.
"""

from .interfaces import (
    LANDMARKS,
    ExpressionEncoder,
    ExpressionReading,
    FaceFinder,
    FacePoints,
    IdentityEncoder,
    IdentityReading,
    ImageEncoder,
    ImageTextEncoder,
    LandmarkDetector,
    Landmarks,
    PatchEncoder,
    check_pictures,
    require_found,
)

__all__ = [
    "LANDMARKS",
    "ExpressionEncoder",
    "ExpressionReading",
    "FaceFinder",
    "FacePoints",
    "IdentityEncoder",
    "IdentityReading",
    "ImageEncoder",
    "ImageTextEncoder",
    "LandmarkDetector",
    "Landmarks",
    "PatchEncoder",
    "check_pictures",
    "require_found",
]
