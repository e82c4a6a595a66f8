"""Large uploads in parts, by way of the real service: cut connections, killed servers, and another project's client."""

import base64
import io
import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient

from tests.support.pictures import photograph, zipped
from tests.support.service import Answer, Service

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")

TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"
PIECE = 2**18
"""Bytes that may be lost of what was sent when the server is killed."""
NGINX = 2**16
"""Bytes that nginx may not have handed on yet when a connection is cut."""
BEFORE_SILENCE = 15
"""Seconds: less than the 20 after which nginx ends a silent connection, which would end the other waits, too."""


@pytest.fixture(scope="module", params=["", "off"], ids=["nginx", "gunicorn_alone"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("resumed") / "data", {"NGINX": request.param}).start()
    yield running
    running.stop()


def archive(seed: int, megabytes: int = 6) -> bytes:
    """Some pictures, and noise beside them so that it takes its time."""
    noise = os.urandom(megabytes * 2**20)
    return zipped({f"{k}.jpg": photograph(1000 * seed + k) for k in range(8)} | {"noise.bin": noise})


def asked(service: Service, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.send(urllib.request.Request(service.url(path), body, TUS | named, method=method))


def begun(service: Service, content: bytes) -> str:
    values = {"filename": b"photos.zip", "limit": b"all"}
    metadata = ",".join(f"{key} {base64.b64encode(value).decode()}" for key, value in values.items())
    answer = asked(service, "POST", "/uploads", Upload_Length=str(len(content)), Upload_Metadata=metadata)
    assert answer.status == 201, answer.body
    return answer.headers["Location"]


def sent(service: Service, path: str, offset: int, content: bytes) -> Answer:
    return asked(service, "PATCH", path, content, Upload_Offset=str(offset), Content_Type=PART)


def offset_of(service: Service, path: str) -> int:
    answer = asked(service, "HEAD", path)
    assert answer.status == 200
    return int(answer.headers["Upload-Offset"])


def opened(service: Service, path: str, offset: int, content: bytes, most: int) -> socket.socket:
    """A connection that has announced all that is left, and sent `most` bytes of it."""
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=30)
    head = [
        f"PATCH {path} HTTP/1.1",
        *("Host: localhost", "Tus-Resumable: 1.0.0", f"Content-Type: {PART}"),
        f"Upload-Offset: {offset}",
        f"Content-Length: {len(content) - offset}",
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + content[offset : offset + most])
    return connection


def wait_for_more_than(service: Service, path: str, offset: int) -> None:
    service.wait_for(lambda: offset_of(service, path) > offset, BEFORE_SILENCE)


def offset_when_free(service: Service, path: str) -> int:
    """Once the server knows that a connection is gone, and nobody sends any more."""
    service.wait_for(lambda: sent(service, path, offset_of(service, path), b"").status == 204, BEFORE_SILENCE)
    return offset_of(service, path)


def vectors(service: Service, dataset_id: str) -> list[bytes]:
    service.wait_for(lambda: service.get(f"/dataset/{dataset_id}").json()["status"] == "ready")
    return [service.get(f"/dataset/{dataset_id}/features/{name}?format=npy").body for name in ("pca", "umap")]


def assert_as_at_once(service: Service, path: str, content: bytes) -> None:
    """The dataset of an upload in parts is byte for byte the one of a single request; nothing of the parts is left."""
    facts = asked(service, "GET", path).json()
    assert facts["state"] == "accepted"
    in_parts = vectors(service, facts["dataset"])
    assert all(found.startswith(b"\x93NUMPY") for found in in_parts)
    assert (service.data / "datasets" / facts["dataset"] / "source.zip").read_bytes() == content
    assert asked(service, "DELETE", path).status == 204
    assert not (service.data / path.replace("uploads", "partial").lstrip("/")).exists()
    assert asked(service, "DELETE", f"/dataset/{facts['dataset']}").status == 204
    at_once = service.upload(content, path="/dataset?limit=all", prefer="respond-async")
    assert at_once.status == 202
    assert at_once.json()["id"] == facts["dataset"]
    assert vectors(service, facts["dataset"]) == in_parts


def test_a_cut_connection_goes_on_where_it_was(service: Service) -> None:
    content = archive(1)
    path = begun(service, content)
    offset = 0
    for share in (2_000_000, 1_000_001):
        with closing(opened(service, path, offset, content, share)):
            wait_for_more_than(service, path, offset)
        came = offset_when_free(service, path)
        assert offset + share - NGINX < came <= offset + share
        offset = came
    with closing(opened(service, path, offset, content, 300_000)):
        wait_for_more_than(service, path, offset)
        assert sent(service, path, offset_of(service, path), content[-10:]).status == 423
        assert asked(service, "GET", "/status").status == 200
    offset = offset_when_free(service, path)
    answer = sent(service, path, offset, content[offset:])
    assert answer.status == 204, answer.body
    assert answer.headers["Upload-Offset"] == str(len(content))
    assert answer.headers["Location"].startswith("/dataset/")
    assert_as_at_once(service, path, content)


def test_a_killed_server_goes_on_where_it_was(service: Service) -> None:
    content = archive(2)
    path = begun(service, content)
    offset = 0
    for share in (3_000_000, 1_500_000):
        with closing(opened(service, path, offset, content, share)):
            wait_for_more_than(service, path, offset + share - 2 * PIECE)
            service.kill()
        service.start(warm=False)
        came = offset_of(service, path)
        assert offset + share - 2 * PIECE < came <= offset + share
        offset = came
    answer = sent(service, path, offset, content[offset:])
    assert answer.status == 204, answer.body
    assert_as_at_once(service, path, content)


def test_another_projects_client_uploads_and_goes_on(service: Service) -> None:
    content = archive(3)
    client: Any = TusClient(service.url("/uploads"))
    metadata = {"filename": "photos.zip", "limit": "all"}
    uploader = client.uploader(file_stream=io.BytesIO(content), chunk_size=2**20, metadata=metadata)
    uploader.upload_chunk()
    uploader.upload_chunk()
    assert uploader.offset == 2**21
    path = uploader.url.removeprefix(service.url(""))
    assert offset_of(service, path) == 2**21
    service.kill()
    service.start(warm=False)
    again = client.uploader(file_stream=io.BytesIO(content), chunk_size=2**20, url=uploader.url)
    assert again.offset == 2**21
    again.upload()
    assert_as_at_once(service, path, content)


def test_a_chunked_part_is_stored_as_it_comes(service: Service) -> None:
    content = archive(4, 4)
    path = begun(service, content)
    head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: {PART}\r\n"
    head += "Upload-Offset: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    half = len(content) // 2
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(head.encode())
        for part in (content[:half], content[half:]):
            connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            if part is content[:half]:
                time.sleep(0.2)
        connection.sendall(b"0\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 204 "), answer
    facts = asked(service, "GET", path).json()
    assert facts["state"] == "accepted"
    assert vectors(service, facts["dataset"])


def test_a_refused_part_is_answered_even_when_it_is_large(service: Service) -> None:
    path = begun(service, bytes(30_000_000))
    assert sent(service, path, 0, b"x" * 10).status == 204
    answer = sent(service, path, 0, bytes(20_000_000))
    assert answer.status == 409
    assert answer.json()["params"] == {"offset": 10}


def test_slow_senders_leave_threads_to_others(service: Service) -> None:
    """As many as may send at once, each silent after its first bytes: half of the sixteen threads."""
    content = archive(5, 1)
    paths = [begun(service, content) for _ in range(9)]
    with ExitStack() as stack:
        for path in paths[:8]:
            stack.enter_context(closing(opened(service, path, 0, content, 300_000)))
        for path in paths[:8]:
            wait_for_more_than(service, path, 0)
        began = time.monotonic()
        assert service.get("/health").status == 200
        assert service.get("/status").status == 200
        refused = sent(service, paths[8], 0, content)
        assert refused.status == 503
        assert refused.headers["Retry-After"]
        assert time.monotonic() - began < BEFORE_SILENCE
    service.wait_for(lambda: sent(service, paths[8], 0, content).status == 204, 20)
    for path in paths:
        assert asked(service, "DELETE", path).status == 204
