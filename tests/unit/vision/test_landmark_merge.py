"""The host's FACE_LANDMARKS and POSE_KEYPOINT, to and fro, against the host's own nodes."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from expressive.vision.landmarks.connections import FACE_68, OPENPOSE_BODY, OPENPOSE_FEET, POSE_OF_FACE
from expressive.vision.landmarks.face_landmarks import connection_sets, from_face_landmarks, to_face_landmarks
from expressive.vision.landmarks.holistic_set import BLENDSHAPES, PARTS, HolisticSet
from expressive.vision.landmarks.merging import completed, merge, of_host
from expressive.vision.landmarks.openpose import from_pose_keypoint, to_pose_keypoint

from .drawn_landmarks import WAVING, known

SIZE = (200, 300)  # height, width
COCO_OF_POSE = {
    0: 0, 1: 2, 2: 5, 3: 7, 4: 8, 5: 11, 6: 12, 7: 13, 8: 14, 9: 15, 10: 16, 11: 23, 12: 24, 13: 25, 14: 26, 15: 27,
    16: 28, 17: 31, 19: 29, 20: 32, 22: 30,
}  # fmt: skip
"""COCO-WholeBody's body and feet → MediaPipe's pose."""


@pytest.fixture(scope="module")
def sdpose(host_modules: Path) -> ModuleType:
    return importlib.import_module("comfy_extras.nodes_sdpose")


@pytest.fixture(scope="module")
def mediapipe_nodes(host_modules: Path) -> ModuleType:
    return importlib.import_module("comfy_extras.nodes_mediapipe")


def wholebody(seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """133 points [133, 2] in pixels in COCO-WholeBody's order, each hand at its wrist, and scores [133]."""
    draw = np.random.default_rng(seed)
    points = draw.uniform((40, 30), (120, 170), (133, 2)) + (shift, 0.0)
    points[9], points[10] = (110 + shift, 150), (50 + shift, 150)  # left and right wrist
    points[91:112] = points[9] + draw.uniform(0, 8, (21, 2))
    points[112:133] = points[10] + draw.uniform(0, 8, (21, 2))
    return points, draw.uniform(0.4, 0.9, 133)


def whole(landmarks: HolisticSet) -> HolisticSet:
    """With a depth for every landmark."""
    points = landmarks.points.clone()
    points[..., 2] = 0.2 * torch.rand(points.shape[:2], generator=torch.Generator().manual_seed(4)) - 0.1
    return replace(landmarks, points=points)


def test_what_the_hosts_sdpose_writes_is_read_in_mediapipes_order(sdpose: ModuleType) -> None:
    points, scores = wholebody()
    frames = sdpose._to_openpose_frames([[points], []], [[scores], []], *SIZE)
    found = from_pose_keypoint(frames)
    pixels, seen = found.pixels[0, :, :2].numpy(), found.seen[0]
    assert found.image_size == SIZE and found.has("pose").tolist() == [True, False]
    for coco, pose in COCO_OF_POSE.items():
        np.testing.assert_allclose(pixels[478 + pose], points[coco], atol=1e-3)
        assert seen[478 + pose]
    assert not found.visibility[0, [478 + 1, 478 + 9, 478 + 17]].any(), "OpenPose has no corners, mouth and fingers"
    np.testing.assert_allclose(pixels[list(FACE_68)], points[23:91], atol=1e-3)
    np.testing.assert_allclose(pixels[[468, 473]], points[[2, 1]], atol=1e-3)
    np.testing.assert_allclose(pixels[PARTS["left_hand"]], points[91:112], atol=1e-3)
    np.testing.assert_allclose(pixels[PARTS["right_hand"]], points[112:133], atol=1e-3)
    assert not found.points[..., 2].any() and not found.points[1].any()


def test_half_a_hand_that_is_hardly_seen_is_none(sdpose: ModuleType) -> None:
    points, scores = wholebody()
    scores[91:103], scores[23:58] = 0.1, 0.05
    found = from_pose_keypoint(sdpose._to_openpose_frames([[points]], [[scores]], *SIZE))
    assert [bool(found.has(part)) for part in PARTS] == [False, True, False, True]


def test_one_of_several_people_is_taken(sdpose: ModuleType) -> None:
    small, large = wholebody(), wholebody(1, 150.0)
    small = ((small[0] - (40, 30)) / 2, small[1])
    frames = sdpose._to_openpose_frames([[small[0], large[0]]], [[small[1], large[1]]], *SIZE)
    assert float(from_pose_keypoint(frames).pixels[0, 478, 0]) == pytest.approx(large[0][0, 0], abs=1e-3)
    points, visibility = torch.zeros(1, 553, 3), torch.zeros(1, 553)
    points[0, :478, 0], points[0, :478, 1] = small[0][0, 0] / SIZE[1], small[0][0, 1] / SIZE[0]
    visibility[0, :478] = 1.0
    near = from_pose_keypoint(frames, HolisticSet.of(points, visibility, SIZE))
    assert float(near.pixels[0, 478, 0]) == pytest.approx(small[0][0, 0], abs=1e-3)


def test_shares_and_missing_lists_are_read_too() -> None:
    body = np.tile([0.5, 0.25, 1.0], 18).tolist()
    person = {"pose_keypoints_2d": body, "hand_left_keypoints_2d": None, "face_keypoints_2d": []}
    frame = {"canvas_width": 300, "canvas_height": 200, "people": [person]}
    found = from_pose_keypoint([frame])
    torch.testing.assert_close(found.points[0, 478, :2], torch.tensor([0.5, 0.25]))
    assert not found.found.any() and not found.has("left_hand").any()


def test_a_pose_goes_to_the_host_and_back() -> None:
    landmarks = known(WAVING, image_size=SIZE)
    graded = landmarks.visibility * torch.linspace(0.1, 1.0, 553)
    landmarks = replace(landmarks, visibility=graded)
    frames = to_pose_keypoint(landmarks)
    found = from_pose_keypoint(frames)
    kept = [*(478 + pose for pose in (*OPENPOSE_BODY.values(), *OPENPOSE_FEET.values())), *range(511, 553)]
    there = landmarks.visibility[0, kept] > 0
    torch.testing.assert_close(found.points[0, kept][there], landmarks.points[0, kept][there])
    torch.testing.assert_close(found.visibility[0, kept], landmarks.visibility[0, kept])
    person = frames[0]["people"][0]
    assert {name: len(values) // 3 for name, values in person.items()} == {
        "pose_keypoints_2d": 18, "foot_keypoints_2d": 6, "face_keypoints_2d": 70, "hand_right_keypoints_2d": 21,
        "hand_left_keypoints_2d": 21,
    }  # fmt: skip
    neck = torch.tensor(person["pose_keypoints_2d"][3:5])
    torch.testing.assert_close(neck, landmarks.pixels[0, [489, 490], :2].mean(0), rtol=0, atol=1e-3)
    assert to_pose_keypoint(HolisticSet.nothing(1, SIZE)) == [
        {"canvas_width": 300, "canvas_height": 200, "people": []}
    ]  # fmt: skip


def test_the_hosts_pose_nodes_take_it(sdpose: ModuleType) -> None:
    frames = to_pose_keypoint(known(WAVING, WAVING, image_size=SIZE))
    frames[1]["people"] = []
    (drawn,) = sdpose.SDPoseDrawKeypoints.execute(frames, True, True, True, False, 4, 3, 0.3, True).result
    assert drawn.shape == (2, *SIZE, 3) and float((drawn[0] > 0).any(-1).float().mean()) > 0.02
    assert not drawn[1].any()
    (boxes,) = sdpose.SDPoseFaceBBoxes.execute(frames, 1.0, False).result
    (box,) = boxes[0]
    nose, ear = known(WAVING, image_size=SIZE).pixels[0, [1, 234], :2]
    assert box["x"] < nose[0] < box["x"] + box["width"] and box["y"] < nose[1] < box["y"] + box["height"]
    assert abs(box["x"] - float(ear[0])) < 6 and boxes[1] == []


def test_a_face_goes_to_the_host_and_back() -> None:
    landmarks = whole(known(WAVING, WAVING, image_size=SIZE))
    shapes = torch.rand(2, 52, generator=torch.Generator().manual_seed(0))
    landmarks = replace(landmarks, blendshapes=shapes)
    written = to_face_landmarks(landmarks)
    found = from_face_landmarks(written)
    face = PARTS["face"]
    torch.testing.assert_close(found.points[:, face], landmarks.points[:, face], rtol=0, atol=1e-5)
    assert bool((found.visibility[:, face] == 1).all()) and not found.visibility[:, 478:].any()
    assert found.image_size == SIZE and found.blendshapes is not None
    torch.testing.assert_close(found.blendshapes, shapes)
    one = written["frames"][0][0]
    low, high = landmarks.pixels[0, face, :2].amin(0), landmarks.pixels[0, face, :2].amax(0)
    torch.testing.assert_close(torch.from_numpy(one["bbox_xyxy"]), torch.cat((low, high)))
    assert one["landmarks_3d"].min(axis=0)[:2].min() > 0 and one["landmarks_3d"].max(axis=0)[:2].max() < 192
    assert list(one["blendshapes"]) == list(BLENDSHAPES) and one["score"] == pytest.approx(1.0)
    without = replace(landmarks, visibility=torch.zeros_like(landmarks.visibility))
    assert to_face_landmarks(without)["frames"] == [[], []]


def test_the_larger_face_is_taken_and_irises_may_lack() -> None:
    near = to_face_landmarks(known(WAVING, image_size=SIZE))["frames"][0][0]
    far = {**near, "bbox_xyxy": near["bbox_xyxy"] / 2, "landmarks_xy": near["landmarks_xy"][:468] / 2}
    del far["landmarks_3d"], far["blendshapes"]
    found = from_face_landmarks({"frames": [[far, near], [far], []], "image_size": SIZE})
    torch.testing.assert_close(found.pixels[0, 1, :2], torch.from_numpy(near["landmarks_xy"][1]))
    torch.testing.assert_close(found.pixels[1, 1, :2], torch.from_numpy(far["landmarks_xy"][1]))
    assert found.found.tolist() == [True, True, False] and not found.visibility[1, 468:].any()
    assert len(to_face_landmarks(found)["frames"][1][0]["landmarks_xy"]) == 468


def test_the_hosts_face_nodes_take_it(mediapipe_nodes: ModuleType) -> None:
    written = to_face_landmarks(known(WAVING, image_size=SIZE))
    custom = {"connections": "custom", "tesselation": True, "face_oval": True, "nose": True}
    for connections in ({"connections": "all"}, {"connections": "fill"}, custom):
        (drawn,) = mediapipe_nodes.MediaPipeFaceMeshVisualize.execute(written, connections, "#00ff00", 1, 2).result
        assert drawn.shape == (1, *SIZE, 3) and float(drawn[..., 1].max()) == 1
    (mask,) = mediapipe_nodes.MediaPipeFaceMask.execute(written, {"regions": "all"}).result
    x, y = known(WAVING, image_size=SIZE).pixels[0, 1, :2].int().tolist()
    assert mask[0, y, x] == 1 and mask[0, 0, 0] == 0
    sets = connection_sets()
    rings = {
        name: len(mediapipe_nodes._ordered_rings(sets[name])) for name in ("face_oval", "lips", "left_eye", "irises")
    }
    assert rings == {"face_oval": 1, "lips": 2, "left_eye": 1, "irises": 2}
    known_names = {*mediapipe_nodes._ALL_CONNECTION_PARTS, "tesselation", "contours", "all"}
    assert set(sets) == known_names and sets["contours"] < sets["all"]


def test_left_is_the_persons_left(mediapipe_nodes: ModuleType) -> None:
    sets, x = connection_sets(), known(WAVING).points[0, :, 0]
    for name in ("eye", "eyebrow"):
        left, right = ({place for pair in sets[f"{side}_{name}"] for place in pair} for side in ("left", "right"))
        assert float(x[sorted(left)].min()) > float(x[sorted(right)].max())


def test_face_and_body_of_the_hosts_nodes_become_one_person() -> None:
    landmarks = whole(known(WAVING, WAVING, image_size=SIZE))
    faces, people = to_face_landmarks(landmarks), to_pose_keypoint(landmarks)
    faces["frames"][1] = []
    found = of_host(2, SIZE, faces, people)
    torch.testing.assert_close(found.points[0, :478], landmarks.points[0, :478], rtol=0, atol=1e-5)
    assert found.visibility[1, list(FACE_68)].all() and int((found.visibility[1, :478] > 0).sum()) == 68 + 2
    body = [478 + pose for pose in OPENPOSE_BODY.values() if landmarks.visibility[0, 478 + pose] > 0]
    torch.testing.assert_close(found.points[:, body, :2], landmarks.points[:, body, :2], rtol=0, atol=1e-5)
    full = completed(found)
    for pose, face in POSE_OF_FACE.items():
        assert full.visibility[0, 478 + pose] > 0
        torch.testing.assert_close(full.points[0, 478 + pose, :2], landmarks.points[0, face, :2], rtol=0, atol=0.01)
    torch.testing.assert_close(full.points[0, 478 + 20, :2], found.points[0, 532 + 5, :2])
    only = completed(of_host(2, SIZE, faces))
    assert only.has("face").tolist() == only.has("pose").tolist() == [True, False]
    assert not only.has("left_hand").any()


def test_a_part_that_is_not_found_leaves_the_other_detectors() -> None:
    base = whole(known(WAVING, WAVING))
    other = replace(base, points=base.points + 1.0)
    visibility = other.visibility.clone()
    visibility[0, PARTS["face"]] = visibility[1, 478:] = 0.0
    shapes = torch.rand(2, 52)
    found = merge(base, replace(other, visibility=visibility, blendshapes=shapes))
    assert torch.equal(found.points[0, :478], base.points[0, :478])
    assert torch.equal(found.points[0, 478:], base.points[0, 478:] + 1)
    assert torch.equal(found.points[1, :478], base.points[1, :478] + 1)
    assert torch.equal(found.points[1, 478:], base.points[1, 478:])
    assert found.blendshapes is not None and torch.equal(found.blendshapes[1], shapes[1])
    assert not found.blendshapes[0].any()
    with pytest.raises(ValueError, match="Landmarks of 2 pictures cannot be merged with those of 1"):
        merge(base, known(WAVING))


def test_other_things_are_refused() -> None:
    landmarks = known(WAVING, image_size=SIZE)
    faces, people = to_face_landmarks(landmarks), to_pose_keypoint(landmarks)
    with pytest.raises(ValueError, match="FACE_LANDMARKS are of 1 pictures of 300 × 200 pixels, but the image has 2"):
        of_host(2, SIZE, faces)
    with pytest.raises(ValueError, match="POSE_KEYPOINT are of 1 pictures of 300 × 200 .* of 200 × 200"):
        of_host(1, (200, 200), None, people)
    assert of_host(1, (400, 600), None, people).image_size == (400, 600)
    boxes: dict[str, Any] = {"frames": [[{"bbox_xyxy": [0, 0, 9, 9]}]], "image_size": SIZE}
    with pytest.raises(ValueError, match="picture 1 of 1 has a box, but no landmarks"):
        from_face_landmarks(boxes)
    boxes["frames"][0][0]["landmarks_xy"] = np.zeros((68, 2))
    with pytest.raises(ValueError, match=r"478 or 468 landmarks of two numbers each, .* has \[68, 2\]"):
        from_face_landmarks(boxes)
    people[0]["people"][0]["pose_keypoints_2d"] = [1.0] * 75
    with pytest.raises(ValueError, match="In picture 1 of 1 pose_keypoints_2d holds 75 numbers, but 54 are"):
        from_pose_keypoint(people)
    with pytest.raises(ValueError, match="The POSE_KEYPOINT holds no picture"):
        from_pose_keypoint([])
