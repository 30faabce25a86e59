"""Blinks, gaze, head and hands: everything from a seed, continuous, in human measure."""

import itertools

import numpy as np
import pytest

from expressive.emotion import Emotion
from expressive.pocket.talking import speak
from expressive.pocket.talking.motion import GESTURES_OF, moving
from expressive.speech.spoken import Speech

TEXT = "We should go home now because the weather looks worse every hour, and nobody here has an umbrella."


@pytest.fixture(scope="module")
def said() -> Speech:
    return speak(TEXT).padded(0.3, 0.3)


def long(seconds: float) -> Speech:
    return Speech(np.zeros(round(seconds * 16_000), np.float32), 16_000, (), ())


def test_the_same_seed_moves_the_same_and_another_does_not(said: Speech) -> None:
    first, again, other = moving(3, said), moving(3, said), moving(4, said)
    assert first == again != other
    assert first.face(1.23) == again.face(1.23) and first.pose(1.23) == again.pose(1.23)


def test_blinks_come_every_two_to_six_seconds_and_close_the_eyes() -> None:
    gaps: list[float] = []
    for seed in range(8):
        motion = moving(seed, long(60.0))
        assert 11 <= len(motion.blinks) <= 31
        gaps += [b - a for a, b in itertools.pairwise(motion.blinks)]
        for start in motion.blinks:
            lids = [motion.face(start + age).get("AU43", 0.0) for age in np.arange(0, 0.24, 0.005)]
            assert max(lids) == 1.0
            assert 0.12 < 0.005 * np.count_nonzero(np.array(lids) > 0.05) < 0.2
    assert min(gaps) >= 2.0 and max(gaps) <= 6.001 and 3.0 < np.mean(gaps) < 4.2


def test_the_head_stays_within_a_few_degrees_and_drifts_slowly() -> None:
    motion = moving(1, long(60.0))
    times = np.arange(0, 60, 0.01)
    poses = np.array([[p.yaw, p.pitch, p.roll] for p in map(motion.pose, times)])
    assert (np.abs(poses).max(axis=0) < [6, 4, 4]).all() and (poses.std(axis=0) > 0.3).all()
    assert np.abs(np.diff(poses, axis=0)).max() / 0.01 < 60  # degrees a second; a saccade takes the head along a little


def test_everything_is_continuous(said: Speech) -> None:
    motion = moving(5, said, Emotion.of("pixelsmile.surprised"))
    times = np.arange(0, said.seconds, 0.002)
    for code in ("AU43", "AU61", "AU62", "AU63", "AU64", "AU1", "AU2"):
        track = np.array([motion.face(time).get(code, 0.0) for time in times])
        assert np.abs(np.diff(track)).max() < 0.08, code
    for side in ("left", "right"):
        arms = [getattr(motion.body(time), side) for time in times]
        assert np.abs(np.diff([[a.lift, a.out, a.turn / 30] for a in arms], axis=0)).max() < 0.04


def test_heads_nod_on_stressed_words(said: Speech) -> None:
    motion = moving(2, said)
    assert 4 <= len(motion.stresses) <= 16
    still = moving(2, long(said.seconds))
    for time, _ in motion.stresses:
        assert motion.pose(time).pitch < still.pose(time).pitch - 0.5
        assert 0 < time < said.seconds


def test_hands_beat_with_the_words_when_roused_and_rest_when_sad(said: Speech) -> None:
    def raised(word: str) -> float:
        total = 0.0
        for seed in range(30):
            motion = moving(seed, said, Emotion.of(word))
            shapes = GESTURES_OF[Emotion.of(word).nearest_text7()]
            assert all(stroke.gesture in shapes for stroke in motion.strokes)
            for stroke in motion.strokes:
                body = motion.body((stroke.start + stroke.end) / 2)
                assert (body.left if stroke.left else body.right).lift > 0.2
                assert all(stroke.start < beat < stroke.end for beat in stroke.beats)
            total += sum(stroke.end - stroke.start for stroke in motion.strokes)
        return total

    assert raised("pixelsmile.angry") > 1.3 * raised("pixelsmile.sad") > 0
    assert moving(1, said, gestures=False).strokes == ()
    arms = moving(1, said).body(-1.0)
    assert arms.left.lift == arms.right.lift == 0.0
