"""Readers of the datasets that the papers rest on: labels, paths and numbers now, pictures when they are needed.

The drawn datasets of `python run.py pocket data …` and the real ones are read alike. `on_bad` says what becomes of
malformed rows: "refuse" raises BadRowError with file and line, "skip" leaves them out and counts them.
"""

from .emo135 import Emo135, LabelledPicture, read_emo135
from .ffe import BenchTask, Ffe, Pair, Target, read_ffe, read_ffe_bench
from .hagrid import Face, GesturePicture, HagridReader, Hand
from .rows import BadRow, BadRowError, BadRows
from .splits import SplitError, check_disjoint, split_of
from .talking_clips import ClipRecord, TalkingClips, read_talking_clips

__all__ = [
    "BadRow",
    "BadRowError",
    "BadRows",
    "BenchTask",
    "ClipRecord",
    "Emo135",
    "Face",
    "Ffe",
    "GesturePicture",
    "HagridReader",
    "Hand",
    "LabelledPicture",
    "Pair",
    "SplitError",
    "TalkingClips",
    "Target",
    "check_disjoint",
    "read_emo135",
    "read_ffe",
    "read_ffe_bench",
    "read_talking_clips",
    "split_of",
]
