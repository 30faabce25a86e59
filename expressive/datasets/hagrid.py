"""HaGRIDv2 (hukenovs/hagrid): people showing one of 33 gestures, and what is known of each picture.

    <annotations>/{train,val,test}/<gesture>.json   one object: picture's name without extension → its fields
    <pictures>/<gesture>/<name>.jpg                 or <pictures>/{train,val,test}/<gesture>/<name>.jpg

A file may hold hundreds of thousands of entries. They are read one by one: 200,000 took 6 s and 12 MiB, against 16 s
and 1.6 GiB with json.load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..emotion.person import RACES
from .hagrid_layout import FOLDERS
from .pictures import SUFFIXES, open_picture
from .rows import BadRowError, BadRows, Unexpected, listing, mapping, number, required, shown, text

if TYPE_CHECKING:
    from PIL.Image import Image

NO_GESTURE = "no_gesture"
TWO_HANDED = ("hand_heart", "hand_heart2", "thumb_index2", "timeout", "holy", "take_picture", "xsign")
GESTURES = (
    "call", "dislike", "fist", "four", "grabbing", "grip", "hand_heart", "hand_heart2", "holy", "like",
    "little_finger", "middle_finger", "mute", "ok", "one", "palm", "peace", "peace_inverted", "point", "rock", "stop",
    "stop_inverted", "take_picture", "three", "three2", "three3", "three_gun", "thumb_index", "thumb_index2",
    "timeout", "two_up", "two_up_inverted", "xsign",
)  # fmt: skip
LABELS = (*GESTURES, NO_GESTURE)
HAND_POINTS = 21

FACES = ("any", "one", "some")

_MARGIN = 0.05  # automatic boxes and landmarks may leave the picture by this share
_GENDERS = {"female": "woman", "male": "man"}
_RACES = {"latino hispanic": "Latino", **{race.lower(): race for race in RACES}}  # FairFace writes Latino_Hispanic

Box = tuple[float, float, float, float]
"""Left, top, width, height as shares of the picture's width and height."""


@dataclass(frozen=True)
class Face:
    """What FairFace and MiVOLO say of one face: predictions, not facts."""

    age: float  # years
    gender: str  # one of person.GENDERS
    race: str  # one of person.RACES


@dataclass(frozen=True)
class Hand:
    """One hand. landmarks: 21 pairs (x, y) as shares of the picture, or none where MediaPipe found none."""

    box: Box
    label: str  # one of LABELS
    landmarks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class GesturePicture:
    """One entry. picture is None where no folder of pictures was given; united has two-handed gestures only."""

    name: str
    gesture: str  # of the file it stands in
    split: str
    user: str
    hands: tuple[Hand, ...]
    faces: tuple[Face, ...]
    united: tuple[tuple[Box, str], ...] = ()
    picture: Path | None = None

    @property
    def person(self) -> Face | None:
        """The one face that was found; None for none or several, of which nobody knows which one belongs to whom."""
        return self.faces[0] if len(self.faces) == 1 else None

    def open(self) -> Image:
        """RGB. Raises BadRowError for a missing or broken file, or where no folder of pictures was given."""
        if self.picture is None:
            raise BadRowError(f"Entry “{self.name}” of {self.gesture}: read without a folder of pictures.")
        return open_picture(self.picture)


class HagridReader:
    """Reads entries one after the other, again from the start for each `for` loop.

    annotations: the folder with train, val and test. pictures: the folder with the pictures, if they are wanted; an
    entry without its picture is malformed. splits, gestures: only these. faces: "any" takes all entries; "one" leaves
    out those with no face or with several in `meta`; "some" leaves out those with no face. What is left out for its
    faces is counted in `left_out`, malformed entries in `bad`; both are of the latest loop.
    Raises FileNotFoundError for folders that are not there; ValueError for unknown splits, gestures or `faces`.
    """

    def __init__(
        self,
        annotations: Path | str,
        pictures: Path | str | None = None,
        on_bad: str = "refuse",
        *,
        splits: Iterable[str] = tuple(FOLDERS),
        gestures: Iterable[str] = LABELS,
        faces: str = "any",
    ) -> None:
        self.annotations, self.pictures = Path(annotations), None if pictures is None else Path(pictures)
        self.splits, self.gestures, self.faces = tuple(splits), tuple(gestures), faces
        for folder in filter(None, (self.annotations, self.pictures)):
            if not folder.is_dir():
                raise FileNotFoundError(f"There is no folder {folder}.")
        for what, given, known in (
            ("splits", self.splits, tuple(FOLDERS)),
            ("gestures", self.gestures, LABELS),
            ("faces", (faces,), FACES),
        ):
            if wrong := [value for value in given if value not in known]:
                raise ValueError(f"Expected {what} to be of {', '.join(known)}; got {', '.join(wrong)}.")
        self.bad, self.left_out = BadRows(on_bad), 0
        if not self.files():
            raise FileNotFoundError(
                f"Expected files such as {self.annotations / 'train' / 'palm.json'}; there is none for these splits "
                "and gestures."
            )

    def files(self) -> list[tuple[str, str, Path]]:
        """(split, gesture, file) of all annotation files asked for that are there."""
        paths = ((s, g, self.annotations / FOLDERS[s] / f"{g}.json") for s in self.splits for g in self.gestures)
        return [(split, gesture, path) for split, gesture, path in paths if path.is_file()]

    def __iter__(self) -> Iterator[GesturePicture]:
        """Raises BadRowError if malformed entries are refused."""
        self.bad, self.left_out = BadRows(self.bad.on_bad), 0
        for split, gesture, file in self.files():
            found = self._found(split, gesture)
            for name, entry in _entries(file, self.bad):
                row = self.bad.attempt(file, name, _picture, name, entry, split, gesture, found)
                if row is None:
                    continue
                if self.faces == "any" or len(row.faces) == 1 or (self.faces == "some" and row.faces):
                    yield row
                else:
                    self.left_out += 1
        self.bad.log(str(self.annotations))

    def _found(self, split: str, gesture: str) -> dict[str, Path] | None:
        """Name without extension → picture, of all there are for one annotation file."""
        if self.pictures is None:
            return None
        folders = (self.pictures / gesture, self.pictures / FOLDERS[split] / gesture)
        files = (file for folder in folders if folder.is_dir() for file in folder.iterdir())
        return {file.stem: file for file in files if file.suffix.lower() in SUFFIXES}


def _entries(file: Path, bad: BadRows) -> Iterator[tuple[str, Any]]:
    """Key and value of every entry of one annotation file."""
    try:
        import ijson
    except ImportError as error:
        raise ImportError("Reading HaGRID's annotations needs ijson: pip install ijson") from error
    wanted, last = "one object with an entry for each picture", None
    with file.open("rb") as content:
        start = content.read(256).lstrip()[:1]
        if start != b"{":
            bad.report(file, None, Unexpected(wanted, f"a file that starts with {start.decode(errors='replace')!r}"))
            return
        content.seek(0)
        try:
            for last, entry in ijson.kvitems(content, "", use_float=True):
                yield last, entry
        except (ijson.JSONError, UnicodeDecodeError) as error:  # nothing after it can be read
            after = f"broken JSON after entry “{last}”" if last else "broken JSON"
            bad.report(file, None, Unexpected(wanted, f"{after} ({' '.join(str(error).split())[:120]})"))


def _picture(name: str, entry: Any, split: str, gesture: str, found: dict[str, Path] | None) -> GesturePicture:
    row = mapping(entry, "an entry")
    boxes = listing(required(row, "bboxes", "an entry"), "“bboxes”")
    labels = listing(required(row, "labels", "an entry"), "“labels”", len(boxes))
    points = _or_empty(row.get("hand_landmarks"), "“hand_landmarks”")
    if points and len(points) != len(boxes):
        raise Unexpected(f"“hand_landmarks” for each of {len(boxes)} hands", f"{len(points)}")
    hands = [
        Hand(_box(box), _label(label), _points(points[index]) if points else ())
        for index, (box, label) in enumerate(zip(boxes, labels, strict=True))
    ]
    if found is not None and name not in found:
        raise Unexpected("a picture of that name", "none")
    return GesturePicture(
        name=name,
        gesture=gesture,
        split=split,
        user=text(required(row, "user_id", "an entry"), "“user_id”"),
        hands=tuple(hands),
        faces=_faces(row.get("meta")),
        united=_united(row.get("united_bbox"), row.get("united_label")),
        picture=None if found is None else found[name],
    )


def _or_empty(value: Any, what: str) -> list[Any]:
    return [] if value is None else list(listing(value, what))


def _box(value: Any) -> Box:
    left, top = (number(edge, "a box's left and top", -_MARGIN, 1.0) for edge in listing(value, "a box", 4)[:2])
    width, height = (number(side, "a box's width and height", 0.0, 1.0 + 2 * _MARGIN) for side in value[2:])
    if not (width and height) or left + width > 1.0 + _MARGIN or top + height > 1.0 + _MARGIN:
        raise Unexpected("a box [left, top, width, height] within the picture, as shares of it", shown(value))
    return left, top, width, height


def _label(value: Any) -> str:
    if value not in LABELS:
        raise Unexpected("a label to be one of HaGRID's 33 gestures or no_gesture", shown(value))
    return value


def _points(value: Any) -> tuple[tuple[float, float], ...]:
    """One hand's landmarks; those of a hand at the edge may lie outside of the picture."""
    if not _or_empty(value, "a hand's landmarks"):
        return ()
    points = tuple(tuple(listing(pair, "a landmark", 2)) for pair in listing(value, "a hand's landmarks", HAND_POINTS))
    if not all(type(x) is float and type(y) is float and -1.0 <= x <= 2.0 and -1.0 <= y <= 2.0 for x, y in points):
        points = tuple((_coordinate(x, "x"), _coordinate(y, "y")) for x, y in points)  # whole numbers, or a message
    return points


def _coordinate(value: Any, axis: str) -> float:
    return number(value, f"a landmark's {axis}", -1.0, 2.0)


def _united(boxes: Any, labels: Any) -> tuple[tuple[Box, str], ...]:
    """Two-handed gestures; either list may be null, or hold null for what is one-handed."""
    boxes, labels = _or_empty(boxes, "“united_bbox”"), _or_empty(labels, "“united_label”")
    if len(boxes) != len(labels):
        raise Unexpected("as many “united_label” as “united_bbox”", f"{len(labels)} for {len(boxes)}")
    pairs = [(box, label) for box, label in zip(boxes, labels, strict=True) if (box, label) != (None, None)]
    return tuple((_box(box), _label(label)) for box, label in pairs)


def _faces(meta: Any) -> tuple[Face, ...]:
    """The faces of `meta`: three lists, one entry for each face, often none."""
    if meta is None:
        return ()
    meta = mapping(meta, "“meta”")
    ages, genders, races = (_or_empty(meta.get(name), f"“meta.{name}”") for name in ("age", "gender", "race"))
    if not len(ages) == len(genders) == len(races):
        raise Unexpected("as many ages as genders and races in “meta”", f"{len(ages)}, {len(genders)}, {len(races)}")
    return tuple(_face(*one) for one in zip(ages, genders, races, strict=True))


def _face(age: Any, gender: Any, race: Any) -> Face:
    known_gender = _GENDERS.get(text(gender, "“meta.gender”").lower())
    known_race = _RACES.get(re.sub(r"[_/-]+", " ", text(race, "“meta.race”")).lower())
    if known_gender is None:
        raise Unexpected(f"“meta.gender” to be {' or '.join(_GENDERS)}", shown(gender))
    if known_race is None:
        raise Unexpected("“meta.race” to be one of FairFace's seven groups", shown(race))
    return Face(number(age, "“meta.age”", 0.0, 130.0), known_gender, known_race)
