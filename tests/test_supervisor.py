"""Keeping processes running, with real ones, under a supervisor in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datasets.supervisor import _ATTEMPTS

from .service import ROOT, alive, children_of

SUPERVISE = """
import sys
from datasets import supervisor
supervisor._ATTEMPTS = int(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2]]
child = supervisor.Child("child", command, on_death=lambda identity: print("dead", identity))
sys.exit(0 if supervisor.run([child], lambda line: print(line, flush=True)) else 7)
"""


def supervise(code: str, attempts: int = _ATTEMPTS) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SUPERVISE, str(attempts), code]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_child_that_gives_up_again_and_again_ends_the_service() -> None:
    with supervise("raise SystemExit(3)", attempts=2) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 7
    deaths = [line for line in output.splitlines() if line.startswith("dead")]
    assert len(deaths) == len(set(deaths)) == 2
    assert "with 3" in output


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")
def test_a_killed_child_is_replaced_however_often_and_ends_with_the_service() -> None:
    with supervise("import time; time.sleep(60)") as process:
        killed: set[int] = set()
        for _ in range(_ATTEMPTS + 1):
            child = next_child(process.pid, killed)
            os.kill(child, signal.SIGKILL)
            killed.add(child)
        last = next_child(process.pid, killed)
        process.terminate()
        assert process.wait(60) == 0
    assert not alive(last)


def next_child(pid: int, known: set[int]) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        new = [child for child in children_of(pid) if child not in known]
        if new:
            return new[0]
        time.sleep(0.02)
    raise AssertionError("no child was started")
