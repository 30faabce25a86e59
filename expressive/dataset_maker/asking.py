"""Servers and their troubles: who is asked for which picture, and for how long an answer is waited for.

What a server that ends had in work goes to another, or waits until it is back. A server that fails again and again
while others do well gets nothing more for a while.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from .config import Servers
from .painters import FailedError, Painter, UnreachableError
from .plan import PlannedAvatar

log = logging.getLogger(__name__)

LONGEST_WAIT = 30.0
"""Seconds between two questions whether a server is back."""
STRIKES = 5
"""Failures in a row after which a server pauses, if another one does well."""
_TICK = 0.2


class NobodyAnswersError(ConnectionError):
    """No server has answered for too long."""


@dataclass(frozen=True)
class Job:
    """An avatar to be painted, for the `tries`-th time in this run, from 0. first: tries of earlier runs."""

    avatar: PlannedAvatar
    first: int = 0
    tries: int = 0

    @property
    def seed(self) -> int:
        """Of this try."""
        return self.avatar.seed_of_try(self.first + self.tries)

    def again(self) -> Job:
        """The next try."""
        return replace(self, tries=self.tries + 1)


class Asking:
    """Threads that take jobs to servers, and what came of them."""

    def __init__(self, painters: Sequence[Painter], patience: Servers) -> None:
        self._painters, self._patience = painters, patience
        self._jobs: queue.PriorityQueue[tuple[int, int, Job]] = queue.PriorityQueue()
        self._answers: queue.Queue[tuple[Job | None, bytes | Exception]] = queue.Queue(
            maxsize=2 * patience.ahead * len(painters)
        )
        self._ended = threading.Event()
        self._failures = dict.fromkeys((painter.name for painter in painters), 0)  # in a row
        self._reasons: dict[str, str] = {}

    def put(self, job: Job) -> None:
        """Ask for a picture; what was begun is finished first."""
        self._jobs.put((-job.tries, job.avatar.number, job))

    def answer(self) -> tuple[Job, bytes | FailedError] | None:
        """A picture file, or why there is none; None if nothing came for a moment.

        Raises NobodyAnswersError, RefusedError, and whatever is a fault of ours.
        """
        try:
            job, content = self._answers.get(timeout=_TICK)
        except queue.Empty:
            self._require_answers()
            return None
        if job is None or not isinstance(content, bytes | FailedError):
            raise content if isinstance(content, Exception) else RuntimeError("an answer without a question")
        return job, content

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Inside, servers are asked; on leaving they give up what they are at."""
        for painter in self._painters:
            painter.heard = time.monotonic()
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

    def _require_answers(self) -> None:
        silence = time.monotonic() - max(painter.heard for painter in self._painters)
        if silence > self._patience.silence:
            told = "; ".join(f"{painter.name} {self._reasons.get(painter.name, '')}" for painter in self._painters)
            raise NobodyAnswersError(
                f"No server has answered for {silence:.0f} s: {told}. Start one and give the same command again; what "
                "is made stays."
            )

    def _serve(self, painter: Painter) -> None:
        """Take job after job to one server."""
        try:
            while self._wait_for(painter):
                try:
                    place = self._jobs.get(timeout=_TICK)
                except queue.Empty:
                    continue
                self._ask(painter, place)
        except InterruptedError:
            return
        except Exception as error:  # of ours, or a workflow that is refused: the main thread raises it
            self._tell(None, error)

    def _ask(self, painter: Painter, place: tuple[int, int, Job]) -> None:
        job = place[2]
        try:
            content: bytes | FailedError = painter.paint(job.avatar, job.seed, self._ended)
        except UnreachableError as error:
            log.info("%s %s; its picture goes to whoever is free", painter.name, error)
            self._jobs.put(place)
            self._ended.wait(1.0)
            return
        except FailedError as error:
            content = error
        if isinstance(content, bytes):
            self._failures[painter.name] = 0
        else:
            self._failures[painter.name] += 1
            if self._failures[painter.name] >= STRIKES and self._another_does_well(painter):
                log.warning("%s fails again and again, and pauses: %s", painter.name, content)
                self._jobs.put(place)
                self._ended.wait(LONGEST_WAIT * min(20, self._failures[painter.name] - STRIKES + 1))
                return
        self._tell(job, content)

    def _another_does_well(self, painter: Painter) -> bool:
        return any(
            self._failures[other.name] == 0 and other.name not in self._reasons
            for other in self._painters
            if other.name != painter.name
        )

    def _tell(self, job: Job | None, content: bytes | Exception) -> None:
        """Hand an answer over; wait where the main thread has too many of them."""
        while not self._ended.is_set():
            try:
                self._answers.put((job, content), timeout=_TICK)
                return
            except queue.Full:
                continue

    def _wait_for(self, painter: Painter) -> bool:
        """Wait until a server can be asked; False where the run ended meanwhile."""
        wait = 1.0
        while not self._ended.is_set():
            reason = painter.trouble()
            if not reason:
                if self._reasons.pop(painter.name, None):
                    log.info("%s is back", painter.name)
                return True
            if self._reasons.get(painter.name) != reason:
                log.warning("%s %s", painter.name, reason)
            self._reasons[painter.name] = reason
            self._ended.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        return False
