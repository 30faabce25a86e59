"""The head in space: unchanged at rest, mirrored poses, parts that move as a head's parts do."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from expressive.pocket.faces import HAIR_STYLES, STYLES, Brush, Identity, Pose, contours, rig, silhouettes
from expressive.pocket.faces.surface import depth_map

WHO = replace(Identity.sample(1_000_003), hair_style="bald", glasses="none")
POSES = [Pose(a, b, c) for a in (-30, 0, 30) for b in (-30, 0, 30) for c in (-30, 0, 30)]


def brush(pose: Pose | None = None, units: dict[str, float] | None = None, style: str = "portrait") -> Brush:
    return Brush(WHO, rig(units or {}, pose), style)


def placed(pose: Pose, units: dict[str, float] | None = None) -> dict[str, np.ndarray]:
    """Contours in the picture."""
    b = brush(pose, units)
    return {name: np.array([b.project(p) for p in points]) for name, points in contours(b).items()}


def points(d: str) -> np.ndarray:
    return np.array([float(v) for v in re.findall(r"-?\d+\.?\d*", d)]).reshape(-1, 2)


def test_at_rest_the_picture_is_the_frontal_drawing() -> None:
    b = brush()
    for x, y in ((64.0, 60.0), (40.0, 90.0), (20.0, 10.0)):
        assert b.at(x, y, 5.0) == (x, y)
        assert b.project(b.point(x, y, 5.0)) == (x, y)


def test_a_hairs_breadth_from_rest_is_close_to_rest() -> None:
    still, turned = placed(Pose()), placed(Pose(0.2, 0.2, 0.2))
    for name, here in still.items():
        assert np.abs(here - turned[name]).max() < 0.6


def test_turning_left_mirrors_turning_right() -> None:
    swap = {"left": "right", "right": "left"}
    right, left = placed(Pose(24, 8, 10)), placed(Pose(-24, 8, -10))
    for name, here in right.items():
        first, _, side = name.rpartition("_")
        twin = left[f"{first}_{swap[side]}" if side in swap else name] * [-1, 1] + [128, 0]
        if name.startswith("iris"):
            order = [0, 3, 2, 1, 4]
        elif name == "oval":
            order = [0, *range(len(here) - 1, 0, -1)]
        elif name == "nose_bridge":
            order = list(range(len(here)))
        else:
            order = list(range(len(here) - 1, -1, -1))
        assert np.abs(here - twin[order]).max() < 1e-6, name


def test_parts_move_with_the_head_and_the_nose_moves_most() -> None:
    still = placed(Pose())

    def shift(pose: Pose, name: str, index: int) -> np.ndarray:
        return placed(pose)[name][index] - still[name][index]

    for yaw in (12, 25):
        nose, eye, ear = (shift(Pose(yaw=yaw), *at)[0] for at in (("nose_bridge", -1), ("iris_left", 0), ("oval", 5)))
        assert nose > eye > ear and nose > 0
    up = placed(Pose(pitch=20))
    assert up["nose_bridge"][-1][1] < still["nose_bridge"][-1][1]
    assert up["iris_left"][0][1] - up["oval"][0][1] < still["iris_left"][0][1] - still["oval"][0][1]  # less forehead
    tilted = placed(Pose(roll=20))
    assert tilted["iris_left"][0][1] < tilted["iris_right"][0][1]  # clockwise: the picture's right goes down


def test_the_far_side_is_foreshortened_and_the_skull_keeps_its_width() -> None:
    turned = placed(Pose(yaw=30))
    widths = [np.ptp(turned[f"eye_upper_{side}"][:, 0]) for side in ("left", "right")]
    assert widths[1] < 0.75 * widths[0]
    for yaw in (10, 20, 30):
        width = [
            np.ptp(points(d)[:, 0])
            for pose in (Pose(), Pose(yaw=yaw))
            for region, d in silhouettes(brush(pose))
            if region == "head"
        ]
        assert 0.92 < width[1] / width[0] < 1.03


def test_the_near_ear_lies_before_the_head_and_the_far_one_behind() -> None:
    regions = [region for region, _ in silhouettes(brush(Pose(yaw=25)))]
    assert regions.index("ear") < regions.index("head") < len(regions) - 1 - regions[::-1].index("ear")


def test_depth_agrees_with_the_points_of_the_surface() -> None:
    for pose in (Pose(), Pose(25, 10, 5), Pose(-20, -15, 0)):
        surface = brush(pose).surface
        for x, y in ((64, 60), (52, 70), (74, 80), (64, 95)):
            px, py, z = surface.turned(surface.point(x, y, slide=False))
            assert depth_map(np.array([px]), np.array([py]), surface)[0] == pytest.approx(z, abs=0.6)
        assert np.isnan(depth_map(np.array([2.0]), np.array([2.0]), surface)[0])


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_infinite_in_any_pose_with_all_action_units(style: str) -> None:
    units = {f"AU{k}": 1.5 for k in (*range(1, 33), 43)}
    for pose in POSES:
        found = contours(brush(pose, units, style))
        assert all(math.isfinite(value) for line in found.values() for point in line for value in point)


def test_outlines_run_clockwise_so_that_shade_falls_once_where_they_overlap() -> None:
    for style in HAIR_STYLES:
        for pose in POSES:
            b = Brush(replace(WHO, hair_style=style), rig({}, pose), "portrait")
            for region, d in silhouettes(b):
                corners = points(d)
                after = np.roll(corners, -1, axis=0)
                area = (corners[:, 0] * after[:, 1] - after[:, 0] * corners[:, 1]).sum()
                assert area > 0, (style, region, pose)
