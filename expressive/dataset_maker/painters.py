"""What the maker asks of a server that paints, and what may go wrong with it."""

from __future__ import annotations

import threading
from typing import Protocol

from .plan import PlannedAvatar


class UnreachableError(ConnectionError):
    """The server does not answer, does not get to it, or has forgotten what it was asked: another one is asked."""


class FailedError(RuntimeError):
    """The server answers, and this picture could not be painted; the message says why."""


class RefusedError(ValueError):
    """The server will paint no picture of this workflow: a node is missing, or an input is wrong."""


class Painter(Protocol):
    """One server. Several threads may ask it at the same time.

    heard: when it last gave any answer, by time.monotonic().
    """

    name: str
    heard: float

    def paint(self, avatar: PlannedAvatar, seed: int, given_up: threading.Event) -> bytes:
        """A picture file of an avatar. Raises one of the errors above, or InterruptedError once `given_up` is set."""
        ...

    def trouble(self) -> str:
        """Why the server cannot be asked now; empty where it can."""
        ...
