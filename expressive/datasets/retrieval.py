"""From a gender and an age to a picture: MAVAGEN's identity image (§3.2), out of a folder in HaGRIDv2's layout.

<folder>/annotations/{train,val,test}/<gesture>.json
<folder>/<gesture>/<name>.jpg       or in <folder>/images, or <folder>/{train,val,test}/<gesture>/<name>.jpg
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .hagrid import GesturePicture, HagridReader
from .hagrid_layout import ANNOTATIONS, FOLDERS, pictures_of
from .people_index import Found, PeopleIndex
from .pictures import SUFFIXES

_STEP = 1000  # entries between two calls of `between`


def index_of(folder: Path, cache: Path, between: Callable[[int], None] = lambda count: None) -> PeopleIndex:
    """The index of a folder, made where there is none of these files; older ones of the folder are removed.

    Entries without a picture, with no face or with several, and malformed ones are left out. between: called with the
    number of entries that were read, to stop or to show progress. Raises FileNotFoundError for a folder without
    annotations, ImportError without ijson, and ValueError where nobody is left.
    """
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    file = cache / f"{name}-{state_of(folder)}.sqlite"
    if file.is_file():
        return PeopleIndex(file)
    index = PeopleIndex.build(_counted(_reader(folder), between), file)
    for old in cache.glob(f"{name}-*.sqlite"):
        if old != file:
            old.unlink()
    return index


def picture_of(found: Found, folder: Path) -> Path:
    """The file of an entry. Raises FileNotFoundError where it is gone since the index was made."""
    pictures = pictures_of(folder)
    for place in (pictures / found.gesture, pictures / FOLDERS[found.split] / found.gesture):
        for suffix in SUFFIXES:
            for ending in (suffix, suffix.upper()):
                if (file := place / f"{found.name}{ending}").is_file():
                    return file
    raise FileNotFoundError(f"The picture {found.gesture}/{found.name} is no longer in {pictures}.")


def _counted(pictures: Iterable[GesturePicture], between: Callable[[int], None]) -> Iterator[GesturePicture]:
    for count, picture in enumerate(pictures):
        if count % _STEP == 0:
            between(count)
        yield picture


def _reader(folder: Path) -> HagridReader:
    return HagridReader(folder / ANNOTATIONS, pictures_of(folder), "skip", faces="one")


def state_of(folder: Path) -> str:
    """Changes with the annotation files, and with the folders of pictures. Quick: no picture is looked at.

    Raises FileNotFoundError for a folder without annotations.
    """
    digest, pictures = hashlib.sha256(), pictures_of(folder)
    for split, gesture, file in _reader(folder).files():
        digest.update(f"{split} {gesture} {file.stat().st_size} {file.stat().st_mtime_ns}\n".encode())
        for place in (pictures / gesture, pictures / FOLDERS[split] / gesture):
            digest.update(f"{place.stat().st_mtime_ns if place.is_dir() else 0}\n".encode())
    return digest.hexdigest()[:12]
