"""The drawn people: deterministic, different from each other, and moved by their action units."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.faces import GENDERS, RACES, Identity, Pose, draw, render
from expressive.pocket.faces.rig import rig

ROOT = Path(__file__).parents[3]
HAPPY = Emotion.of("pixelsmile.happy").action_units()


def digest(seed: int) -> str:
    return hashlib.sha256(render(draw(Identity.sample(seed), HAPPY)).tobytes()).hexdigest()


def test_the_same_seed_draws_the_same_pixels_in_another_process() -> None:
    code = (
        "import hashlib; from expressive.emotion import Emotion;"
        "from expressive.pocket.faces import Identity, draw, render;"
        "svg = draw(Identity.sample(7), Emotion.of('pixelsmile.happy').action_units());"
        "print(hashlib.sha256(render(svg).tobytes()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert other == digest(7)


def test_a_thousand_seeds_are_a_thousand_people_and_cover_every_group() -> None:
    people = [Identity.sample(seed) for seed in range(1000)]
    assert len({(p.skin, p.hair_colour, p.head_width, p.eye_size) for p in people}) == 1000
    counts = {(gender, race): 0 for gender in GENDERS for race in RACES}
    for person in people:
        counts[person.gender, person.race] += 1
    assert min(counts.values()) > 40  # 71 expected of each of the 14 groups


@pytest.mark.parametrize("style", ["portrait", "cartoon"])
def test_every_expression_changes_the_face_of_every_person(style: str) -> None:
    for seed in (1_000_000, 1_000_001, 1_000_002):
        who = Identity.sample(seed)
        pictures = [render(draw(who, {}, style=style)).astype(float)]
        for item in vocabulary.pixelsmile():
            emotion = Emotion.of(item.id)
            pictures.append(render(draw(who, emotion.action_units(), emotion.signs(), style=style)).astype(float))
        for i, first in enumerate(pictures):
            for second in pictures[:i]:
                assert np.abs(first - second).mean() > 0.8, "two expressions look the same"


def test_a_smile_grows_with_its_intensity() -> None:
    heights = [rig({"AU12": k}).mouth.left for k in (0.0, 0.3, 0.6, 1.0, 1.5)]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1]
    assert rig({"AU12": 9.0}) == rig({"AU12": 1.5})


def test_one_sided_action_units_move_one_side() -> None:
    mouth = rig({"AU12L": 1.0}).mouth
    assert mouth.right < 0 and mouth.left == 0  # the person's left is the picture's right


def test_head_movements_add_to_the_pose() -> None:
    assert rig({"AU51": 0.5}, Pose(yaw=3)).pose.yaw == pytest.approx(10.0)
    assert rig({"AU55": 1, "AU56": 1}).pose.roll == 0


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="portrait, cartoon"):
        draw(Identity.sample(1), {}, style="oil")


def test_any_size_is_rendered() -> None:
    for size in (64, 200):
        assert render(draw(Identity.sample(3), HAPPY), size).shape == (size, size, 3)


def test_drawing_is_fast() -> None:
    """The bar is 100 a second on one free core; slower machines get twice as long. The best of ten rounds counts."""
    who = Identity.sample(5)
    draw_one = lambda: render(draw(who, HAPPY))  # noqa: E731
    draw_one()
    rounds = []
    for _ in range(10):
        started = time.process_time()
        for _ in range(10):
            draw_one()
        rounds.append((time.process_time() - started) / 10)
    assert min(rounds) < 0.02
