"""Arms and hands: joints that hold together, gestures that differ, blends and mirrors, refusals."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressive.pocket.body import GESTURES, HAND_POSES, Arm, ArmJoints, Body, joints
from expressive.pocket.body.hand import BONES, FINGERS
from expressive.pocket.body.skeleton import build
from expressive.pocket.faces import Identity, Pose
from expressive.pocket.faces.brush import Brush
from expressive.pocket.faces.rig import rig

PEOPLE = [Identity.sample(seed) for seed in range(1_000_000, 1_000_008)]
LIMITS = ((-165.0, 293.0), (-10.0, 365.0), (-125.0, 135.0))  # x, y, z that no joint leaves


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


arms = st.builds(
    Arm, gesture=st.sampled_from(GESTURES), lift=between(-0.5, 1.5), out=between(-1.5, 1.5), turn=between(-90, 90)
)
bodies = st.builds(Body, left=arms, right=arms, sway=between(-20, 20), breath=between(-1, 2))


def points(arm: ArmJoints) -> list[tuple[float, float, float]]:
    return [arm.shoulder, arm.elbow, *arm.hand]


@settings(max_examples=60, deadline=None)
@given(bodies, bodies, st.floats(0, 1), st.sampled_from(PEOPLE))
def test_joints_are_finite_within_limits_and_bones_keep_their_length(
    first: Body, second: Body, share: float, who: Identity
) -> None:
    skeleton, measures = joints(who, first.blend(second, share)), build(who)
    for arm in (skeleton.left, skeleton.right):
        assert len(arm.hand) == 21 and arm.wrist == arm.hand[0]
        for point in points(arm):
            assert all(low < value < high for value, (low, high) in zip(point, LIMITS, strict=True)), point
        bones = [(arm.shoulder, arm.elbow, measures.upper), (arm.elbow, arm.wrist, measures.fore)]
        for finger, lengths in zip(FINGERS, BONES, strict=True):
            ends = [arm.hand[i] for i in finger]
            bones += [(a, b, n * measures.hand) for a, b, n in zip(ends, ends[1:], lengths, strict=False)]
        for a, b, length in bones:
            assert math.dist(a, b) == pytest.approx(length, rel=1e-6)  # so in the picture it is at most this
        for vector in (arm.palm, *(back for finger in arm.backs for back in finger)):
            assert math.hypot(*vector) == pytest.approx(1.0, abs=1e-6)


@given(arms, arms)
@settings(max_examples=25, deadline=None)
def test_the_left_arm_mirrors_the_right(one: Arm, other: Arm) -> None:
    here, there = joints(PEOPLE[0], Body(left=one, right=other)), joints(PEOPLE[0], Body(left=other, right=one))
    for mine, mirrored in zip(points(here.left), points(there.right), strict=True):
        assert mine == pytest.approx((128 - mirrored[0], *mirrored[1:]), abs=1e-9)


@given(bodies, bodies)
@settings(max_examples=25, deadline=None)
def test_a_blend_begins_and_ends_with_its_bodies_and_moves_without_jumps(first: Body, second: Body) -> None:
    assert first.blend(second, 0.0) == first and first.blend(second, 1.0) == second
    start, end = joints(PEOPLE[1], first), joints(PEOPLE[1], second)
    near = joints(PEOPLE[1], first.blend(second, 1e-5)), joints(PEOPLE[1], first.blend(second, 1 - 1e-5))
    for still, moved in zip((start, end), near, strict=True):
        for a, b in ((still.left, moved.left), (still.right, moved.right)):
            assert max(math.dist(p, q) for p, q in zip(points(a), points(b), strict=True)) < 0.5


def test_no_two_gestures_look_alike() -> None:
    shown = {}
    for gesture in GESTURES[1:]:
        hand = joints(PEOPLE[2], Body().gesturing(gesture)).right.hand
        shown[gesture] = [(x - hand[0][0], y - hand[0][1]) for x, y, _ in hand]
    for a in shown:
        for b in shown:
            if a < b:
                apart = max(math.dist(p, q) for p, q in zip(shown[a], shown[b], strict=True))
                assert apart > 12, f"{a} and {b} differ by {apart:.1f} units at most"


def test_the_finger_of_mute_lies_on_the_lips_and_goes_with_the_head() -> None:
    for who in PEOPLE:
        for yaw in (-20.0, 0.0, 20.0):
            brush = Brush(who, rig({}, Pose(yaw=yaw)), "portrait")
            for hand in ("left", "right"):
                skeleton = joints(brush, Body().gesturing("mute", hand))
                tip = getattr(skeleton, hand).hand[8]
                assert math.dist(tip[:2], brush.at(64.0, 86.0)) < 9.0


def test_ok_is_a_ring_and_call_lies_beside_the_face() -> None:
    ok = joints(PEOPLE[3], Body().gesturing("ok")).right.hand
    assert math.dist(ok[4], ok[8]) < 0.1 * build(PEOPLE[3]).hand
    call = joints(PEOPLE[3], Body().gesturing("call")).right.hand
    assert call[4][1] < 95 and 40 < call[20][0] < 64 and call[20][1] < 115


def test_arms_at_rest_hang_below_a_portrait_and_raised_ones_lie_before_the_head() -> None:
    rest = joints(PEOPLE[0], Body())
    assert not rest.left.raised and rest.left.wrist[1] > 264
    shown = joints(PEOPLE[0], Body().gesturing("palm", "both"))
    assert shown.left.raised and shown.right.raised and shown.right.wrist[2] > 20


def test_every_gesture_has_a_shape_and_an_unknown_one_is_refused_with_a_sentence() -> None:
    assert set(HAND_POSES) == set(GESTURES)
    for refused in (lambda: Arm("wave"), lambda: Body().gesturing("wave")):
        with pytest.raises(ValueError, match="'wave' is not drawn here; choose one of relaxed, call"):
            refused()
    with pytest.raises(ValueError, match="choose 'left', 'right' or 'both'"):
        Body().gesturing("palm", "third")
