"""Small calls with nginx before gunicorn and without, in turn: `python -m benchmarks.small_calls [--cache DIR]`.

Both services run at once, on a data folder each; eight connections that stay open ask /status, /dataset/info and
a tilemap-sized answer as fast as they can, in turns of some seconds.
"""

import argparse
import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.service import Service

from .slow_clients import install_catalogue

PATHS = ("/status", "/dataset/info", "/pca/0/49/standalone")
CONNECTIONS, SECONDS, TURNS = 8, 3.0, 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", default="", help="CACHE_DIR of the services, to start sooner")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wwzd-small-") as name:
        services = {}
        try:
            for way in ("alone", "nginx"):
                data = Path(name) / way / "data"
                install_catalogue(data)
                settings = {"NGINX": "off" if way == "alone" else ""} | (
                    {"CACHE_DIR": given.cache} if given.cache else {}
                )
                services[way] = Service(data, settings).start()
            for path in PATHS:
                print(json.dumps(_compare(path, services)), flush=True)
        finally:
            for service in services.values():
                service.stop()


def _compare(path: str, services: dict[str, Service]) -> dict[str, Any]:
    rates: dict[str, list[float]] = {way: [] for way in services}
    for _ in range(TURNS):
        for way, service in services.items():
            rates[way].append(_rate(service.port, path))
    alone, nginx = (statistics.median(rates[way]) for way in ("alone", "nginx"))
    ratios = [second / first for first, second in zip(rates["alone"], rates["nginx"], strict=True)]
    rounded = {way: [round(rate) for rate in found] for way, found in rates.items()}
    return {"what": f"GET {path}, calls a second", **rounded, "median ratio": round(statistics.median(ratios), 3)} | {
        "alone_median": round(alone),
        "nginx_median": round(nginx),
    }


def _rate(port: int, path: str) -> float:
    """Calls a second of some connections at once, in a process of their own."""
    with multiprocessing.Pool(2) as pool:
        parts = [(port, path, CONNECTIONS // 2)] * 2
        return sum(pool.starmap(_ask, parts))


def _ask(port: int, path: str, connections: int) -> float:
    """Calls a second; every connection has one under way all the time."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for one in sockets:
        one.sendall(request)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        for one in sockets:
            _receive(one)
            one.sendall(request)
            count += 1
    seconds = time.perf_counter() - started
    for one in sockets:
        one.close()
    return count / seconds


def _receive(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(2**18)
    head, _, body = head.partition(b"\r\n\r\n")
    (length,) = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    left = int(length.split(b":")[1]) - len(body)
    while left:
        left -= len(connection.recv(min(left, 2**18)))


if __name__ == "__main__":
    main()
