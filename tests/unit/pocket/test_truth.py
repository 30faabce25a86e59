"""The landmarks: MediaPipe's order, on what is drawn, moving with face, head and camera."""

import hashlib
import importlib.util
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expressive.emotion import Emotion, vocabulary
from expressive.pocket.body import GESTURES, Body
from expressive.pocket.faces import Identity
from expressive.pocket.faces.svg import lighter
from expressive.pocket.scene import FRAMES, STYLES, Camera, Pose, Scene, picture
from expressive.pocket.scene.drawing import brush_of
from expressive.pocket.scene.landmarks import FACE_PART, LEFT_HAND_PART, POSE_PART, RIGHT_HAND_PART
from expressive.pocket.scene.mesh import MESH, mesh, shares
from expressive.pocket.scene.mesh_surface import stand, turned
from expressive.pocket.scene.overlay import beside
from expressive.pocket.scene.sampling import random_emotion, random_scene
from expressive.pocket.scene.truth import LANDMARKS, truth

ROOT = Path(__file__).parents[3]
WHO = Identity.sample(1_000_003)
HIPS_DOWN = (*range(25, 33),)  # pose landmarks that are never drawn


def points(scene: Scene) -> np.ndarray:
    """[553, 3]"""
    return truth(scene, maps=False).landmarks


def gap(found: np.ndarray, a: int, b: int) -> float:
    return float(np.linalg.norm(found[a, :2] - found[b, :2]))


def test_there_are_553_in_the_order_of_mediapipe_holistic() -> None:
    found = points(Scene(WHO))
    assert found.shape == (LANDMARKS, 3) and LANDMARKS == 553 and found.dtype == np.float32
    x, y = found[:, 0], found[:, 1]
    assert x[33] < x[133] < x[362] < x[263], "eye corners: the person's right outer to left outer"
    assert x[33] < x[468] < x[133] and x[362] < x[473] < x[263], "irises between them"
    assert x[61] < x[13] < x[291] and y[0] < y[13] <= y[14] < y[17], "mouth"
    assert y[10] < y[107] < y[159] < y[145] < y[1] < y[0] < y[17] < y[152], "from the forehead to the chin"
    assert y[105] < y[52] < y[159], "a brow's upper edge over its lower edge over the lid"
    assert x[234] < x[33] and x[454] > x[263], "the oval outside"
    right, top, left, bottom = 469, 470, 471, 472
    assert x[left] < x[468] < x[right] and y[top] < y[468] < y[bottom]
    pose = found[POSE_PART]
    assert np.allclose(pose[[0, 2, 5, 9, 10], :2], found[[1, 473, 468, 291, 61], :2])
    assert pose[8, 0] < x[33] < x[263] < pose[7, 0], "ears: 7 is the person's left, the picture's right"
    assert pose[12, 0] < pose[11, 0] and pose[24, 0] < pose[23, 0], "shoulders and hips"


def test_the_topology_is_mediapipes() -> None:
    package = importlib.util.find_spec("mediapipe")
    if package is None or not package.submodule_search_locations:
        pytest.skip("needs mediapipe")
    # read, not imported, which takes many seconds
    source = Path(package.submodule_search_locations[0]) / "tasks/python/vision/face_landmarker.py"
    lists = re.findall(r"FACE_LANDMARKS_(\w+): List\[Connection\] = \[(.*?)\]", source.read_text("utf-8"), re.DOTALL)
    theirs = {
        name: {frozenset(map(int, pair)) for pair in re.findall(r"Connection\((\d+), (\d+)\)", content)}
        for name, content in lists
    }

    def ours(*names: str) -> set[frozenset[int]]:
        chains = [mesh().contours[name] for name in names]
        return {frozenset(pair) for chain in chains for pair in zip(chain, chain[1:], strict=False)}

    assert {frozenset(edge) for edge in mesh().edges.tolist()} == theirs["TESSELATION"]
    assert ours("oval") | {frozenset((109, 10))} == theirs["FACE_OVAL"]
    assert ours("lips_outer_upper", "lips_outer_lower", "lips_inner_upper", "lips_inner_lower") == theirs["LIPS"]
    assert ours("eye_upper_left", "eye_lower_left") == theirs["RIGHT_EYE"]
    assert ours("eye_upper_right", "eye_lower_right") == theirs["LEFT_EYE"]
    assert ours("brow_upper_left", "brow_lower_left") == theirs["RIGHT_EYEBROW"]
    assert ours("brow_upper_right", "brow_lower_right") == theirs["LEFT_EYEBROW"]
    assert ours("nose_bridge", "nose_base") <= theirs["NOSE"]


def test_the_mesh_has_two_sides() -> None:
    net = mesh()
    assert np.array_equal(net.mirror[net.mirror], np.arange(MESH))
    for a, b in ((33, 263), (133, 362), (61, 291), (234, 454), (105, 334), (98, 327), (1, 1), (10, 10), (152, 152)):
        assert net.mirror[a] == b
    edges = {frozenset(edge) for edge in net.edges.tolist()}
    assert len(edges - {frozenset(edge) for edge in net.mirror[net.edges].tolist()}) == 6


def test_every_vertex_lies_between_its_neighbours() -> None:
    net = mesh()
    assert net.weights.shape == (MESH, len(net.anchors))
    assert np.allclose(net.weights.sum(axis=1), 1.0) and net.weights.min() > -1e-12
    assert np.allclose(net.weights[net.anchors], np.eye(len(net.anchors)))
    assert sorted(index for chain in net.chains.values() for index in set(chain))[-1] < MESH
    for name, chain in net.chains.items():
        places = shares(name)
        assert len(places) == len(chain) and np.all(np.diff(places) > 0) and 0 <= places[0] and places[-1] <= 1


def test_arrays_of_points_go_where_single_points_go() -> None:
    frontal = np.random.default_rng(0).uniform((30, 20, 0), (98, 110, 8), (200, 3))
    for pose in (Pose(), Pose(25, -10, 7), Pose(-30, 30, -30)):
        surface = brush_of(Scene(WHO, pose=pose)).surface
        placed = stand(surface, frontal)
        assert np.allclose(placed, [surface.point(*point) for point in frontal.tolist()])
        assert np.allclose(turned(surface, placed), [surface.turned(tuple(point)) for point in placed.tolist()])


def test_a_mirrored_person_has_mirrored_landmarks() -> None:
    rest, partner = points(Scene(WHO)), mesh().mirror
    middle = rest[10, 0]
    assert np.allclose(2 * middle - rest[partner, 0], rest[:MESH, 0], atol=1e-5)
    assert np.allclose(rest[partner, 1], rest[:MESH, 1], atol=1e-5)
    one = points(Scene(WHO, movements={"AU12R": 1.0, "AU2R": 1.0}, pose=Pose(20, 5, 8)))
    other = points(Scene(WHO, movements={"AU12L": 1.0, "AU2L": 1.0}, pose=Pose(-20, 5, -8)))
    assert np.allclose(2 * middle - other[:MESH][partner, 0], one[:MESH, 0], atol=1e-4)
    assert np.allclose(other[:MESH][partner, 1], one[:MESH, 1], atol=1e-4)


def test_a_smile_draws_the_corners_of_the_mouth_outwards_and_up() -> None:
    rest, smile = points(Scene(WHO)), points(Scene(WHO, movements={"AU12": 1.0}))
    assert smile[61, 0] < rest[61, 0] and smile[291, 0] > rest[291, 0]
    assert smile[61, 1] < rest[61, 1] - 0.02 and smile[291, 1] < rest[291, 1] - 0.02
    assert np.allclose(smile[[33, 263, 468], :2], rest[[33, 263, 468], :2], atol=1e-6)


def test_lids_meet_as_eyes_close_and_hide_the_iris() -> None:
    rest, shut = points(Scene(WHO)), points(Scene(WHO, movements={"AU43": 1.0}))
    for upper, lower in ((159, 145), (386, 374)):
        assert gap(rest, upper, lower) > 0.04 and gap(shut, upper, lower) < 0.005
    assert rest[468:478, 2].all() and not shut[468:478, 2].any()


def test_the_jaw_parts_the_lips_and_lowers_the_chin() -> None:
    rest, opened = points(Scene(WHO)), points(Scene(WHO, movements={"AU26": 1.0, "AU25": 1.0}))
    assert gap(opened, 13, 14) > gap(rest, 13, 14) + 0.03
    assert opened[152, 1] > rest[152, 1] + 0.01


def test_gaze_moves_the_irises_and_not_the_lids_corners() -> None:
    left, right = points(Scene(WHO, movements={"AU62": 0.8})), points(Scene(WHO, movements={"AU61": 0.8}))
    assert abs(left[468, 0] - right[468, 0]) > 0.02
    assert np.allclose(left[[33, 133], :2], right[[33, 133], :2])


def test_turning_the_head_moves_the_nose_within_the_oval() -> None:
    def share(scene: Scene) -> tuple[float, float]:
        found = points(scene)
        return (
            float((found[1, 0] - found[234, 0]) / (found[454, 0] - found[234, 0])),
            float((found[1, 1] - found[10, 1]) / (found[152, 1] - found[10, 1])),
        )

    x, y = share(Scene(WHO))
    assert x == pytest.approx(0.5, abs=1e-3)
    assert share(Scene(WHO, pose=Pose(25, 0, 0)))[0] > x + 0.15
    assert share(Scene(WHO, pose=Pose(-25, 0, 0)))[0] < x - 0.15
    assert share(Scene(WHO, pose=Pose(0, 20, 0)))[1] < y - 0.05 < y + 0.05 < share(Scene(WHO, pose=Pose(0, -20, 0)))[1]
    far = points(Scene(WHO, pose=Pose(28, 0, 0)))[POSE_PART]
    assert far[8, 2] and not far[7, 2], "the far ear is hidden"
    tilted = points(Scene(WHO, pose=Pose(0, 0, 15)))
    eyes = tilted[263, :2] - tilted[33, :2]
    assert np.degrees(np.arctan2(eyes[1], eyes[0])) == pytest.approx(15, abs=2)


def test_the_camera_moves_all_landmarks_alike() -> None:
    scene = Scene(WHO, pose=Pose(12, -8, 5), frame="upper_body", body=Body().gesturing("peace", "both"))
    camera = Camera(x=0.07, y=-0.04, zoom=1.25)
    before, after = points(scene), points(replace(scene, camera=camera))
    expected = (before[:, :2] - 0.5 - (camera.x, camera.y)) * camera.zoom + 0.5
    assert np.allclose(after[:, :2], expected, atol=1e-5)
    box = np.array(truth(replace(scene, camera=camera), maps=False).face_box).reshape(2, 2)
    old = np.array(truth(scene, maps=False).face_box).reshape(2, 2)
    assert np.allclose(box, (old - 0.5 - (camera.x, camera.y)) * camera.zoom + 0.5, atol=1e-5)


def test_hands_are_there_when_raised_and_all_zero_when_they_hang_out_of_the_frame() -> None:
    portrait = points(Scene(WHO))
    assert not portrait[LEFT_HAND_PART].any() and not portrait[RIGHT_HAND_PART].any()
    assert not portrait[POSE_PART][11:, 2].any(), "a portrait shows no shoulder's joint"
    for gesture in GESTURES[1:]:
        found = points(Scene(WHO, frame="upper_body", body=Body().gesturing(gesture, "left")))
        hand, pose = found[LEFT_HAND_PART], found[POSE_PART]
        assert hand[:, 2].all() and not found[RIGHT_HAND_PART].any()
        assert np.array_equal(pose[[15, 17, 19, 21]], hand[[0, 17, 5, 2]])
        assert hand[:, 0].mean() > 0.45, "the person's left is the picture's right"
        assert pose[11:14, 2].all() and not pose[list(HIPS_DOWN), 2].any()


def test_a_hand_before_the_face_hides_what_lies_behind() -> None:
    clear = points(Scene(WHO, frame="upper_body"))
    hushed = points(Scene(WHO, frame="upper_body", body=Body().gesturing("mute")))
    hidden = (clear[FACE_PART, 2] > 0) & (hushed[FACE_PART, 2] == 0)
    assert 5 < hidden.sum() < 120
    assert hushed[[33, 263, 10], 2].all() and not hushed[17, 2], "the finger lies on the lips"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("pose", [Pose(), Pose(18, 8, 0), Pose(-15, -10, 6)])
def test_iris_and_pupil_are_painted_where_the_landmarks_say(style: str, pose: Pose) -> None:
    who = replace(WHO, glasses="none", iris=(62, 112, 168), hair_style="buzz")
    scene = Scene(who, style=style, pose=pose, movements={"AU5": 0.6})
    found, pixels = points(scene), picture(scene, 512).astype(int)

    def colour(spot: np.ndarray) -> np.ndarray:
        return pixels[int(spot[1] * 512), int(spot[0] * 512)]

    for first in (468, 473):
        middle, left, bottom = found[first, :2], found[first + 3, :2], found[first + 4, :2]
        assert colour(middle).sum() < 150, "the pupil is dark"
        for rim in (left, bottom):
            ring = colour(middle + 0.74 * (rim - middle))
            assert ring[2] > ring[0] + 25 and np.abs(ring - lighter(who.iris, 0.12)).sum() < 160
        outside, ring = colour(middle + 1.35 * (left - middle)), colour(middle + 0.74 * (left - middle))
        assert outside[2] - outside[0] < ring[2] - ring[0] - 20, "the white of the eye, or skin"


def test_the_words_of_the_emotion() -> None:
    known = truth(Scene(WHO, Emotion.of("delight", 0.7)), maps=False)
    assert known.label == vocabulary.resolve("delight").index - 1
    assert vocabulary.emo135()[known.label].word == "delight"
    assert known.action_units == Scene(WHO, Emotion.of("delight", 0.7)).action_units
    assert known.intensities.shape == (12,) and known.intensities.dtype == np.float32
    both = truth(Scene(WHO, Emotion.of("delight") + Emotion.of("fear")), maps=False)
    twelve = truth(Scene(WHO, Emotion.of("pixelsmile.sad", 0.4)), maps=False)
    assert both.label == twelve.label == truth(Scene(WHO), maps=False).label == -1
    place = [word.word for word in vocabulary.pixelsmile()].index("sad")
    assert twelve.intensities[place] == pytest.approx(0.4) and twelve.intensities.sum() == pytest.approx(0.4)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(1_000_000, 1_900_000),
    frame=st.sampled_from(tuple(FRAMES)),
    spread=st.sampled_from([(11.0, 6.0, 4.0), (40.0, 40.0, 40.0)]),
)
def test_any_scene_has_finite_landmarks(seed: int, frame: str, spread: tuple[float, float, float]) -> None:
    scene = random_scene(seed, Identity.sample(seed), random_emotion(seed), frame=frame, spread=spread)
    known = truth(scene, maps=False)
    assert np.isfinite(known.landmarks).all() and np.isfinite(known.face_box).all()
    assert set(np.unique(known.landmarks[:, 2])) <= {0.0, 1.0}
    left, top, right, bottom = known.face_box
    assert left < right and top < bottom
    face = known.landmarks[FACE_PART, :2]
    assert np.all(face > np.array((left, top)) - 0.03) and np.all(face < np.array((right, bottom)) + 0.03)
    assert known.depth.size == known.mask.size == 0


def test_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from expressive.pocket.faces import Identity; from expressive.pocket.scene.truth import truth;"
        "from expressive.pocket.scene.sampling import random_scene;"
        "t = truth(random_scene(5, Identity.sample(1000005), frame='upper_body'), 64);"
        "print(hashlib.sha256(t.landmarks.tobytes() + t.depth.tobytes() + t.mask.tobytes()).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    known = truth(random_scene(5, Identity.sample(1_000_005), frame="upper_body"), 64)
    digest = hashlib.sha256(known.landmarks.tobytes() + known.depth.tobytes() + known.mask.tobytes()).hexdigest()
    assert other.stdout.strip() == digest


def test_overlays_show_landmarks_and_depth() -> None:
    scene = Scene(WHO, frame="upper_body", body=Body().gesturing("ok"))
    image = picture(scene, 64)
    drawn = beside(image, truth(scene, 64), size=128, wires=True)
    assert drawn.shape == (128, 256, 3) and drawn.dtype == np.uint8
    assert np.abs(drawn[:, :128].astype(int) - beside(image, truth(scene, 64), size=128)[:, :128]).any()
    assert drawn[0, 128:].max() < 60, "the background is dark"
