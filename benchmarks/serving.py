"""How quickly answers leave the real service, beside a plain Django view: `python -m benchmarks.serving`.

Prints one JSON line a measurement: medians in seconds, of calls over HTTP by one client on this machine.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.service import Service, children_of

TOTAL = 202_599
ALL_ROWS = "/pca/0/202/standalone"
ONE_RANGE = "/pca/7/7/standalone"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wwzd-serving-") as folder:
        data = Path(folder) / "data"
        install(data)
        for rows in (start_times(data), answer_times(data), latencies(data)):
            for row in rows:
                print(json.dumps(row), flush=True)


def install(data: Path) -> None:
    """A catalogue of CelebA's size, whose numbers are spread as UMAP spreads them, and one tilemap."""
    import benchmarks.configured  # noqa: F401  before the next one
    from datasets.catalogue import installation, installed_catalogue

    random = np.random.default_rng(0)
    arrays = {name: random.normal(scale=3, size=(TOTAL, 3)).astype(np.float32) for name in ("pca", "umap")}
    installation.install(data, arrays, name="Benchmark")
    tilemap = installed_catalogue.tilemap_path(data / "tilemaps", 0)
    tilemap.parent.mkdir(parents=True)
    tilemap.write_bytes(random.bytes(1_500_000))  # no JPEG, but as long as one and as little compressible


def answer_times(data: Path, repeats: int = 9) -> Iterator[dict[str, Any]]:
    """All rows, one range and a tilemap; the plain view is asked in turn with ours: both meet the same noise."""
    # A data folder of its own takes a cache of its own: the first calls are the first ever.
    with plain(data) as other, serving(data) as service:
        ours, theirs = Client(service.port), Client(other)
        theirs.get(ALL_ROWS)  # imports what it needs
        ours.get("/health")
        cold = {coding: ours.timed(ALL_ROWS, coding) for coding in ("", "zstd", "br", "gzip")}
        cold_range = ours.timed(ONE_RANGE, "zstd")
        etag = ours.get(ALL_ROWS).headers["ETag"]
        calls: dict[str, Callable[[], Any]] = {
            "plain": lambda: theirs.get(ALL_ROWS),
            "plain range": lambda: theirs.get(ONE_RANGE),
            "identity": lambda: ours.get(ALL_ROWS),
            "zstd": lambda: ours.get(ALL_ROWS, {"Accept-Encoding": "zstd"}),
            "br": lambda: ours.get(ALL_ROWS, {"Accept-Encoding": "br"}),
            "gzip": lambda: ours.get(ALL_ROWS, {"Accept-Encoding": "gzip"}),
            "304": lambda: ours.get(ALL_ROWS, {"If-None-Match": str(etag)}),
            "range": lambda: ours.get(ONE_RANGE),
            "range zstd": lambda: ours.get(ONE_RANGE, {"Accept-Encoding": "zstd"}),
            "tilemap": lambda: ours.get("/tilemaps/000"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(repeats):
            for name, call in calls.items():
                started = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - started)
        median = {name: statistics.median(values) for name, values in seconds.items()}
        sizes = {name: len(calls[name]().body) for name in calls}
        for coding, once in cold.items():
            row = {"what": f"all rows, first call ever, {coding or 'identity'}", "ours_s": once, "once": True}
            yield compared(row, median["plain"])
        for name in ("identity", "zstd", "br", "gzip", "304"):
            row = {"what": f"all rows, {name}", "ours_s": median[name], "bytes": sizes[name]}
            yield compared(row, median["plain"], sizes["plain"])
        yield compared({"what": "one range, first call ever, zstd", "ours_s": cold_range}, median["plain range"])
        for name in ("range", "range zstd"):
            row = {"what": f"one {name}", "ours_s": median[name], "bytes": sizes[name]}
            yield compared(row, median["plain range"], sizes["plain range"])
        yield {"what": "tilemap of 1.5 MB", "ours_s": median["tilemap"], "bytes": sizes["tilemap"]}
        yield {"what": "memory of the web process after that", "ours_mb": memory_mb(service)}


def start_times(data: Path, repeats: int = 5) -> Iterator[dict[str, Any]]:
    """`manage.py check`, and gunicorn from its start to its first answer."""
    service = Service(data)
    environment = environment_of(service)
    manage = [sys.executable, str(ROOT / "manage.py")]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True, cwd=ROOT)
    checks, starts = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([*manage, "check"], env=environment, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        checks.append(time.perf_counter() - started)
        started = time.perf_counter()
        command = [sys.executable, "-m", "gunicorn", "--config", "python:wwzd.gunicorn"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT)
        try:
            wait_for(lambda: service.health() is not None)
            starts.append(time.perf_counter() - started)
        finally:
            process.terminate()
            process.wait()
    yield {"what": "manage.py check", "ours_s": statistics.median(checks)}
    yield {"what": "gunicorn, start to first answer", "ours_s": statistics.median(starts)}


def latencies(data: Path, calls: int = 3000) -> Iterator[dict[str, Any]]:
    """Small calls, idle and while 1000 pictures are computed; the busy rule answers /status with 503 then."""
    archive = zipped({f"{k:04d}.jpg": photograph(k, (178, 218)) for k in range(1000)})
    with serving(data, warm=True) as service:
        service.upload(zipped({"a.jpg": photograph(1)}))  # the first upload meets cold paths
        paths = ("/health", "/status")
        idle = {path: [] for path in paths}  # type: dict[str, list[float]]
        client = Client(service.port)
        for _ in range(calls):
            for path in paths:
                idle[path].append(client.timed(path))
                time.sleep(0.001)
        answers: list[Any] = []
        upload = threading.Thread(target=lambda: answers.append(service.upload(archive, timeout=600)))
        started = time.perf_counter()
        upload.start()
        wait_for(lambda: service.get("/status").status == 503)
        busy = {path: [] for path in paths}  # type: dict[str, list[float]]
        while upload.is_alive():
            for path in paths:
                busy[path].append(client.timed(path))
                time.sleep(0.001)
        upload.join()
        assert answers[0].status == 200, answers[0].body
        yield {"what": "upload of 1000 pictures, while asked all the time", "ours_s": time.perf_counter() - started}
        for path in paths:
            (p50, p99), (busy_p50, busy_p99) = quantiles(idle[path]), quantiles(busy[path])
            row = {"what": f"GET {path}", "idle_p50_s": p50, "idle_p99_s": p99, "upload_p50_s": busy_p50}
            yield row | {"upload_p99_s": busy_p99, "p99_ratio": busy_p99 / p99, "calls": len(busy[path])}


class Client:
    """One client on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)

    def get(self, path: str, headers: dict[str, str] | None = None) -> "Got":
        self._connection.request("GET", path, headers={"Accept-Encoding": "identity"} | (headers or {}))
        response = self._connection.getresponse()
        return Got(response.status, dict(response.headers), response.read())

    def timed(self, path: str, coding: str = "") -> float:
        started = time.perf_counter()
        self.get(path, {"Accept-Encoding": coding or "identity"})
        return time.perf_counter() - started


class Got:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


@contextmanager
def serving(data: Path, *, warm: bool = False) -> Iterator[Service]:
    service = Service(data, {"CACHE_DIR": str(data / "cache")}).start(warm=warm)
    try:
        yield service
    finally:
        service.stop()


@contextmanager
def plain(data: Path) -> Iterator[int]:
    """The plain view under the same server. Yields its port."""
    service = Service(data)
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "16", "--log-level"]
    command += ["warning", "--bind", f"127.0.0.1:{service.port}", "benchmarks.serving:plain_application()"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PLAIN_DATA": str(data)})
    try:
        wait_for(lambda: not service.port_is_free())
        yield service.port
    finally:
        process.terminate()
        process.wait()


def plain_application() -> Any:
    """What one writes first: a Django view, `tolist`, `json`."""
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    (file,) = (Path(os.environ["PLAIN_DATA"]) / "collections").glob("*/layouts/pca.npy")
    vectors = np.load(file)

    def view(request: HttpRequest, start: int, end: int) -> HttpResponse:
        rows = vectors[start * 1000 : (end + 1) * 1000]
        ids = [f"{number:03d}" for number in range(start, end + 1)]
        body = json.dumps({"features": rows.tolist(), "tilemap_ids": ids, "total": len(rows)})
        return HttpResponse(body, content_type="application/json")

    class Routes:
        urlpatterns = [path("pca/<int:start>/<int:end>/standalone", view)]

    settings.configure(ROOT_URLCONF=Routes, ALLOWED_HOSTS=["*"], DEBUG=False)
    django.setup()
    return get_wsgi_application()


def compared(row: dict[str, Any], plain_s: float, plain_bytes: int | None = None) -> dict[str, Any]:
    row |= {"plain_s": plain_s, "times": plain_s / row["ours_s"]}
    return row if plain_bytes is None else row | {"plain_bytes": plain_bytes}


def quantiles(seconds: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    return float(np.quantile(seconds, 0.5)), float(np.quantile(seconds, 0.99))


def memory_mb(service: Service) -> float:
    """Resident memory of the process that answers, not of gunicorn's master."""
    (process,) = children_of(service.children()["web"])
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def environment_of(service: Service) -> dict[str, str]:
    return os.environ | {
        "DATA_DIR": str(service.data),
        "CACHE_DIR": str(service.data / "cache"),
        "HOST": "127.0.0.1",
        "PORT": str(service.port),
        "DEMO": "0",
        "DJANGO_SETTINGS_MODULE": "wwzd.settings",
    }


def wait_for(condition: Callable[[], bool], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the service does not answer"
        time.sleep(0.005)


if __name__ == "__main__":
    main()
