"""A full or read-only disk, a locked database: what is answered, what is kept in reserve, and that nothing is left half
done."""

import errno
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client
from pytest_django import Settings

from datasets.errors import DatabaseLocked, DiskFull, ReadOnlyData
from datasets.management.base import command_error
from datasets.models import Dataset, Status
from datasets.storage.local_copy import contents
from datasets.uploads import disk_space, outages
from tests.support.pictures import photograph, zipped

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


of_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite alone writes to the data folder's disk")


def upload(client: Client) -> Any:
    return client.post("/dataset", {"file": SimpleUploadedFile("a.zip", zipped({"1.jpg": photograph(1)}))})


@of_sqlite
def test_errors_of_a_full_or_read_only_disk_are_distinguished_from_others() -> None:
    assert isinstance(outages.api_error(NO_SPACE), DiskFull)
    assert isinstance(outages.api_error(OperationalError("database or disk is full")), DiskFull)
    assert isinstance(outages.api_error(sqlite3.OperationalError("attempt to write a readonly database")), ReadOnlyData)
    assert isinstance(outages.api_error(OSError(errno.EROFS, "Read-only file system")), ReadOnlyData)
    assert isinstance(outages.api_error(OperationalError("database is locked")), DatabaseLocked)
    assert outages.api_error(ValueError("is full of errors")) is None
    assert outages.api_error(None) is None


def test_the_reserve_is_given_away_for_what_must_be_recorded(data: Path) -> None:
    disk_space.keep_reserve()
    assert (data / "reserve").stat().st_blocks * 512 >= disk_space.RESERVE_BYTES
    tried = []

    def record() -> str:
        tried.append((data / "reserve").exists())
        if tried[-1]:
            raise OperationalError("database or disk is full")
        return "recorded"

    assert outages.insist(record) == "recorded"
    assert tried == [True, False]
    disk_space.keep_reserve()
    assert (data / "reserve").exists()


def test_what_fails_for_another_reason_is_not_tried_again() -> None:
    tried = []

    def fail() -> None:
        tried.append(1)
        raise ProgrammingError("no such table")

    with pytest.raises(ProgrammingError, match="no such table"):
        outages.insist(fail)
    assert tried == [1]


@pytest.mark.django_db(transaction=True)
def test_an_upload_without_room_for_its_results_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "free_bytes", lambda: 2_000_000)
    response = upload(client)
    assert response.status_code == 507
    assert "disk is full" in response.json()["error"]
    assert not Dataset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_during_processing_is_reported(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Dataset.store

    def full(self: Dataset, result: str, content: bytes) -> None:
        if result == "pca":
            raise NO_SPACE
        store(self, result, content)

    monkeypatch.setattr(Dataset, "store", full)
    response = upload(client)
    assert response.status_code == 507
    assert response.json()["type"].endswith("disk-full")
    dataset = Dataset.objects.get()
    assert dataset.status == Status.FAILED
    assert not contents(dataset.local_folder)
    monkeypatch.undo()
    assert upload(client).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_cannot_be_stored_does_not_stay_in_the_queue(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise NO_SPACE

    monkeypatch.setattr(Dataset, "store", full)
    assert upload(client).status_code == 507
    assert Dataset.objects.get().status == Status.FAILED
    assert client.get("/status").json() == {"busy": False}


@of_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_read_only_data_folder_is_reported_and_still_served(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
    try:
        response = upload(client)
        assert response.status_code == 503
        assert "only be read" in response.json()["error"]
        assert client.get("/dataset").status_code == 200
        assert client.get("/health").status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = 0")


@of_sqlite
def test_a_command_says_who_has_the_database() -> None:
    locked = command_error(OperationalError("database is locked"))
    assert str(locked) == "Another process keeps the database locked. Try again in a moment."


@of_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_database_that_another_process_keeps_locked_is_reported_and_still_served(client: Client) -> None:
    patience = connection.settings_dict["OPTIONS"]["timeout"] * 1000
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 100")
    try:
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            response = upload(client)
            assert response.status_code == 503
            assert response["Retry-After"] == "5"
            assert response.json()["type"] == "urn:wwzd:error:database-locked"
            assert client.get("/dataset").status_code == 200
        assert not Dataset.objects.exists()
        assert upload(client).status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {patience}")


@of_sqlite
@pytest.mark.django_db(transaction=True)
def test_what_is_uploaded_can_be_read_by_its_owner_only(client: Client) -> None:
    assert upload(client).status_code == 200
    folder = Dataset.objects.get().folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE(os.stat(connection.settings_dict["NAME"]).st_mode) == 0o600


@pytest.mark.django_db
def test_a_foreign_host_is_refused_without_a_traceback_in_the_log(
    client: Client, settings: Settings, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_HOSTS = ["wwzd.example.org"]
    response = client.get("/status", headers={"host": "elsewhere.example.org"})
    assert response.status_code == 400
    assert "host name" in response.json()["error"]
    assert "Traceback" not in caplog.text
    assert "Traceback" not in capsys.readouterr().err
