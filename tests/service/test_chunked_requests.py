"""Requests as programs send them: bodies of untold length, forms with too many files; by way of the real server."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.pictures import photograph, zipped
from tests.support.service import Answer, Service

_BOUNDARY = "----tests"
_FORM = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
_ARCHIVE = zipped({f"{k}.jpg": photograph(k) for k in range(5)})


@pytest.fixture(scope="module", params=["", "off"], ids=["nginx", "gunicorn_alone"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """nginx hands on whole bodies; without it Django reads the chunks."""
    settings = {"MAX_UPLOAD_MB": "1", "NGINX": request.param}
    started = Service(tmp_path_factory.mktemp("chunked") / "data", settings)
    try:
        yield started.start()
    finally:
        started.stop()


def part(content: bytes, name: str = "photos.zip") -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


def head(path: str, **headers: str) -> bytes:
    """Of a request whose body is chunked, unless a length is given."""
    length = {} if "Content-Length" in headers else {"Transfer-Encoding": "chunked"}
    lines = {"Host": "localhost", "Connection": "close", **length, **_FORM, **headers}
    header_lines = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{header_lines}\r\n".encode()


def post(service: Service, path: str, body: bytes, **headers: str) -> Answer:
    """The bytes of a body as they stand."""
    with closing(socket.create_connection(("127.0.0.1", service.port), 60)) as connection:
        with suppress(OSError):  # it may be answered already
            connection.sendall(head(path, **headers) + body)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    top, _, content = received.partition(b"\r\n\r\n")
    status, *fields = top.decode().split("\r\n")
    received_headers = dict(field.split(": ", 1) for field in fields)
    return Answer(status=int(status.split()[1]), headers=received_headers, body=content)


def left(service: Service) -> list[Path]:
    """Bodies that are on their way, or were left behind."""
    return [path for folder in ("tmp", "run/bodies") for path in (service.data / folder).rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
def test_a_chunked_upload_is_an_upload(service: Service, size: int) -> None:
    answer = post(service, "/dataset", chunks(form(part(_ARCHIVE)), size))
    assert answer.status == 200, answer.body
    assert answer.body == service.upload(_ARCHIVE).body
    assert service.get(f"/dataset/{answer.body.decode()}/features/pca").json()["total"] == 5
    service.wait_for(lambda: left(service) == [], 30)


def test_a_chunked_upload_may_be_queued(service: Service) -> None:
    body = chunks(form(part(zipped({"a.jpg": photograph(77)}))), 500)
    answer = post(service, "/dataset", body, Prefer="respond-async")
    assert answer.status == 202
    assert answer.headers["Location"] == f"/dataset/{json.loads(answer.body)['id']}"


def test_a_search_by_picture_takes_a_chunked_body(service: Service) -> None:
    dataset_id = service.upload(_ARCHIVE).body.decode()
    answer = post(service, f"/search?in={dataset_id}&k=1", chunks(form(part(photograph(3), "a.jpg")), 300))
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["neighbors"][0]["name"] == "3.jpg"


@pytest.mark.parametrize("path", ["/dataset", "/search"])
@pytest.mark.parametrize("megabytes", [3, 40])
def test_a_chunked_upload_over_the_limit_is_refused_while_it_is_read(
    service: Service, path: str, megabytes: int
) -> None:
    answer = post(service, path, chunks(form(part(bytes(megabytes * 2**20))), 65536))
    assert answer.status == 413
    assert json.loads(answer.body)["error"] == "The upload is larger than the limit of 1 MiB."
    service.wait_for(lambda: left(service) == [], 30)
    assert service.get("/status").json() == {"busy": False}


@pytest.mark.parametrize("junk", [bytes(3 * 2**20), b"\r\n" * 2**20])
def test_what_follows_the_form_is_not_read_without_end(service: Service, junk: bytes) -> None:
    answer = post(service, "/dataset", chunks(form(part(_ARCHIVE)) + junk, 65536))
    assert answer.status in {400, 413}
    assert json.loads(answer.body)["error"]
    service.wait_for(lambda: left(service) == [], 30)


@pytest.mark.parametrize("broken", [b"zz\r\n", b"5\r\nabc", b"-1\r\nabc\r\n", b"ffffffffffffffffffff\r\n"])
def test_broken_chunks_are_refused_and_leave_nothing(service: Service, broken: bytes) -> None:
    body = chunks(form(part(_ARCHIVE)), 500).removesuffix(b"0\r\n\r\n") + broken
    with closing(socket.create_connection(("127.0.0.1", service.port), 60)) as connection:
        connection.sendall(head("/dataset") + body)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.startswith(b"HTTP/1.1 400") or not received
    service.wait_for(lambda: left(service) == [], 30)
    assert "Traceback" not in service.output()


def test_a_client_that_leaves_in_the_middle_leaves_nothing(service: Service) -> None:
    whole = chunks(form(part(bytes(900_000))), 65536)
    with closing(socket.create_connection(("127.0.0.1", service.port), 60)) as connection:
        connection.sendall(head("/dataset") + whole[: len(whole) // 2])
        if service.settings["NGINX"] == "off":  # what nginx has of a body lies in a file without a name
            service.wait_for(lambda: left(service) != [], 30)
    service.wait_for(lambda: left(service) == [], 15)  # sooner than a client that is silent is given up
    assert service.get("/status").json() == {"busy": False}


def test_a_chunked_body_that_is_no_form_is_refused(service: Service) -> None:
    assert post(service, "/dataset", chunks(_ARCHIVE, 500), **{"Content-Type": "application/zip"}).status == 415
    assert post(service, "/dataset", b"0\r\n\r\n").status == 400
    assert post(service, "/dataset", chunks(b"no form at all", 5)).status == 400


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/dataset", "/search"])
def test_two_files_are_refused_in_words(service: Service, path: str, chunked: bool) -> None:
    body = form(part(_ARCHIVE), part(_ARCHIVE, "more.zip"))
    if chunked:
        answer = post(service, path, chunks(body, 500))
    else:
        answer = post(service, path, body, **{"Content-Length": str(len(body))})
    assert answer.status == 400
    assert "2 fields named “file”" in json.loads(answer.body)["error"]
    service.wait_for(lambda: left(service) == [], 30)
