"""What the arms and hands of a drawn person do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..choices import GESTURES
from .gestures import HAND_POSES, HandPose

SWAY = 8.0  # degrees that the shoulders lean at most


@dataclass(frozen=True)
class Arm:
    """One arm. It hangs by the side, out of a portrait's frame, unless it is lifted.

    hand: a hand shape that replaces the gesture's own (between two gestures, in an animation).
    Raises ValueError for an unknown gesture.
    """

    gesture: str = "relaxed"  # one of GESTURES
    lift: float = 0.0  # 0 hangs … 1 the hand beside the face
    out: float = 0.0  # −1 the hand before the body's middle … 1 far out to the side
    turn: float = 0.0  # degrees that the hand turns about the wrist, > 0 outwards
    hand: HandPose | None = None

    def __post_init__(self) -> None:
        if self.gesture not in GESTURES:
            raise ValueError(f"Gesture {self.gesture!r} is not drawn here; choose one of {', '.join(GESTURES)}.")

    @property
    def shape(self) -> HandPose:
        """The hand's shape."""
        return self.hand or HAND_POSES[self.gesture]

    def blend(self, other: Arm, share: float) -> Arm:
        """The arm `share` (0..1) of the way to `other`; exactly this arm at 0, exactly the other at 1."""
        if share <= 0.0:
            return self
        if share >= 1.0:
            return other
        return Arm(
            gesture=self.gesture if share < 0.5 else other.gesture,
            lift=self.lift + (other.lift - self.lift) * share,
            out=self.out + (other.out - self.out) * share,
            turn=self.turn + (other.turn - self.turn) * share,
            hand=self.shape.blend(other.shape, share),
        )


PRESENTED: dict[str, Arm] = {
    "relaxed": Arm(),
    "call": Arm("call", 1.12, -0.3),
    "dislike": Arm("dislike", 0.52, 0.1),
    "fist": Arm("fist", 0.8, 0.1),
    "four": Arm("four", 0.86, 0.12),
    "like": Arm("like", 0.62, 0.1),
    "mute": Arm("mute", 0.93, -0.865),
    "ok": Arm("ok", 0.86, 0.12),
    "one": Arm("one", 0.86, 0.1),
    "palm": Arm("palm", 0.86, 0.14),
    "peace": Arm("peace", 0.86, 0.1),
    "rock": Arm("rock", 0.86, 0.12),
    "stop": Arm("stop", 0.86, 0.1),
}
"""Gesture → how an arm shows it to the viewer."""


@dataclass(frozen=True)
class Body:
    """Both arms; left and right are the person's own, so that the left arm is on the picture's right.

    sway: degrees that the shoulders lean, > 0 to the picture's right. breath: 0 out … 1 in, lifts the shoulders.
    """

    left: Arm = field(default_factory=Arm)
    right: Arm = field(default_factory=Arm)
    sway: float = 0.0
    breath: float = 0.0

    def gesturing(self, gesture: str, hand: str = "right") -> Body:
        """This body showing a gesture with one hand ('left' or 'right'), or with 'both'.

        Raises ValueError for an unknown gesture or hand.
        """
        if gesture not in PRESENTED:
            raise ValueError(f"Gesture {gesture!r} is not drawn here; choose one of {', '.join(GESTURES)}.")
        arm = PRESENTED[gesture]
        if hand == "left":
            return replace(self, left=arm)
        if hand == "right":
            return replace(self, right=arm)
        if hand == "both":
            return replace(self, left=arm, right=arm)
        raise ValueError(f"A body has no hand {hand!r}; choose 'left', 'right' or 'both'.")

    def blend(self, other: Body, share: float) -> Body:
        """The body `share` (0..1) of the way to `other`; exactly this one at 0, exactly the other at 1."""
        if share <= 0.0:
            return self
        if share >= 1.0:
            return other
        return Body(
            left=self.left.blend(other.left, share),
            right=self.right.blend(other.right, share),
            sway=self.sway + (other.sway - self.sway) * share,
            breath=self.breath + (other.breath - self.breath) * share,
        )
