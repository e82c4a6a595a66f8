"""Keeps processes running: starts them, replaces those that die, stops them together."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

STOP_SECONDS = 25
"""How long a child may finish what it is doing when the service stops."""
_POLL_SECONDS = 0.1
_HEALTHY_SECONDS = 10
_ATTEMPTS = 5
_LONGEST_PAUSE = 3


@dataclass
class Child:
    """A process that is to run all the time."""

    name: str
    command: Sequence[str]
    """Run with an identity of its own each time, in WWZD_WORKER."""
    on_death: Callable[[str], object] = lambda identity: None
    """Called with the identity of a child that has ended."""

    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    identity: str = field(default="", init=False)
    started: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)

    def start(self) -> None:
        self.identity = secrets.token_hex(8)
        self.started = time.monotonic()
        # A session of its own: Ctrl-C in the terminal reaches the supervisor only, which stops its children in order.
        self.process = subprocess.Popen(
            self.command, env=os.environ | {"WWZD_WORKER": self.identity}, start_new_session=True
        )

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


class _Stopping:
    """Whether SIGINT or SIGTERM came, and how often.

    The handler only counts. One that raised an exception could do so between the birth of a child and the line that
    remembers it, and the child would outlive the service.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "_Stopping":
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._count)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def sleep(self, seconds: float) -> bool:
        """Sleep, but no longer than until a signal came. Returns whether one has come."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))
        return self.asked > 0


def run(children: Sequence[Child], log: Callable[[str], None]) -> bool:
    """Run children until SIGINT or SIGTERM. False: one of them failed again and again right after its start."""
    with _Stopping() as stopping:
        try:
            for child in children:
                child.start()
            if healthy := _watch(children, log, stopping):
                log("stopping …")
            return healthy
        finally:
            _stop_all(children, stopping)


def _watch(children: Sequence[Child], log: Callable[[str], None], stopping: _Stopping) -> bool:
    while not stopping.sleep(_POLL_SECONDS):
        for child in children:
            if not child.has_ended():
                continue
            assert child.process is not None
            child.on_death(child.identity)
            lived = time.monotonic() - child.started
            child.failures = 0 if lived > _HEALTHY_SECONDS else child.failures + 1
            log(f"{child.name} ended after {lived:.0f} s with {child.process.returncode}")
            # One that was killed, or crashed on its work, will start well again; one that gave up by itself will not.
            if child.failures >= _ATTEMPTS and child.process.returncode > 0:
                return False
            if stopping.sleep(min(child.failures, _LONGEST_PAUSE)):
                return True
            log(f"{child.name} is started again")
            child.start()
    return True


def _stop_all(children: Sequence[Child], stopping: _Stopping) -> None:
    """Ask each to end, in order: the web process finishes its requests while the worker still serves them.

    A second signal, or the end of their time, kills what is left.
    """
    deadline = time.monotonic() + STOP_SECONDS
    running = [child.process for child in children if child.process is not None]
    for process in running:
        if process.poll() is None:
            process.terminate()
        while process.poll() is None and stopping.asked < 2 and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS / 5)
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
