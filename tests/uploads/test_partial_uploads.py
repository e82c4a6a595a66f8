"""Uploads that come in parts, by the tus protocol: every branch of the calls, within one process."""

import base64
import errno
import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from datasets.api.http import tus
from datasets.errors import NotFound, QueueFull
from datasets.models import Dataset, Status
from datasets.uploads import disk_space, intake, partial_completion, partial_upload, recovery
from datasets.uploads.partial_upload import PartialUpload
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence

pytestmark = pytest.mark.django_db(transaction=True)

TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"
ARCHIVE = zipped({f"{k}.jpg": photograph(k) for k in range(5)})


def encoded(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(client: Client, length: int = len(ARCHIVE), **metadata: str) -> Any:
    headers = TUS | {"Upload-Length": str(length)}
    return client.generic(
        "POST", "/uploads", headers=headers | ({"Upload-Metadata": encoded(**metadata)} if metadata else {})
    )


def send(client: Client, path: str, offset: int, content: bytes, **headers: str) -> Any:
    headers = TUS | {"Upload-Offset": str(offset)} | headers
    return client.patch(path, content, PART, CONTENT_TYPE=PART, headers=headers)


def begun(client: Client, length: int = len(ARCHIVE), **metadata: str) -> str:
    response = begin(client, length, **metadata)
    assert response.status_code == 201, response.content
    return str(response["Location"])


def stored(data: Path) -> list[str]:
    """Files of uploads, without those that only say what became of one."""
    names = [path.name for path in (data / "partial").glob("*/*")]
    return sorted(name for name in names if name not in {"facts.json", "lock"})


def test_parts_become_the_dataset_that_one_request_makes(client: Client, data: Path) -> None:
    path = begun(client, filename="C:\\pictures\\ü.zip", limit="all", filetype="application/zip")
    middle = len(ARCHIVE) // 2
    response = send(client, path, 0, ARCHIVE[:middle])
    assert response.status_code == 204
    assert (response["Upload-Offset"], response["Tus-Resumable"]) == (str(middle), "1.0.0")
    assert "GMT" in response["Upload-Expires"]
    assert "Location" not in response
    response = client.head(path, headers=TUS)
    assert response.status_code == 200
    assert (response["Upload-Offset"], response["Upload-Length"]) == (str(middle), str(len(ARCHIVE)))
    assert response["Cache-Control"] == "no-store"
    assert response["Upload-Metadata"].startswith("filename ")
    facts = client.get(path).json()
    assert (facts["state"], facts["offset"], facts["name"], facts["dataset"]) == ("receiving", middle, "ü.zip", None)

    response = send(client, path, middle, ARCHIVE[middle:])
    assert response.status_code == 204
    facts = client.get(path).json()
    assert (facts["state"], facts["error"]) == ("accepted", None)
    assert response["Location"] == facts["links"]["dataset"] == f"/dataset/{facts['dataset']}"
    dataset = client.get(response["Location"]).json()
    assert (dataset["name"], dataset["status"], dataset["count"]) == ("ü.zip", "ready", 5)
    assert stored(data) == []
    assert Path(Dataset.objects.get().archive.path).read_bytes() == ARCHIVE

    at_once = client.post("/dataset?limit=all", {"file": _file(ARCHIVE)}, headers={"Prefer": "respond-async"})
    assert at_once.json()["id"] == facts["dataset"]
    # The answer to the last part may have been lost: all that a client does then is harmless.
    assert client.head(path, headers=TUS)["Upload-Offset"] == str(len(ARCHIVE))
    assert send(client, path, len(ARCHIVE), b"")["Location"] == response["Location"]
    assert send(client, path, middle, ARCHIVE[middle:]).status_code == 409
    assert Dataset.objects.count() == 1


def _file(content: bytes) -> Any:
    return SimpleUploadedFile("photos.zip", content)


def test_an_archive_that_is_known_is_answered_at_once(client: Client, data: Path) -> None:
    known = client.post("/dataset", {"file": _file(ARCHIVE)}).content.decode()
    path = begun(client)
    assert send(client, path, 0, ARCHIVE)["Location"] == f"/dataset/{known}"
    assert client.get(path).json()["dataset"] == known
    assert stored(data) == []


def test_a_limit_counts(client: Client) -> None:
    path = begun(client, limit="3")
    dataset = client.get(send(client, path, 0, ARCHIVE)["Location"]).json()
    assert (dataset["count"], dataset["over_capacity"], dataset["name"]) == (3, 2, "upload.zip")


def test_a_first_part_may_come_with_the_beginning(client: Client, data: Path) -> None:
    headers = TUS | {"Upload-Length": str(len(ARCHIVE))}
    response = client.post("/uploads", ARCHIVE[:100], PART, headers=headers)
    assert (response.status_code, response["Upload-Offset"]) == (201, "100")
    assert send(client, response["Location"], 100, ARCHIVE[100:]).status_code == 204
    assert client.post("/uploads", b"all", "text/plain", headers=headers).status_code == 415
    response = client.post("/uploads", b"no ZIP", PART, headers=TUS | {"Upload-Length": "6"})
    assert "not a ZIP" in sentence(response.json(), 400)
    assert stored(data) == []


def test_what_is_no_archive_is_refused_and_leaves_nothing(client: Client, data: Path) -> None:
    path = begun(client, 6)
    response = send(client, path, 0, b"no ZIP")
    assert "not a ZIP" in sentence(response.json(), 400)
    assert response.json()["type"].endswith(":no-zip")
    facts = client.get(path).json()
    assert (facts["state"], facts["dataset"]) == ("refused", None)
    assert facts["problem"]["type"] == response.json()["type"]
    assert facts["error"] == response.json()["error"]
    assert client.head(path, headers=TUS)["Upload-Offset"] == "6"
    assert send(client, path, 6, b"").status_code == 400
    assert stored(data) == []
    assert not Dataset.objects.exists()


def test_a_refusal_that_passes_keeps_the_bytes(client: Client, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begun(client)
    accept = intake.accept
    refusals = [QueueFull(20), QueueFull(20)]

    def full(*args: Any) -> Dataset:
        if refusals:
            raise refusals.pop()
        return accept(*args)

    monkeypatch.setattr(intake, "accept", full)
    response = send(client, path, 0, ARCHIVE)
    assert sentence(response.json(), 429)
    facts = client.get(path).json()
    assert (facts["state"], facts["offset"]) == ("complete", len(ARCHIVE))
    assert facts["problem"]["type"].endswith(":queue-full")
    assert stored(data) == ["content"]
    assert client.get(path).json()["state"] == "accepted"
    assert Dataset.objects.get().status == Status.READY


@pytest.mark.parametrize("ask", ["GET", "HEAD", "PATCH"])
def test_an_upload_that_was_complete_when_the_service_was_killed_is_accepted_later(client: Client, ask: str) -> None:
    path = begun(client)
    with partial_upload.locked(path.rsplit("/", 1)[-1]) as upload:
        rest = iter([ARCHIVE])
        upload.append(0, lambda size: next(rest, b""))
    recovery.after_service_death()
    assert not Dataset.objects.exists()
    answers: dict[str, Callable[[], Any]] = {
        "GET": lambda: client.get(path),
        "HEAD": lambda: client.head(path, headers=TUS),
        "PATCH": lambda: send(client, path, len(ARCHIVE), b""),
    }
    assert answers[ask]().status_code in {200, 204}
    assert client.get(path).json()["dataset"] == Dataset.objects.get().hash


def test_an_upload_that_was_stored_when_the_service_was_killed_is_known_later(
    client: Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill comes between the row of the dataset and the upload's own note of it."""
    path = begun(client)

    def killed(*args: Any, **options: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(PartialUpload, "decide", killed)
        with pytest.raises(SystemExit):
            send(client, path, 0, ARCHIVE)
    dataset = Dataset.objects.get()
    assert client.get(path).json()["dataset"] == dataset.hash
    assert Path(dataset.archive.path).read_bytes() == ARCHIVE
    assert stored(data) == []


def test_another_offset_gets_the_true_one(client: Client) -> None:
    path = begun(client)
    assert send(client, path, 0, ARCHIVE[:10]).status_code == 204
    for offset in (0, 9, 11, len(ARCHIVE)):
        response = send(client, path, offset, b"x")
        assert "10 bytes" in sentence(response.json(), 409)
        assert response.json()["params"] == {"offset": 10}
    assert client.head(path, headers=TUS)["Upload-Offset"] == "10"


def test_a_part_that_is_none_is_refused(client: Client) -> None:
    path = begun(client)
    headers = TUS | {"Upload-Offset": "0"}
    assert PART in sentence(client.patch(path, b"x", "application/zip", headers=headers).json(), 415)
    for offset in ("", "-1", "1.5", "ten", "9" * 30):
        response = client.patch(path, b"x", PART, headers=TUS | {"Upload-Offset": offset})
        assert "Upload-Offset" in sentence(response.json(), 400)
    assert client.head(path, headers=TUS)["Upload-Offset"] == "0"


def test_more_than_was_announced_is_refused(client: Client) -> None:
    path = begun(client, 10)
    assert send(client, path, 0, b"x" * 8).status_code == 204
    assert "10 bytes" in sentence(send(client, path, 8, b"xyz").json(), 413)
    assert client.head(path, headers=TUS)["Upload-Offset"] == "8"


@pytest.mark.parametrize("length", ["", "0", "-1", "many", "9" * 30])
def test_a_length_is_needed(client: Client, length: str) -> None:
    response = client.generic("POST", "/uploads", headers=TUS | {"Upload-Length": length})
    assert sentence(response.json(), 400)


def test_a_large_one_is_refused_before_it_is_sent(client: Client, settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 1
    response = begin(client, 2**20 + 1)
    assert "1 MiB" in sentence(response.json(), 413)
    assert begin(client, 2**20).status_code == 201
    response = client.options("/uploads")
    assert response.status_code == 204
    assert response["Tus-Max-Size"] == str(2**20)
    assert response["Tus-Version"] == "1.0.0"
    assert response["Tus-Extension"] == "creation,creation-with-upload,expiration,termination"


@pytest.mark.parametrize(
    "given", ["filename", "filename ?", "filename QQ=", "a QQ==,,b QQ==", "limit QQ==", "limit MA=="]
)
def test_metadata_that_mean_nothing_are_refused_unless_they_are_names_alone(client: Client, given: str) -> None:
    response = client.generic("POST", "/uploads", headers=TUS | {"Upload-Length": "5", "Upload-Metadata": given})
    assert response.status_code == (201 if given == "filename" else 400)


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/../..", "\x00\n"])
def test_any_name_is_safe(client: Client, name: str) -> None:
    path = begun(client, filename=name)
    assert client.get(path).json()["name"] == "upload.zip"
    assert send(client, path, 0, ARCHIVE).status_code == 204
    assert Dataset.objects.get().name == "upload.zip"


@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_another_version_of_the_protocol_is_refused(client: Client, version: str | None) -> None:
    path = begun(client)
    headers = {"Tus-Resumable": version} if version else {}
    responses = [
        client.generic("POST", "/uploads", headers=headers | {"Upload-Length": "5"}),
        client.patch(path, b"x", PART, headers=headers | {"Upload-Offset": "0"}),
        client.delete(path, headers=headers),
        client.head(path, headers=headers),
    ]
    for response in responses:
        assert (response.status_code, response["Tus-Version"]) == (412, "1.0.0")
    assert "1.0.0" in sentence(responses[0].json(), 412)
    assert client.get(path).json()["offset"] == 0


def test_an_upload_that_is_not_there_is_unknown(client: Client) -> None:
    for path in (f"/uploads/{'0' * 32}", "/uploads/x", "/uploads/..", f"/uploads/{'A' * 32}"):
        for response in (
            client.get(path),
            client.head(path, headers=TUS),
            send(client, path, 0, b"x"),
            client.delete(path, headers=TUS),
        ):
            assert response.status_code == 404, path


def test_deleting_removes_all_of_it(client: Client, data: Path) -> None:
    path = begun(client)
    send(client, path, 0, ARCHIVE[:50])
    assert client.delete(path, headers=TUS).status_code == 204
    assert client.head(path, headers=TUS).status_code == 404
    assert list((data / "partial").iterdir()) == []


def test_a_dataset_outlives_its_upload(client: Client) -> None:
    path = begun(client)
    dataset = send(client, path, 0, ARCHIVE)["Location"]
    assert client.delete(path, headers=TUS).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get(dataset).status_code == 200


def test_deleting_stops_who_is_sending(client: Client, data: Path) -> None:
    path = begun(client)
    with partial_upload.locked(path.rsplit("/", 1)[-1]) as upload:
        pieces = iter([b"first", b"second"])

        def read(size: int) -> bytes:
            piece = next(pieces, b"")
            if piece == b"second":
                assert client.delete(path, headers=TUS).status_code == 204
            return piece

        with pytest.raises(NotFound, match="deleted"):
            upload.append(0, read)
    assert list((data / "partial").iterdir()) == []


def test_a_second_writer_is_told_to_wait(client: Client) -> None:
    path = begun(client)
    with partial_upload.locked(path.rsplit("/", 1)[-1]):
        response = send(client, path, 0, ARCHIVE)
        assert sentence(response.json(), 423)
        assert response["Retry-After"] == "1"
        assert client.head(path, headers=TUS)["Upload-Offset"] == "0"
    assert send(client, path, 0, ARCHIVE).status_code == 204


def test_what_is_being_checked_is_neither_checked_twice_nor_deleted(client: Client) -> None:
    path = begun(client)
    with partial_upload.locked(path.rsplit("/", 1)[-1]) as upload:
        pieces = iter([ARCHIVE])
        upload.append(0, lambda size: next(pieces, b""))
        facts = client.get(path).json()
        assert (facts["state"], facts["problem"]) == ("complete", None)
        assert client.delete(path, headers=TUS).status_code == 423
        assert partial_completion.accept(upload).dataset
    assert client.get(path).json()["state"] == "accepted"


def test_too_many_at_once_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begun(client)
    for _ in iter(lambda: partial_upload._RECEIVING.acquire(blocking=False), False):
        pass
    try:
        response = send(client, path, 0, ARCHIVE)
    finally:
        monkeypatch.undo()
        while True:
            try:
                partial_upload._RECEIVING.release()
            except ValueError:
                break
    assert sentence(response.json(), 503)
    assert response["Retry-After"]
    assert send(client, path, 0, ARCHIVE).status_code == 204


def test_an_unfinished_upload_expires(client: Client, data: Path, settings: Settings) -> None:
    old, older, young = (begun(client, limit=str(number)) for number in (1, 2, 3))
    finished = begun(client)
    send(client, finished, 0, ARCHIVE)
    for path in (old, older, finished):
        folder = data / "partial" / path.rsplit("/", 1)[-1]
        for file in (*folder.iterdir(), folder):
            os.utime(file, (time.time() - 25 * 3600,) * 2)
    response = send(client, old, 0, b"x")
    assert "begin it anew" in sentence(response.json(), 410)
    assert client.get(old).status_code == 404
    assert partial_upload.delete_expired() == 2
    assert client.get(older).status_code == client.get(finished).status_code == 404
    assert client.get(young).status_code == 200
    assert Dataset.objects.count() == 1
    settings.UPLOAD_HOURS = 48
    assert partial_upload.delete_expired() == 0


def test_a_start_sweeps_what_has_expired_and_keeps_the_rest(client: Client, data: Path) -> None:
    path = begun(client)
    send(client, path, 0, ARCHIVE[:20])
    left = data / "partial" / ("e" * 32)
    left.mkdir()
    (left / "content").write_bytes(b"of a creation that was killed")
    for file in (left / "content", left):
        os.utime(file, (0, 0))
    recovery.after_service_death()
    assert not left.exists()
    assert client.head(path, headers=TUS)["Upload-Offset"] == "20"
    assert send(client, path, 20, ARCHIVE[20:]).status_code == 204


def test_unfinished_uploads_are_limited(client: Client, settings: Settings, data: Path) -> None:
    settings.MAX_PARTIAL_UPLOADS = 2
    first, second = begun(client), begun(client, 10)
    response = begin(client)
    assert sentence(response.json(), 429)
    assert response.json()["params"] == {"limit": 2}
    assert response["Retry-After"]
    assert send(client, first, 0, ARCHIVE).status_code == 204
    assert begin(client).status_code == 201
    assert begin(client).status_code == 429
    folder = data / "partial" / second.rsplit("/", 1)[-1]
    for file in (*folder.iterdir(), folder):
        os.utime(file, (0, 0))
    assert begin(client).status_code == 201, "what has expired makes room"


def test_a_silent_connection_ends_a_part(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a machine that was switched off: nothing tells that nobody sends any more."""
    monkeypatch.setattr(tus, "_SILENCE_SECONDS", 0.3)
    path = begun(client)
    ours, theirs = socket.socketpair()

    class Body:
        def read(self, size: int) -> bytes:
            return ours.recv(size)

        readline = read

    with closing(ours), closing(theirs):
        theirs.sendall(ARCHIVE[:700])
        given: dict[str, Any] = {"gunicorn.socket": ours, "wsgi.input": Body(), "CONTENT_LENGTH": str(len(ARCHIVE))}
        headers = TUS | {"Upload-Offset": "0"}
        response = client.generic("PATCH", path, b"", CONTENT_TYPE=PART, headers=headers, **given)
    assert (response.status_code, response["Upload-Offset"]) == (204, "700")
    assert send(client, path, 700, ARCHIVE[700:]).status_code == 204


def test_a_full_disk_refuses_and_keeps_what_has_come(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begun(client)
    send(client, path, 0, ARCHIVE[:30])
    with monkeypatch.context() as patch:
        patch.setattr(disk_space, "free_bytes", lambda: 1000)
        assert sentence(begin(client).json(), 507)
        assert sentence(send(client, path, 30, ARCHIVE[30:]).json(), 507)
    fsync = os.fsync

    def full(handle: int) -> None:
        if os.readlink(f"/proc/self/fd/{handle}").endswith("content"):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert sentence(send(client, path, 30, ARCHIVE[30:40]).json(), 507)
    offset = int(client.head(path, headers=TUS)["Upload-Offset"])
    assert send(client, path, offset, ARCHIVE[offset:]).status_code == 204


def test_uploads_in_parts_take_a_token_too(client: Client, settings: Settings) -> None:
    settings.TOKENS = "write"
    token = Token.objects.create(user=User.objects.create_user("ada")).key
    known = Client(headers={"Authorization": f"Bearer {token}"})
    assert begin(client).status_code == 401
    path = begun(known)
    assert send(client, path, 0, ARCHIVE).status_code == 401
    assert client.delete(path, headers=TUS).status_code == 401
    assert client.head(path, headers=TUS)["Upload-Offset"] == "0"
    assert send(known, path, 0, ARCHIVE).status_code == 204


def test_beginnings_count_as_uploads(client: Client, settings: Settings) -> None:
    settings.THROTTLE_UPLOADS = "2/day"
    cache.clear()
    try:
        path = begun(client)
        assert send(client, path, 0, ARCHIVE[:9]).status_code == 204
        assert send(client, path, 9, ARCHIVE[9:]).status_code == 204
        assert [begin(client).status_code for _ in range(2)] == [201, 429]
    finally:
        cache.clear()


def test_clients_that_can_only_post_say_what_they_mean(client: Client) -> None:
    path = begun(client)
    headers = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    response = client.post(path, ARCHIVE[:10], PART, headers=headers)
    assert (response.status_code, response["Upload-Offset"]) == (204, "10")
    assert client.generic("POST", path, headers=TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert client.generic("POST", path, headers=TUS).status_code == 405


def test_other_origins_read_the_headers(client: Client) -> None:
    exposed = client.get("/status")["Access-Control-Expose-Headers"]
    for name in ("Location", "Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable", "Tus-Max-Size"):
        assert name in exposed


def test_what_has_come_can_be_read_by_its_owner_only(client: Client, data: Path) -> None:
    send(client, begun(client), 0, ARCHIVE[:10])
    for path in ((data / "partial"), *(data / "partial").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
