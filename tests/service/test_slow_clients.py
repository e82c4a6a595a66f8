"""Slow clients of every kind at once: others are answered as if they were not there."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.slow_clients import Load, campaign, install_catalogue
from tests.support.pictures import photograph, zipped
from tests.support.service import Service
from wwzd import nginx

pytestmark = pytest.mark.skipif(nginx.find() is None, reason="there is no nginx for this machine")

EACH = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("slow") / "data"
    install_catalogue(data, 202_599)
    running = Service(data, {"MAX_UPLOAD_MB": "8"}).start(warm=False)
    yield running
    running.stop()


def raw(service: Service, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


def form(boundary: str, content: bytes) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def test_health_and_status_are_answered_at_once_among_slow_clients(service: Service) -> None:
    measured = campaign("127.0.0.1", service.port, Load(EACH, 8, uploads=10, upload_bytes=7 * 2**20, upload_rate=2**16))
    assert set(measured["answers"]) == {"/health 200", "/status 200"}
    assert measured["slow clients"].get("bodies still connected") == EACH  # they were there all the time
    # A busy machine alone may take some tens of milliseconds, and stand still for a moment; with slow clients in its
    # threads it took 20 seconds.
    for path in ("/health", "/status"):
        assert measured[path]["median_ms"] < 500
        assert measured[path]["p99_ms"] < 5000


def test_headers_that_dribble_are_cut(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        started = time.monotonic()
        connection.settimeout(0.5)
        while time.monotonic() - started < 40:
            try:
                connection.sendall(b"a")
                if not connection.recv(100):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 10 < time.monotonic() - started < 30


def test_an_upload_over_the_limit_is_refused_before_it_is_sent(service: Service) -> None:
    head = (
        b"POST /dataset HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    )
    answer = raw(service, head + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"The upload is larger than the limit of 8 MiB." in answer
    assert b"Access-Control-Allow-Origin: *" in answer


def test_chunks_over_the_limit_are_refused_while_they_come(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(b"POST /dataset HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"%x\r\n%s\r\n" % (2**20, bytes(2**20))
        for _ in range(10):
            connection.sendall(piece)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_expects_100_continue_gets_it(service: Service) -> None:
    body = form("b", zipped({"0.jpg": photograph(1)}))
    head = (
        "POST /dataset HTTP/1.1\r\nHost: a\r\nConnection: close\r\nPrefer: respond-async\r\nExpect: 100-continue\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GARBAGE", 400),
        (f"GET /{'a' * 9000} HTTP/1.1\r\nHost: a\r\nConnection: close", 414),
        (f"GET / HTTP/1.1\r\nHost: a\r\nX-Long: {'a' * 9000}", 400),
        ("GET /../.. HTTP/1.1\r\nHost: a", 400),
        ("TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close", 405),
        ("GET / HTTP/9.9\r\nHost: a", 400),
        ("GET /-/error/disk-full HTTP/1.1\r\nHost: a\r\nConnection: close", 404),
        ("GET /-/file/etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close", 404),
    ],
)
def test_what_never_reaches_django_is_refused_with_a_sentence(service: Service, request_line: str, status: int) -> None:
    answer = raw(service, f"{request_line}\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b'{"error": "' in answer
    assert b"Access-Control-Allow-Origin: *" in answer


def test_a_large_answer_is_the_same_in_one_piece_in_parts_and_after_its_file_was_removed(service: Service) -> None:
    path = "/pca/0/202/standalone"
    whole = service.get(path)
    assert len(whole.body) > 2**20
    assert whole.headers["Access-Control-Allow-Origin"] == "*"
    assert "Last-Modified" not in whole.headers
    part = service.get(path, Range="bytes=100-300099")
    assert part.status == 206
    assert part.body == whole.body[100:300_100]
    assert service.get(path, **{"If-None-Match": whole.headers["ETag"]}).status == 304
    kept = service.get(
        path, **{"If-Match": whole.headers["ETag"], "If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}
    )
    assert kept.body == whole.body
    packed = service.get(path, **{"Accept-Encoding": "zstd"})
    assert packed.headers["Content-Encoding"] == "zstd"
    assert packed.headers["ETag"] != whole.headers["ETag"]
    assert len(packed.body) < len(whole.body)


def test_a_killed_nginx_is_replaced_and_leaves_nothing_on_the_port(service: Service) -> None:
    before = service.child("nginx")
    os.kill(before, signal.SIGKILL)
    service.wait_for(lambda: service.children().get("nginx", before) != before and service.health() is not None, 60)


def test_clients_are_known_by_their_own_address(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", {"THROTTLE": "2/minute"}).start(warm=False)
    try:
        # None can pass for another one by naming another address.
        answers = [service.get("/status", **{"X-Real-IP": f"10.0.0.{k}"}).status for k in range(3)]
        assert answers == [200, 200, 429]
    finally:
        service.stop()
