"""Keeps processes running: starts them, replaces those that die, stops them together."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

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


class _Stop(Exception):
    pass


def run(children: Sequence[Child], log: Callable[[str], None]) -> bool:
    """Run children until SIGINT or SIGTERM. False: one of them failed again and again right after its start."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stop

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for child in children:
            child.start()
        return _watch(children, log)
    except _Stop:
        log("stopping …")
        return True
    finally:
        _stop_all(children)
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(children: Sequence[Child], log: Callable[[str], None]) -> bool:
    while True:
        time.sleep(_POLL_SECONDS)
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
            time.sleep(min(child.failures, _LONGEST_PAUSE))
            log(f"{child.name} is started again")
            child.start()


def _stop_all(children: Sequence[Child]) -> None:
    """Ask each to end, in order: the web process finishes its requests while the worker still serves them."""
    deadline = time.monotonic() + STOP_SECONDS
    try:
        for child in children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
                child.process.wait(max(deadline - time.monotonic(), 0.1))
    except (subprocess.TimeoutExpired, _Stop):
        pass
    finally:
        for child in children:
            if child.process is not None and child.process.poll() is None:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
