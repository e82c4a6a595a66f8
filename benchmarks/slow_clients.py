"""Slow clients against the real service: `python -m benchmarks.slow_clients [--each 500] [--seconds 60] [--url …]`.

At the same time, `each` connections that dribble their headers, as many that dribble an upload's body, read an answer
of some megabytes slowly, or are idle; and ten uploads that come slowly. Meanwhile /health and /status are asked on new
connections; their median and 99th percentile are told, beside how many of the slow ones are still connected in the end.
Without `--url` a service of its own is started, with a catalogue of 202,599 rows.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from embeddings import legacy_pickles
from tests.support.service import Service

KINDS = ("headers", "bodies", "readers", "idle")
BOUNDARY = "slow"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n'
    "Content-Type: application/zip\r\n\r\n"
).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=500, help="connections of each kind")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--uploads", type=int, default=10, help="slow uploads beside them")
    parser.add_argument("--upload-mb", type=int, default=2000, help="size that each of them declares")
    parser.add_argument("--upload-rate-mb", type=float, default=2.0, help="of each, a second")
    parser.add_argument("--nginx", default="", help="NGINX of the service that is started, such as off")
    parser.add_argument("--cache", default="", help="CACHE_DIR of the service that is started, to start sooner")
    parser.add_argument("--url", default="", help="a service that runs already")
    given = parser.parse_args()
    load = Load(given.each, given.seconds, given.uploads, given.upload_mb * 2**20, given.upload_rate_mb * 2**20)
    if given.url:
        parts = urlsplit(given.url)
        print(json.dumps(campaign(parts.hostname or "localhost", parts.port or 80, load)))
        return
    with tempfile.TemporaryDirectory(prefix="wwzd-slow-") as name:
        data = Path(name) / "data"
        install_catalogue(data)
        settings = {"NGINX": given.nginx} | ({"CACHE_DIR": given.cache} if given.cache else {})
        service = Service(data, settings).start(warm=False)
        try:
            print(json.dumps(campaign("127.0.0.1", service.port, load)))
        finally:
            service.stop()


class Load:
    """What slow clients there are."""

    def __init__(
        self, each: int, seconds: float, uploads: int = 0, upload_bytes: int = 0, upload_rate: float = 0
    ) -> None:
        self.each, self.seconds = each, seconds
        self.uploads, self.upload_bytes, self.upload_rate = uploads, upload_bytes, upload_rate


def install_catalogue(data: Path, total: int = 202_599) -> None:
    """Pickles of the old server: enough for an answer of some megabytes."""
    for seed, name in enumerate(("pca", "umap")):
        rows = np.random.default_rng(seed).normal(size=(total, 3)).astype(np.float32)
        legacy_pickles.write(data / "pickles" / f"celeba_features_{name}_reduced.pickle", rows)


def campaign(host: str, port: int, load: Load) -> dict[str, Any]:
    """Run the slow clients in a process of their own, and measure meanwhile in this one."""
    _raise_file_limit()
    report, sender = multiprocessing.Pipe(duplex=False)
    clients = multiprocessing.Process(target=_run, args=(host, port, load, sender), daemon=True)
    clients.start()
    assert report.poll(120), "the slow clients do not connect"
    report.recv()
    times: dict[str, list[float]] = {"/health": [], "/status": []}
    statuses: Counter[str] = Counter()
    end = time.monotonic() + load.seconds
    while time.monotonic() < end:
        for path, taken in times.items():
            started = time.perf_counter()
            statuses[f"{path} {_ask(host, port, path)}"] += 1
            taken.append(time.perf_counter() - started)
            time.sleep(0.02)
    left = report.recv() if report.poll(60) else {}
    clients.join(10)
    result: dict[str, Any] = {
        "each": load.each,
        "seconds": load.seconds,
        "answers": dict(statuses),
        "slow clients": left,
    }
    for path, taken in times.items():
        result[path] = {
            "median_ms": round(1000 * statistics.median(taken), 1),
            "p99_ms": round(1000 * float(np.quantile(taken, 0.99)), 1),
            "longest_ms": round(1000 * max(taken), 1),
        }
    return result


def _ask(host: str, port: int, path: str) -> str:
    """The answer's status, or what went wrong."""
    try:
        with socket.create_connection((host, port), timeout=20) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.split(b" ", 2)[1].decode() if answer else "closed"
    except OSError as error:
        return type(error).__name__


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _run(host: str, port: int, load: Load, sender: Any) -> None:
    asyncio.run(_clients(host, port, load, sender))


async def _clients(host: str, port: int, load: Load, sender: Any) -> None:
    kinds: dict[str, Callable[..., Awaitable[None]]] = {
        "headers": _dribble_headers,
        "bodies": _dribble_body,
        "readers": _read_slowly,
        "idle": _stay_idle,
    }
    tasks: list[tuple[str, asyncio.Task[None]]] = []
    for _ in range(load.each):
        for kind in KINDS:
            tasks.append((kind, asyncio.create_task(_connected(host, port, kinds[kind]))))
        await asyncio.sleep(0.002)
    for _ in range(load.uploads):
        upload = _upload_slowly(load.upload_bytes, load.upload_rate)
        tasks.append(("uploads", asyncio.create_task(_connected(host, port, upload))))
    await asyncio.sleep(2)
    sender.send("connected")
    await asyncio.sleep(load.seconds)
    left = Counter(f"{kind} still connected" for kind, task in tasks if not task.done())
    left.update(f"{kind} cut or ended" for kind, task in tasks if task.done())
    for _, task in tasks:
        task.cancel()
    await asyncio.gather(*(task for _, task in tasks), return_exceptions=True)
    sender.send(dict(left))


async def _connected(host: str, port: int, behave: Callable[..., Awaitable[None]]) -> None:
    connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # small, so that slow readers are slow
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait_for(loop.sock_connect(connection, (host, port)), 60)
        await behave(loop, connection)
    except (OSError, TimeoutError):
        return
    finally:
        connection.close()


async def _closed(loop: asyncio.AbstractEventLoop, connection: socket.socket, seconds: float) -> bool:
    """Wait. Whether the server has closed the connection or answered meanwhile."""
    try:
        await asyncio.wait_for(loop.sock_recv(connection, 4096), seconds)
    except TimeoutError:
        return False
    return True


async def _dribble_headers(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    await loop.sock_sendall(connection, b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    while not await _closed(loop, connection, 2):
        await loop.sock_sendall(connection, b"a")


async def _dribble_body(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    await loop.sock_sendall(connection, _upload_head(5_000_000))
    while not await _closed(loop, connection, 2):
        await loop.sock_sendall(connection, b"a")


async def _read_slowly(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    await loop.sock_sendall(connection, b"GET /pca/0/202/standalone HTTP/1.1\r\nHost: a\r\n\r\n")
    while await loop.sock_recv(connection, 64):
        await asyncio.sleep(1)


async def _stay_idle(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    await loop.sock_recv(connection, 1)


def _upload_slowly(size: int, rate: float) -> Callable[..., Awaitable[None]]:
    async def behave(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
        await loop.sock_sendall(connection, _upload_head(size))
        piece = bytes(max(int(rate / 20), 1))
        while not await _closed(loop, connection, 0.05):
            await loop.sock_sendall(connection, piece)

    return behave


def _upload_head(length: int) -> bytes:
    head = (
        f"POST /dataset HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    return head.encode() + FORM


if __name__ == "__main__":
    main()
