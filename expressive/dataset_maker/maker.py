"""The run: every avatar of the plan is painted by some server, checked, painted again if need be, and kept.

A thread for each picture that is under way asks a server; the main thread checks and keeps. What a server that ends had
in work goes to another, or waits until it is back. What is kept is on the disk at once, so that a run which is ended in
whatever way goes on where it was.
"""

from __future__ import annotations

import io
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..datasets.avatars import AvatarFolder
from .checks import Verdict
from .config import Servers
from .painters import FailedError, Painter, UnreachableError
from .plan import PlannedAvatar

log = logging.getLogger(__name__)

HOPELESS = 5
"""Failures in a row, before any picture has come, after which the workflow is to blame."""
LONGEST_WAIT = 30.0
"""Seconds between two questions whether a server is back."""
_TICK = 0.2


class NobodyAnswersError(ConnectionError):
    """No server has answered for too long."""


@dataclass
class Outcome:
    """What a run did. kept: new pictures. missing: avatar → why none of its tries could be used. rejected: why pictures
    were painted again → how often. stopped: somebody asked for the end before it was all there."""

    kept: int = 0
    missing: dict[str, str] = field(default_factory=dict)
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
class _Job:
    """An avatar to be painted: how often it was, and the best picture so far."""

    avatar: PlannedAvatar
    tries: int = 0
    best: _Picture | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def seed(self) -> int:
        return self.avatar.seed_of_try(self.tries)


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
        self._folder, self._painters, self._check = folder, painters, check
        self._patience, self._tries, self._about = servers, tries, about
        self._jobs: queue.PriorityQueue[tuple[int, int, _Job]] = queue.PriorityQueue()
        self._painted: queue.Queue[tuple[_Job, bytes | Exception]] = queue.Queue()
        self._ended = threading.Event()
        self._heard = {painter.name: time.monotonic() for painter in painters}

    def make(self, avatars: Sequence[PlannedAvatar], asked_to_stop: Callable[[], bool] = lambda: False) -> Outcome:
        """Make those of the avatars that are not in the folder yet.

        Raises NobodyAnswersError; RefusedError for a workflow that a server does not accept; FailedError if the first
        pictures all fail.
        """
        left = [avatar for avatar in avatars if avatar.name not in self._folder]
        outcome, failed = Outcome(), 0
        for avatar in left:
            self._put(_Job(avatar))
        with self._painting(), tqdm(total=len(avatars), initial=len(avatars) - len(left), unit="avatar") as bar:
            while outcome.kept + len(outcome.missing) < len(left):
                if asked_to_stop():
                    outcome.stopped = True
                    break
                try:
                    job, content = self._painted.get(timeout=_TICK)
                except queue.Empty:
                    self._require_answers()
                    continue
                if isinstance(content, FailedError):
                    failed += 1
                    if not outcome.kept and failed >= min(HOPELESS, self._tries * len(left)):
                        raise FailedError(f"None of the first {failed} pictures came out: {content}")
                elif isinstance(content, Exception):
                    raise content
                self._judge(job, content, outcome)
                bar.update(len(avatars) - len(left) + outcome.kept - bar.n)
                bar.set_postfix(again=sum(outcome.rejected.values()), missing=len(outcome.missing))
        return outcome

    def _judge(self, job: _Job, content: bytes | Exception, outcome: Outcome) -> None:
        """Keep a picture, ask for another one, or give up."""
        avatar, seed = job.avatar, job.seed
        fault, pixels, verdict = str(content), None, Verdict()
        if isinstance(content, bytes):
            pixels = _pixels(content)
            verdict = Verdict("a broken file") if pixels is None else self._check(pixels, avatar)
            fault = verdict.fault or ("" if verdict.reached else "another expression")
        if pixels is not None and not verdict.fault:
            picture = _Picture(pixels, seed, job.tries, verdict)
            job.best = max((found for found in (job.best, picture) if found), key=lambda found: found.rank)
        job.tries += 1
        if fault and job.tries < self._tries:
            job.faults.append(fault)
            outcome.rejected[fault] += 1
            self._put(job)
        elif job.best is None:
            reasons = "; ".join(dict.fromkeys([*job.faults, fault]))
            outcome.missing[avatar.name] = reasons
            log.info("%s: no picture of %d can be used: %s", avatar.name, job.tries, reasons)
        else:
            self._folder.add(avatar.name, job.best.pixels, avatar.prompt, self._row(avatar, job.best))
            outcome.kept += 1

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

    def _put(self, job: _Job) -> None:
        self._jobs.put((-job.tries, job.avatar.number, job))  # what was begun is finished first

    def _require_answers(self) -> None:
        silence = time.monotonic() - max(self._heard.values())
        if silence > self._patience.silence:
            names = ", ".join(painter.name for painter in self._painters)
            raise NobodyAnswersError(
                f"No server has answered for {silence:.0f} s: {names}. Start one and give the same command again; what "
                "is made stays."
            )

    @contextmanager
    def _painting(self) -> Iterator[None]:
        """Threads that paint; on leaving they give up what they are at."""
        threads = [
            threading.Thread(target=self._serve, args=(painter,), name=painter.name, daemon=True)
            for painter in self._painters
            for _ in range(self._patience.ahead)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(LONGEST_WAIT)

    def _serve(self, painter: Painter) -> None:
        """Take job after job to one server."""
        while not self._ended.is_set():
            if not self._is_back(painter):
                return
            try:
                place = self._jobs.get(timeout=_TICK)
            except queue.Empty:
                continue
            job = place[2]
            content: bytes | Exception
            try:
                content = painter.paint(job.avatar, job.seed, self._ended)
            except InterruptedError:
                return
            except UnreachableError as error:
                log.info("%s: %s; its picture goes to whoever is free", painter.name, error)
                self._jobs.put(place)
                continue
            except Exception as error:  # the main thread tells failures from faults of ours, and raises the latter
                content = error
            self._heard[painter.name] = time.monotonic()
            self._painted.put((job, content))

    def _is_back(self, painter: Painter) -> bool:
        """Wait until a server answers; False where the run ended meanwhile."""
        wait = 1.0
        while not painter.answers():
            if self._ended.wait(wait):
                return False
            wait = min(2 * wait, LONGEST_WAIT)
        self._heard[painter.name] = time.monotonic()
        return True


def _pixels(content: bytes) -> np.ndarray | None:
    """uint8 [H,W,3] of a picture file; None for a broken one."""
    try:
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except OSError:
        return None
