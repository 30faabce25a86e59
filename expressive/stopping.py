"""Ctrl-C that waits until what is saved is a whole state."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Any

log = logging.getLogger(__name__)


class StoppedError(RuntimeError):
    """Somebody asked for the end; everything is saved."""


class Stop:
    """While it is entered, Ctrl-C and a request to terminate set `asked`; a second one ends at once.

    Signals that the process ignores stay ignored, and outside of the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(name) != signal.SIG_IGN:
                    self._before[name] = signal.signal(name, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        log.info("stopping; once more stops at once")
