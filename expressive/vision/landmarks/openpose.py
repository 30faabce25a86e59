"""The host's POSE_KEYPOINT: OpenPose's points of body, feet, face and hands, one dictionary for each picture.

{"canvas_width", "canvas_height", "people": [{"pose_keypoints_2d": 18 points, "foot_keypoints_2d": 6,
"face_keypoints_2d": 70, "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21}]}: each point as x, y and score,
one after the other, x and y in pixels of the canvas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...encoders.interfaces import HAND, LANDMARKS
from .connections import FACE_68, OPENPOSE_BODY, OPENPOSE_FEET
from .holistic_set import PARTS, SEEN, HolisticSet

BODY, FEET = 18, 6
EYES = {68: 468, 69: 473}  # the last two of the face's 70 points, right and left eye → iris
SCORE = 0.3
"""From this score on the host draws a point; it is taken for the visibility `SEEN`."""

_CORNERS = {68: (33, 133), 69: (362, 263)}  # of these eyes
_NECK, _SHOULDERS = 1, (11, 12)
_WRISTS = {"left": 7, "right": 4}  # of OpenPose's body


def from_pose_keypoint(frames: Sequence[Mapping[str, Any]], faces: HolisticSet | None = None) -> HolisticSet:
    """One person of each picture, without depth; image_size is that of the first canvas.

    faces: whose body is wanted, where there are several people: the one whose head is nearest to the nose in the same
    frame. Without it the largest. A hand belongs to the nearer wrist, whatever its name is: in COCO-WholeBody's order
    the left one comes first, in the host's the right one. A face or hand of which less than half is seen is not there.
    Coordinates that all lie below 2 are shares of the canvas. Raises ValueError for points in another order.
    """
    if not frames:
        raise ValueError("The POSE_KEYPOINT holds no picture. Connect the node that finds people in your pictures.")
    rows = np.zeros((len(frames), LANDMARKS, 3))  # x, y, visibility
    for index, frame in enumerate(frames):
        canvas = (float(frame["canvas_width"]), float(frame["canvas_height"]))
        people = [_Person(person, canvas, f"picture {index + 1} of {len(frames)}") for person in frame["people"] or ()]
        people = [person for person in people if person.size > 0]
        if not people:
            continue
        person = max(people, key=lambda one: one.size)
        if faces is not None and index < len(faces) and bool(faces.found[index]):
            nose = faces.points[index, 1, :2].cpu().numpy()
            person = min(people, key=lambda one: (one.distance(nose), -one.size))
        rows[index] = person.landmarks()
    found = torch.from_numpy(rows).float()
    points = torch.cat((found[..., :2], torch.zeros(*found.shape[:2], 1)), dim=2)
    size = (int(frames[0]["canvas_height"]), int(frames[0]["canvas_width"]))
    return HolisticSet.of(points, found[..., 2].contiguous(), size)


def to_pose_keypoint(landmarks: HolisticSet) -> list[dict[str, Any]]:
    """As the host's SDPose Keypoint Extractor writes it; nobody in frames in which nothing was found."""
    height, width = landmarks.image_size
    pixels = torch.cat((landmarks.pixels[..., :2], landmarks.visibility[..., None]), dim=2).double().cpu().numpy()
    frames = []
    for rows in pixels:  # [553, 3]: x, y, visibility
        rows = rows.copy()
        rows[:, 2] = _score(rows[:, 2])
        rows[rows[:, 2] <= 0] = 0.0
        face, pose, left, right = (rows[PARTS[name]] for name in ("face", "pose", "left_hand", "right_hand"))
        body, feet, points = np.zeros((BODY, 3)), np.zeros((FEET, 3)), np.zeros((len(FACE_68) + len(EYES), 3))
        body[list(OPENPOSE_BODY)] = pose[list(OPENPOSE_BODY.values())]
        shoulders = pose[list(_SHOULDERS)]
        if shoulders[:, 2].min() > SCORE:
            body[_NECK] = (*shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
        feet[list(OPENPOSE_FEET)] = pose[list(OPENPOSE_FEET.values())]
        points[: len(FACE_68)] = face[list(FACE_68)]
        for place, iris in EYES.items():
            corners = face[list(_CORNERS[place])]  # [2,3]
            points[place] = face[iris] if face[iris, 2] > 0 else corners.mean(axis=0) * (corners[:, 2].min() > 0)
        person = {
            "pose_keypoints_2d": body.flatten().tolist(),
            "foot_keypoints_2d": feet.flatten().tolist(),
            "face_keypoints_2d": points.flatten().tolist(),
            "hand_right_keypoints_2d": right.flatten().tolist(),
            "hand_left_keypoints_2d": left.flatten().tolist(),
        }
        people = [person] if rows[:, 2].any() else []
        frames.append({"canvas_width": width, "canvas_height": height, "people": people})
    return frames


class _Person:
    """One person of a frame, in shares of the canvas: arrays [N, 3] of x, y, score; zero where there is no point."""

    def __init__(self, person: Mapping[str, Any], canvas: tuple[float, float], place: str) -> None:
        self.body = _points(person, "pose_keypoints_2d", (BODY,), place)
        self.feet = _points(person, "foot_keypoints_2d", (FEET,), place)
        self.face = _points(person, "face_keypoints_2d", (len(FACE_68) + len(EYES), len(FACE_68)), place)
        hands = {side: _points(person, f"hand_{side}_keypoints_2d", (HAND,), place) for side in _WRISTS}
        everything = (self.body, self.feet, self.face, *hands.values())
        if max(float(np.abs(points[:, :2]).max()) for points in everything) >= 2.0:
            for points in everything:
                points[:, :2] /= canvas
        self.hands = self._sided(hands)
        known = np.concatenate(everything)
        known = known[known[:, 2] > 0, :2]
        self.size = float(np.prod(np.ptp(known, axis=0) + 1e-6)) if len(known) else 0.0

    def distance(self, nose: np.ndarray) -> float:
        """From the tip [2] of a nose to the nearest point of this head: nose, eyes, ears."""
        head = self.body[[0, 14, 15, 16, 17]]
        head = head[head[:, 2] > 0, :2]
        return float(np.linalg.norm(head - nose, axis=1).min()) if len(head) else float("inf")

    def landmarks(self) -> np.ndarray:
        """[553, 3]: x, y, visibility."""
        rows = np.zeros((LANDMARKS, 3))
        pose = rows[PARTS["pose"]]
        pose[list(OPENPOSE_BODY.values())] = self.body[list(OPENPOSE_BODY)]
        pose[list(OPENPOSE_FEET.values())] = self.feet[list(OPENPOSE_FEET)]
        if _is_there(self.face[: len(FACE_68)]):
            rows[list(FACE_68)] = self.face[: len(FACE_68)]
            rows[list(EYES.values())] = self.face[list(EYES)]
        for side, hand in self.hands.items():
            if _is_there(hand):
                rows[PARTS[f"{side}_hand"]] = hand
        rows[:, 2] = _visibility(rows[:, 2])
        return rows

    def _sided(self, hands: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The hands under the name of the nearer wrist."""
        other = {"left": "right", "right": "left"}
        named = swapped = 0.0
        for side, hand in hands.items():
            own, far = self.body[_WRISTS[side]], self.body[_WRISTS[other[side]]]
            if _is_there(hand) and min(own[2], far[2]) > 0:
                named += float(np.linalg.norm(hand[0, :2] - own[:2]))
                swapped += float(np.linalg.norm(hand[0, :2] - far[:2]))
        return {side: hands[other[side]] for side in hands} if swapped < named else hands


def _points(person: Mapping[str, Any], name: str, counts: tuple[int, ...], place: str) -> np.ndarray:
    """[counts[0], 3] of a list x, y, score, x, y, score, …; zero where there is none, or a point was not found."""
    found = np.zeros((counts[0], 3))
    given = person.get(name)
    if given is None or not len(given):
        return found
    flat = np.asarray(given, np.float64).reshape(-1)
    if len(flat) % 3 or len(flat) // 3 not in counts:
        raise ValueError(
            f"In {place} {name} holds {len(flat)} numbers, but {' or '.join(str(3 * count) for count in counts)} are "
            "expected: x, y and score of each point in OpenPose's order, as SDPose Keypoint Extractor writes them."
        )
    rows = flat.reshape(-1, 3)
    missing = (rows[:, 2] <= 0) | (rows[:, :2] == -1).all(axis=1) | ~np.isfinite(rows).all(axis=1)
    found[: len(rows)] = np.where(missing[:, None], 0.0, rows)
    return found


def _is_there(points: np.ndarray) -> bool:
    """At least half of a part's points [N, 3] are seen."""
    return 2 * int((points[:, 2] >= SCORE).sum()) >= len(points)


def _visibility(scores: np.ndarray) -> np.ndarray:
    """Scores of a heat map → visibility: 0 → 0, `SCORE` → `SEEN`, 1 → 1, straight between them."""
    return np.interp(scores, (0.0, SCORE, 1.0), (0.0, SEEN, 1.0))


def _score(visibilities: np.ndarray) -> np.ndarray:
    """The way back of `_visibility`."""
    return np.interp(visibilities, (0.0, SEEN, 1.0), (0.0, SCORE, 1.0))
