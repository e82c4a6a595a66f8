"""Small files that are made to hang or fill the machine, sent to the running service: `python -m benchmarks.bombs`.

Each is sent in a ZIP beside harmless pictures, then to `POST /search`; then a harmless upload. Said are the seconds,
what became of the bomb, how much memory the worker and its decoders took above idle, and what `/health` took meanwhile.
Last, sixteen requests at once for thumbnails of a slow picture. One line of JSON a case; the exit status is 1 where one
failed.
"""

import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support import bombs
from tests.support.pictures import photograph, zipped
from tests.support.service import Service, children_of

BOMBS: dict[str, Callable[[], bytes]] = {
    "a JPEG of 1500 scans": bombs.scan_bomb,
    "a JPEG of 28 scans": lambda: bombs.scan_bomb(10_000, 22),
    "PNG, 223 × 448,000, 16 bits": lambda: bombs.sliver_png(223, 448_000),
    "PNG, 90,000 × 1,100, 16 bits": lambda: bombs.sliver_png(90_000, 1_100),
    "TIFF of floats, 10,000 × 10,000": lambda: bombs.float_tiff(10_000, 10_000),
    "WebP, 16,000 × 6,000": bombs.plain_webp,
    "JPEG 2000, 9,000 × 9,000": lambda: bombs.plain_jpeg2000(9_000),
    "GIF, 10,000 × 10,000": lambda: bombs.plain_gif(10_000),
}
COPIES, MOST_SECONDS, MOST_MIB = 4, 15, 1536
_SEED = itertools.count(1)


def main() -> None:
    failed = False
    with tempfile.TemporaryDirectory(prefix="wwzd-bombs-") as name:
        service = Service(Path(name) / "data", settings={"CACHE_DIR": str(Path(name) / "cache")}).start()
        try:
            identity = service.upload(harmless({})).body.decode()
            idle = memory(service)
            for what, make in BOMBS.items():
                case = one_bomb(service, identity, make(), idle)
                failed |= not case["held"]
                print(json.dumps({"bomb": what} | case, ensure_ascii=False), flush=True)
            case = thumbnails(service)
            failed |= not case["held"]
            print(json.dumps(case, ensure_ascii=False), flush=True)
        finally:
            service.stop()
    sys.exit(failed)


def one_bomb(service: Service, identity: str, bomb: bytes, idle: int) -> dict[str, object]:
    with watching(service) as seen:
        began = time.monotonic()
        answer = service.upload(harmless({"bomb": bomb}), timeout=300)
        seconds = time.monotonic() - began
        several = time.monotonic()
        # Each differs in a byte behind its end.
        more = service.upload(harmless({f"bomb{k}": bomb + bytes([k]) for k in range(COPIES)}), timeout=300)
        several = time.monotonic() - several
        began = time.monotonic()
        found = service.upload(bomb, "bomb", path=f"/search?in={identity}")
        search = time.monotonic() - began
        after = service.upload(harmless({})).status
    described = service.get(f"/dataset/{answer.body.decode()}").json() if answer.status == 200 else answer.json()
    above = max(seen["memory"]) - idle
    in_time = seconds < MOST_SECONDS and search < MOST_SECONDS
    return {
        "bytes": len(bomb),
        "seconds": round(seconds, 1),
        f"seconds_of_{COPIES}": round(several, 1),
        "search": [found.status, round(search, 1)],
        "skipped": [entry["reason"] for entry in described.get("skipped", [])],
        "mib_above_idle": above,
        "health_ms": round(max(seen["health"])),
        "after": after,
        "held": in_time and above < MOST_MIB and answer.status == more.status == after == 200 and found.status < 500,
    }


def thumbnails(service: Service) -> dict[str, object]:
    """Sixteen at once, of sixteen sizes, of a picture that takes seconds to decode."""
    slow = bombs.scan_bomb(10_000, 20)
    identity = service.upload(harmless({"slow.jpg": slow}), timeout=300).body.decode()
    names = service.get(f"/dataset/{identity}/images?limit=1000").json()["images"]
    row = next((image["index"] for image in names if image["name"] == "slow.jpg"), 0)
    with watching(service) as seen, ThreadPoolExecutor(16) as pool:
        began = time.monotonic()
        paths = [f"/dataset/{identity}/images/{row}/thumbnail?size={16 * k}" for k in range(1, 17)]
        statuses = [answer.status for answer in pool.map(service.get, paths)]
        seconds = time.monotonic() - began
    again = [service.get(path).status for path in paths]
    held = set(statuses) <= {200, 503} and 200 in statuses and max(seen["health"]) < 1000 and set(again) == {200}
    return {
        "thumbnails": {status: statuses.count(status) for status in sorted(set(statuses))},
        "seconds": round(seconds, 1),
        "health_ms": round(max(seen["health"])),
        "held": held,
    }


def harmless(more: dict[str, bytes]) -> bytes:
    seed = next(_SEED)
    return zipped({f"{k}.jpg": photograph(1000 * seed + k, (178, 218)) for k in range(20)} | more)


@contextmanager
def watching(service: Service) -> Iterator[dict[str, list[float]]]:
    """Memory in MiB and the milliseconds of `/health`, ten times a second."""
    seen: dict[str, list[float]] = {"memory": [memory(service)], "health": [0.0]}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            began = time.monotonic()
            service.get("/health")
            seen["health"].append(1000 * (time.monotonic() - began))
            seen["memory"].append(memory(service))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def memory(service: Service) -> int:
    """MiB of the worker and its decoders, and of all other processes of the service."""
    assert service.process is not None
    processes, total = [service.process.pid], 0
    while processes:
        pid = processes.pop()
        try:
            processes += children_of(pid)
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
    return total // 1024


if __name__ == "__main__":
    main()
