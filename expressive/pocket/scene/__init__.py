"""One picture of the drawn world: who, feeling what, seen how; its pixels, and the truth about it."""

from ..faces import Pose
from .drawing import draw, picture, render
from .scene import FRAMES, STYLES, Camera, Light, Scene

__all__ = ["FRAMES", "STYLES", "Camera", "Light", "Pose", "Scene", "draw", "picture", "render"]
