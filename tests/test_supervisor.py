"""Keeping processes running, with real ones."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from datasets import supervisor
from datasets.supervisor import Child


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_child_that_gives_up_again_and_again_ends_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_ATTEMPTS", 2)
    seen: list[str] = []
    child = Child("broken", python("raise SystemExit(3)"), on_death=seen.append)
    lines: list[str] = []
    assert not supervisor.run([child], lines.append)
    assert len(seen) == len(set(seen)) == 2
    assert any("with 3" in line for line in lines)


def test_a_killed_child_is_replaced_however_often(tmp_path: Path) -> None:
    deaths: list[str] = []
    child = Child("killed", python("import time; time.sleep(60)"), on_death=deaths.append)

    def kill_and_stop() -> None:
        for number in range(supervisor._ATTEMPTS + 1):
            while len(deaths) < number or child.process is None or child.process.poll() is not None:
                time.sleep(0.02)
            child.process.kill()
            while len(deaths) <= number:
                time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=kill_and_stop)
    thread.start()
    assert supervisor.run([child], lambda line: None)
    thread.join()
    assert len(deaths) == supervisor._ATTEMPTS + 1
    assert child.has_ended()
