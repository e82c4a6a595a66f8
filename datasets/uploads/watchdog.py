"""The worker's watch over its own work: where that does not move in time, the process ends, and is replaced.

Heartbeats come from threads of their own, so they go on while the work hangs. Each stage says how long its next sign of
life may take; what is meant to be ended soon, because its dataset was deleted, gets less.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

STARTUP_SECONDS = 900
"""Loading the network and compiling UMAP on a slow machine that has much else to do."""
_CHECK_SECONDS = 0.5


class Watchdog:
    """One deadline, moved by whoever works."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._what = ""

    def expect(self, seconds: float, what: str) -> None:
        """The next sign of life comes within so many seconds."""
        with self._lock:
            self._deadline, self._what = time.monotonic() + seconds, what

    def hurry(self, seconds: float) -> None:
        """No later than that, whatever was said before."""
        with self._lock:
            if self._deadline is not None:
                self._deadline = min(self._deadline, time.monotonic() + seconds)

    def rest(self) -> None:
        """There is nothing to do."""
        with self._lock:
            self._deadline = None

    @contextmanager
    def expecting(self, seconds: float, what: str) -> Iterator[None]:
        """A block of work; signs of life within it may move its deadline."""
        self.expect(seconds, what)
        try:
            yield
        finally:
            self.rest()

    def late(self) -> str:
        """What is late; empty where nothing is."""
        with self._lock:
            is_late = self._deadline is not None and time.monotonic() > self._deadline
            return self._what if is_late else ""

    def start(self) -> None:
        """End this process as soon as anything is late."""

        def watch() -> None:
            while not (what := self.late()):
                time.sleep(_CHECK_SECONDS)
            try:
                logger.error("%s does not move any more: the worker is ended and replaced", what)
            finally:
                # Nothing gentler reaches a thread that is in C code.
                os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=watch, name="watchdog", daemon=True).start()


watchdog = Watchdog()
"""Of this process. Without `start` it ends nothing."""
