"""Keeping processes running, with real ones, under a supervisor in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datasets.management.supervisor import _ATTEMPTS
from tests.support.paths import ROOT
from tests.support.service import alive, children_of

pytestmark = pytest.mark.slow

SUPERVISE = """
import sys
from datasets.management import supervisor
supervisor._ATTEMPTS = int(sys.argv[1])
command = [sys.executable, "-c", sys.argv[2]]
child = supervisor.Child("child", command, on_death=lambda identity: print("dead", identity))
sys.exit(0 if supervisor.run([child], lambda line: print(line, flush=True)) else 7)
"""


@contextmanager
def supervise(program: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()  # else one whose test has failed would be waited for without end


def test_a_child_that_gives_up_again_and_again_ends_the_service() -> None:
    with supervise(SUPERVISE, "2", "raise SystemExit(3)") as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 7
    deaths = [line for line in output.splitlines() if line.startswith("dead")]
    assert len(deaths) == len(set(deaths)) == 2
    assert "with 3" in output


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")
def test_a_killed_child_is_replaced_however_often_and_ends_with_the_service() -> None:
    with supervise(SUPERVISE, str(_ATTEMPTS), "import time; time.sleep(60)") as process:
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


FAILING_DEATH = """
import sys
from datasets.management import supervisor
left = [OSError("disk full")] * 2
def on_death(identity):
    if left:
        raise left.pop()
    print("told", flush=True)
child = supervisor.Child("child", [sys.executable, "-c", "import os, time; time.sleep(0.2); os._exit(75)"], on_death)
sys.exit(0 if supervisor.run([child], lambda line: print(line, flush=True)) else 7)
"""


def test_a_fault_in_recovery_is_tried_again_and_a_child_that_asks_for_time_is_started_for_ever() -> None:
    with supervise(FAILING_DEATH) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while lines.count("child is started again") < _ATTEMPTS + 1:
            line = process.stdout.readline().strip()
            assert line, "the service ended"
            lines.append(line)
        process.terminate()
        assert process.wait(60) == 0
    assert any("not put right yet: OSError: disk full" in line for line in lines)
    assert "told" in lines


WRONG = """
import sys
from datasets.management import supervisor
supervisor._LOOK_SECONDS = 0.05
child = supervisor.Child(
    "child", [sys.executable, "-c", "import time; time.sleep(60)"], what_is_wrong=lambda identity, pid: "it hangs"
)
sys.exit(0 if supervisor.run([child], lambda line: print(line, flush=True)) else 7)
"""


def test_a_child_of_which_something_is_wrong_again_and_again_is_replaced() -> None:
    with supervise(WRONG) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(6)]
        process.terminate()
        assert process.wait(60) == 0
    assert lines.count("child is ended: it hangs") == 2
    assert lines.count("child is started again") == 2
