"""A disk that fills up under the running service: `python -m benchmarks.full_disk`, as root (it mounts a small tmpfs).

For each amount of free room: uploads that must be answered with 200 or with a sentence, the service up throughout, and
an upload that works once there is room again. One line of JSON a case; the exit status is 1 where one failed.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.service import Service

DISK_MB = 60
FREE_KB = tuple(map(int, sys.argv[1:])) or (0, 100, 300, 600, 1000, 1500, 2000, 2500, 3500, 5000, 7000, 9000, 12000)
_SEED = itertools.count(1)


def main() -> None:
    if os.geteuid():
        print("Skipped: only root can mount a small file system.")
        return
    failed = stopped = False
    log = ""
    with tempfile.TemporaryDirectory(prefix="wwzd-full-disk-") as name:
        disk = Path(name) / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", disk], check=True)
        service = Service(disk / "data", settings={"CACHE_DIR": str(Path(name) / "cache"), "KEEP_ARCHIVES": "0"})
        try:
            Path.mkdir(service.data)
            service.start()
            for kilobytes in FREE_KB:
                for during in (False, True):
                    case = fill_and_upload(service, disk, kilobytes * 1024, during=during)
                    failed |= not case["held"]
                    print(json.dumps(case), flush=True)
            failed |= service.stop() != 0
            failed |= not start_on_read_only_data(service, disk)
        except Exception as error:
            print(repr(error))
            failed = True
        finally:
            stopped = service.process is not None and service.process.poll() is not None
            if not stopped:
                service.stop()
            log = service.output()
            subprocess.run(["umount", "-l", disk], check=True)
    if failed or stopped:
        print(log[-6000:])
    sys.exit(failed or stopped)


def fill_and_upload(service: Service, disk: Path, free: int, *, during: bool) -> dict[str, object]:
    """Fill all but `free` bytes, before the upload or half a second after its begin."""
    answers: list[tuple[int, str]] = []

    def upload(count: int = 300) -> None:
        content = zipped({f"{k}.jpg": photograph(1000 * next(_SEED) + k, (178, 218)) for k in range(count)})
        try:
            answer = service.upload(content, timeout=90)
            answers.append((answer.status, "" if answer.status == 200 else answer.json()["error"]))
        except OSError as error:
            answers.append((0, repr(error)))

    ballast = disk / "ballast"
    began = time.monotonic()
    thread = threading.Thread(target=upload)
    if during:
        thread.start()
        time.sleep(0.6)
    fill(disk, ballast, free)
    if not during:
        thread.start()
    thread.join()
    reads = [read(service, path) for path in ("/status", "/dataset/info", "/health", "/dataset")]
    ballast.unlink()
    alive = service.process is not None and service.process.poll() is None
    service.wait_for(lambda: (service.health() or {}).get("worker") == "ready", 60)
    upload(20)
    seconds = time.monotonic() - began
    status, sentence = answers[0]
    explained = status in (200, 503, 507) or "worker died" in sentence
    held = alive and explained and answers[-1] == (200, "") and all(status in (200, 404, 503) for status in reads[1:])
    return {
        "free_kb": free // 1024,
        "filled": "during" if during else "before",
        "answers": answers,
        "reads": reads,
        "held": held,
        "seconds": round(seconds, 1),
    }


def fill(disk: Path, ballast: Path, free: int) -> None:
    with ballast.open("wb") as file:
        for _ in range(20):
            room = os.statvfs(disk)
            try:
                return os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_bsize - free, 1))
            except OSError:  # the service took some of it meanwhile
                time.sleep(0.01)


def read(service: Service, path: str) -> int:
    """The status; 0 where the connection broke. Memory mapped from a full tmpfs, unlike from other disks, kills its
    process: SQLite's shared memory is such, and gunicorn replaces the process within a second."""
    try:
        return service.get(path).status
    except OSError:
        time.sleep(2)
        return 0


def start_on_read_only_data(service: Service, disk: Path) -> bool:
    """A sentence instead of a trace."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    command = [sys.executable, "manage.py", "serve"]
    environment = {**os.environ, "DATA_DIR": str(service.data), "PORT": str(service.port), "DEMO": "0"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    held = ended.returncode == 1 and "cannot be written to" in ended.stderr and "Traceback" not in ended.stderr
    print(json.dumps({"read_only_start": ended.stderr.strip(), "held": held}))
    return held


if __name__ == "__main__":
    main()
