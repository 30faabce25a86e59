"""Hand shapes: how far the fingers bend and spread, where the thumb goes, and which way the hand faces."""

from __future__ import annotations

from dataclasses import astuple, dataclass

Four = tuple[float, float, float, float]
"""One value for each of index, middle, ring and little finger."""

Thumb = tuple[float, float, float, float]


@dataclass(frozen=True)
class HandPose:
    """The shape and attitude of a hand, in degrees; mirrored for the left hand. Blends linearly.

    knuckles: bend of the joints at the palm. bends: bend of the middle joints; the last joints follow with a share.
    spread: how far the fingers lean towards the thumb. thumb: its root's swing away from the fingers within the palm's
    plane, its lift out of the palm, the bends of its two further joints.
    facing: 0 the palm to the viewer, 90 to the body's middle, 180 the back of the hand. tilt: the fingers towards the
    viewer. turn: the hand within the picture's plane, > 0 outwards. follow: 0 the hand keeps this attitude whatever the
    arm does … 1 it prolongs the forearm. elbow: 0 the elbow hangs … 1 it is held out to the side.
    hook: the index finger bends this much sideways, towards the thumb, instead of into the palm.
    """

    knuckles: Four
    bends: Four
    spread: Four
    thumb: Thumb
    facing: float = 0.0
    tilt: float = 0.0
    turn: float = 0.0
    follow: float = 0.0
    elbow: float = 0.0
    hook: float = 0.0

    def blend(self, other: HandPose, share: float) -> HandPose:
        """The shape `share` of the way to `other`; exactly this one at 0, exactly the other at 1."""
        if share <= 0.0:
            return self
        if share >= 1.0:
            return other

        def four(a: Four, b: Four) -> Four:
            return (
                a[0] + (b[0] - a[0]) * share,
                a[1] + (b[1] - a[1]) * share,
                a[2] + (b[2] - a[2]) * share,
                a[3] + (b[3] - a[3]) * share,
            )

        plain = [p + (q - p) * share for p, q in zip(astuple(self)[4:], astuple(other)[4:], strict=True)]
        return HandPose(
            four(self.knuckles, other.knuckles),
            four(self.bends, other.bends),
            four(self.spread, other.spread),
            four(self.thumb, other.thumb),
            *plain,
        )


_TIGHT = (84.0, 86.0, 86.0, 84.0)  # the knuckles and the middle joints of a closed hand
_FOLDED = (98.0, 100.0, 100.0, 98.0)
_ACROSS = (34.0, 46.0, 40.0, 42.0)  # the thumb over closed fingers
_LEVEL = (0.0, 0.0, 0.0, 0.0)

HAND_POSES: dict[str, HandPose] = {
    "relaxed": HandPose((14, 18, 22, 26), (24, 28, 30, 30), (3, 0, -3, -6), (32, 26, 14, 14), follow=1.0),
    "call": HandPose(
        (84, 88, 88, 6), (98, 100, 100, 6), (0, 0, 0, -26), (62, 4, -8, -8), facing=180, tilt=8, turn=-54, elbow=0.25
    ),
    "dislike": HandPose(_TIGHT, _FOLDED, _LEVEL, (70, 4, -6, -10), tilt=18, turn=-80, elbow=0.5),
    "fist": HandPose(_TIGHT, _FOLDED, _LEVEL, _ACROSS, tilt=6, turn=2),
    "four": HandPose((2, 0, 0, 2), (2, 2, 2, 2), (11, 3, -5, -14), (26, 44, 42, 44), turn=2),
    "like": HandPose(_TIGHT, _FOLDED, _LEVEL, (66, 4, -6, -14), facing=180, tilt=34, turn=-78, elbow=0.3),
    "mute": HandPose((4, 84, 86, 84), (4, 100, 100, 98), _LEVEL, _ACROSS, facing=150, tilt=10, turn=-16, elbow=0.2),
    "ok": HandPose((57, 10, 4, 2), (62, 10, 8, 6), (4, 0, -9, -19), (60, 14, 8, 26), facing=-10, tilt=4, hook=58),
    "one": HandPose((2, 84, 86, 84), (2, 100, 100, 98), (2, 0, 0, 0), (30, 44, 44, 46), turn=2),
    "palm": HandPose((0, 0, 0, 0), (3, 3, 3, 3), (14, 4, -7, -19), (52, 12, -4, -6), turn=2),
    "peace": HandPose((2, 2, 86, 84), (2, 2, 100, 98), (15, -8, 0, 0), (24, 46, 46, 46), turn=2),
    "rock": HandPose((2, 84, 86, 2), (2, 100, 100, 2), (8, 0, 0, -16), (28, 46, 44, 44), turn=2),
    "stop": HandPose((0, 0, 0, 0), (2, 2, 2, 2), (1, 0, -1, -2), (26, 10, 6, 6), turn=2),
}
"""Gesture → hand shape; all but 'relaxed' are classes of HaGRID (Kapitanov et al., 2024)."""
