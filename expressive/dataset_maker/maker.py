"""The run: every avatar of the plan is painted by some server, checked, painted again if need be, and kept.

A thread for each picture that is under way asks a server (`asking`); the main thread checks and keeps. What is kept is
on the disk at once, so that a run which is ended in whatever way goes on where it was.
"""

from __future__ import annotations

import io
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..datasets.avatars import AvatarFolder
from .asking import Asking, Job
from .checks import Verdict
from .config import Servers
from .painters import FailedError, Painter
from .plan import PlannedAvatar

log = logging.getLogger(__name__)

HOPELESS = 5
"""Failures before any picture has come after which the workflow is to blame; four times as many in a row end a run."""


@dataclass(frozen=True)
class Missing:
    """An avatar of which no picture could be used, after so many tries."""

    why: str
    tries: int


@dataclass
class Outcome:
    """What a run did. kept: new pictures. missing: by the avatar's name. rejected: why pictures were painted again →
    how often. stopped: somebody asked for the end before it was all there."""

    kept: int = 0
    missing: dict[str, Missing] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    stopped: bool = False


@dataclass(frozen=True)
class _Picture:
    """One that can be used. number: which try it was."""

    pixels: np.ndarray
    seed: int
    number: int
    verdict: Verdict

    @property
    def rank(self) -> tuple[bool, float]:
        return self.verdict.reached, self.verdict.score


@dataclass
class _Progress:
    """The best picture of an avatar so far, and what was wrong with others."""

    best: _Picture | None = None
    faults: list[str] = field(default_factory=list)


class Maker:
    """Paints avatars into a folder.

    check: judges uint8 [H,W,3]. tries: of each avatar at most. about: what else is written beside every picture.
    """

    def __init__(
        self,
        folder: AvatarFolder,
        painters: Sequence[Painter],
        check: Callable[[np.ndarray, PlannedAvatar], Verdict],
        servers: Servers,
        tries: int,
        about: Mapping[str, Any],
    ) -> None:
        self._folder, self._check, self._tries, self._about = folder, check, tries, about
        self._asking = Asking(painters, servers)
        self._progress: dict[str, _Progress] = {}
        self._failed, self._hopeless = 0, HOPELESS  # in a row

    def make(
        self,
        avatars: Sequence[PlannedAvatar],
        asked_to_stop: Callable[[], bool] = lambda: False,
        spent: Mapping[str, int] | None = None,
    ) -> Outcome:
        """Make those of the avatars that are not in the folder yet.

        asked_to_stop: is asked several times a second; what it raises ends the run. spent: tries of earlier runs, by
        name, after which new seeds begin. Raises NobodyAnswersError; RefusedError for a workflow that a server does not
        accept; FailedError if the first pictures all fail, or many in a row.
        """
        left = [avatar for avatar in avatars if avatar.name not in self._folder]
        outcome, already = Outcome(), len(avatars) - len(left)
        self._hopeless = min(HOPELESS, self._tries * len(left))
        for avatar in left:
            self._asking.put(Job(avatar, first=(spent or {}).get(avatar.name, 0)))
        with self._asking.begun(), tqdm(total=len(avatars), initial=already, unit="avatar") as bar:
            while outcome.kept + len(outcome.missing) < len(left):
                if asked_to_stop():
                    outcome.stopped = True
                    break
                answer = self._asking.answer()
                if answer is None:
                    continue
                self._judge(*answer, outcome)
                bar.update(already + outcome.kept - bar.n)
                bar.set_postfix(again=sum(outcome.rejected.values()), missing=len(outcome.missing))
        return outcome

    def _judge(self, job: Job, content: bytes | FailedError, outcome: Outcome) -> None:
        """Keep a picture, ask for another one, or give up."""
        avatar, progress = job.avatar, self._progress.setdefault(job.avatar.name, _Progress())
        fault, picture = self._look_at(job, content)
        self._failed = self._failed + 1 if isinstance(content, FailedError) else 0
        if self._failed >= (4 * HOPELESS if outcome.kept else self._hopeless):
            when = "last" if outcome.kept else "first"
            raise FailedError(f"None of the {when} {self._failed} pictures came out: {content}")
        if picture is not None:
            progress.best = max((p for p in (progress.best, picture) if p), key=lambda found: found.rank)
        if fault and job.tries + 1 < self._tries:
            progress.faults.append(fault)
            outcome.rejected[fault] += 1
            self._asking.put(job.again())
            return
        if progress.best is None:
            why = "; ".join(dict.fromkeys([*progress.faults, fault]))
            outcome.missing[avatar.name] = Missing(why, job.first + job.tries + 1)
            log.info("%s: no picture can be used: %s", avatar.name, why)
        else:
            best = progress.best
            self._folder.add(avatar.name, best.pixels, avatar.prompt, self._row(avatar, best))
            outcome.kept += 1
        del self._progress[avatar.name]

    def _look_at(self, job: Job, content: bytes | FailedError) -> tuple[str, _Picture | None]:
        """What is wrong with what came, empty for nothing; and the picture, if it can be used."""
        if isinstance(content, FailedError):
            return str(content), None
        try:
            pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        except OSError:
            return "a broken file", None
        verdict = self._check(pixels, job.avatar)
        if verdict.fault:
            return verdict.fault, None
        picture = _Picture(pixels, job.seed, job.first + job.tries, verdict)
        return "" if verdict.reached else "another expression", picture

    def _row(self, avatar: PlannedAvatar, picture: _Picture) -> dict[str, Any]:
        planned = {
            "number": avatar.number,
            "emotion": avatar.emotion.label,
            "weights": dict(avatar.emotion.weights),
            "person": avatar.person,
            "age": avatar.age,
            "gender": avatar.gender,
            "race": avatar.race,
            "details": avatar.details,
        }
        read = {**picture.verdict.about, "reached": picture.verdict.reached} if picture.verdict.about else {}
        return {**planned, "seed": picture.seed, "try": picture.number, **read, **self._about}
