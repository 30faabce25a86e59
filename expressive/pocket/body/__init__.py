"""The drawn upper body: shoulders, arms, and two hands that make gestures."""

from ..choices import GESTURES
from .body import Arm, Body
from .drawing import BodyDrawing, draw_body, silhouettes
from .gestures import HAND_POSES, HandPose
from .skeleton import ArmJoints, Joints, joints

__all__ = [
    "GESTURES",
    "HAND_POSES",
    "Arm",
    "ArmJoints",
    "Body",
    "BodyDrawing",
    "HandPose",
    "Joints",
    "draw_body",
    "joints",
    "silhouettes",
]
