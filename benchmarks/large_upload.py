"""20,000 portraits in one ZIP, sent as one collection: `python -m benchmarks.large_upload [PICTURES …]`.

The network is EfficientNet-Lite0, whose weights are packaged. There is no plain way of it: what takes its time is told
apart, beside the largest memory of each process.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.pictures import zipped
from tests.support.service import Service, children_of

from . import inputs

TOTAL = 20_000


def main(sizes: list[int]) -> None:
    for total in sizes:
        archive = zipped(inputs.portraits(total))
        with tempfile.TemporaryDirectory(prefix="wwzd-collection-") as name:
            service = Service(Path(name) / "data", settings={"BACKBONE": "efficientnet_lite0"})
            try:
                service.start()
                print(json.dumps(_sent(service, archive, total)), flush=True)
            finally:
                service.stop()


def _sent(service: Service, archive: bytes, total: int) -> dict[str, Any]:
    started = time.perf_counter()
    answer = service.upload(archive, path="/dataset?limit=all", prefer="respond-async")
    assert answer.status == 202, answer.body
    address = f"/dataset/{answer.json()['id']}"
    peaks: dict[str, int] = {}
    while (account := service.get(address).json())["status"] not in {"ready", "failed"}:
        _note(peaks, service)
        time.sleep(0.5)
    seconds = time.perf_counter() - started
    assert account["count"] == total, account
    parts = ", ".join(f"{name} {part:.0f} s" for name, part in account["timings"].items() if part >= 0.5)
    memory = ", ".join(f"{name} {peak / 1024:.0f} MiB" for name, peak in peaks.items())
    return {
        "what": f"{total:,} portraits sent as one collection of {len(archive) / 2**20:.0f} MiB",
        "ours": [seconds],
        "note": f"{total / seconds:.0f} pictures/s; {parts}; at most: {memory}",
    }


def _note(peaks: dict[str, int], service: Service) -> None:
    """Largest resident memory so far, KiB, of the service's processes by name."""
    children = service.children()
    named = [(name, pid) for name in ("web", "worker") for pid in (children[name], *children_of(children[name]))]
    for name, pid in named:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:  # has ended
            continue
        which = "the process beside it" if name == "worker" and pid != children[name] else name
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
        peaks[which] = max(peak, peaks.get(which, 0))


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [TOTAL])
