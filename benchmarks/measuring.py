"""How long work takes, and how much memory a process."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.service import children_of


def peak_mb(process: "subprocess.Popen[bytes]") -> float:
    """Memory of its own of a process and its children, at its largest, looked at ten times a second."""
    peak = 0
    while process.poll() is None:
        pids, total = [process.pid], 0
        while pids:
            pid = pids.pop()
            try:
                pids += children_of(pid)
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:  # it has ended
                continue
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith(("RssAnon", "RssShm")))
        peak = max(peak, total)
        time.sleep(0.1)
    return peak / 1024


def cpu_timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """As `timed`, and the CPU's seconds of all threads, which others' work on the machine changes little."""
    started = time.process_time()
    result, seconds = timed(work)
    return result, seconds, time.process_time() - started


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What work returns, and its seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
