"""Keeps processes running: starts them, replaces those that die, stops them together."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from wwzd import identity

STOP_SECONDS = 25
"""How long a child may finish what it is doing when the service stops."""
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 1.0
_PATIENT_LOOKS = 5
"""A machine that wakes from its sleep finds every heartbeat old."""
_HEALTHY_SECONDS = 10
_ATTEMPTS = 5
_LONGEST_PAUSE = 3


@dataclass
class Child:
    """A process that is to run all the time."""

    name: str
    command: Sequence[str]
    """Run with an identity of its own each time, in WWZD_WORKER."""
    on_death: Callable[[str], object] = lambda worker_id: None
    """Called with the identity of a child that has ended; again each second, until it raises nothing."""
    stop_signal: int = signal.SIGTERM
    """Asks it to finish what it is doing, and end."""

    what_is_wrong: Callable[[str, int], str] = lambda worker_id, pid: ""
    """Asked each second while it runs; it is ended for what is said of it again and again, and started anew."""

    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    worker_id: str = field(default="", init=False)
    started: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)
    wrongs: int = field(default=0, init=False)
    """How often something was wrong with it, without a look in between at which nothing was."""
    dead: list[str] = field(default_factory=list, init=False)
    """Identities whose end is still to be told."""

    def start(self) -> None:
        self.worker_id = identity.new_name()
        self.started = time.monotonic()
        # A session of its own: Ctrl-C in the terminal reaches the supervisor only, which stops its children in order.
        self.process = subprocess.Popen(
            self.command, env=os.environ | {identity.WORKER_VARIABLE: self.worker_id}, start_new_session=True
        )

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill_what_it_left(self) -> None:
        """A killed process may leave children of its own, which would keep the port."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def look_after(self, log: Callable[[str], None]) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        try:
            wrong = self.what_is_wrong(self.worker_id, self.process.pid)
        except Exception as error:  # such as a database that cannot be read now
            log(f"{self.name}: whether it is well cannot be told: {type(error).__name__}: {error}")
            return
        self.wrongs = self.wrongs + 1 if wrong else 0
        if self.wrongs >= _PATIENT_LOOKS:
            log(f"{self.name} is ended: {wrong}")
            self.wrongs = 0
            self.process.kill()

    def tell_deaths(self, log: Callable[[str], None]) -> None:
        """A fault in what is to be put right after a death, as on a full disk, must not end the service."""
        while self.dead:
            try:
                self.on_death(self.dead[0])
            except Exception as error:
                log(f"{self.name}: what it left is not put right yet: {type(error).__name__}: {error}")
                return
            self.dead.pop(0)


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
    looked = time.monotonic()
    while not stopping.sleep(_POLL_SECONDS):
        if time.monotonic() - looked > _LOOK_SECONDS:
            for child in children:
                child.tell_deaths(log)
                child.look_after(log)
            looked = time.monotonic()
        for child in children:
            if not child.has_ended():
                continue
            assert child.process is not None
            child.kill_what_it_left()
            child.dead.append(child.worker_id)
            child.tell_deaths(log)
            lived = time.monotonic() - child.started
            child.failures = 0 if lived > _HEALTHY_SECONDS else child.failures + 1
            log(f"{child.name} ended after {lived:.0f} s with {child.process.returncode}")
            # One that was killed, or crashed on its work, will start well again; one that gave up by itself will not,
            # unless it says that time helps, as on a full disk.
            gave_up = child.process.returncode > 0 and child.process.returncode != os.EX_TEMPFAIL
            if child.failures >= _ATTEMPTS and gave_up:
                return False
            if stopping.sleep(min(child.failures, _LONGEST_PAUSE)):
                return True
            log(f"{child.name} is started again")
            child.start()
    return True


def _stop_all(children: Sequence[Child], stopping: _Stopping) -> None:
    """Ask each to end, in order: what takes requests finishes them while what computes still serves them.

    A second signal, or the end of their time, kills what is left.
    """
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        process = child.process
        if process is None:
            continue
        if process.poll() is None:
            process.send_signal(child.stop_signal)
        while process.poll() is None and stopping.asked < 2 and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS / 5)
    for child in children:
        child.kill_what_it_left()
        if child.process is not None:
            child.process.wait()
