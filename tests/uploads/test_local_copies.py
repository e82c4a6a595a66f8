"""Copies of uploads in an object store: which go, and that nothing is lost by it."""

import errno
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from datasets.models import Dataset, Status, StoredFolder
from datasets.storage import local_copy
from datasets.uploads import local_copies, processing, results
from tests.support.pictures import photograph, zipped
from tests.uploads.test_queue import queued

pytest.importorskip("obstore", reason="it comes with: make test-scale")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]


@pytest.fixture
def dataset(client: Client) -> Dataset:
    answer = client.post("/dataset", {"file": zipped_file()})
    assert answer.status_code == 200, answer.content
    return Dataset.objects.get(hash=answer.content.decode())


def zipped_file() -> Any:
    file = io.BytesIO(zipped({f"{k}.jpg": photograph(k) for k in range(3)}))
    file.name = "photos.zip"
    return file


def grow_old(folder: Path) -> None:
    for path in (folder, folder / ".stored.lock"):
        os.utime(path, (time.time() - 3600,) * 2)


def test_copies_go_when_they_take_too_much_room_and_come_back(
    client: Client, dataset: Dataset, settings: Settings
) -> None:
    folder = dataset.local_folder
    before = client.get(f"/dataset/{dataset.hash}/features/pca").content
    grow_old(folder)
    assert local_copies.tidy() == 0
    settings.LOCAL_COPIES_MB = 0
    assert local_copies.tidy() == 1
    assert not folder.exists()
    assert client.get(f"/dataset/{dataset.hash}/features/pca").content == before
    assert b"".join(client.get(f"/dataset/{dataset.hash}/tilemap")).startswith(b"\xff\xd8")
    assert client.get(f"/dataset/{dataset.hash}/images/2").status_code == 200
    assert not (folder / "source.zip").exists()
    assert local_copies.tidy() == 0  # it was just used
    assert dataset.size_on_disk == StoredFolder.objects.get().size > 0


def test_what_the_store_has_not_stays(dataset: Dataset, settings: Settings) -> None:
    settings.LOCAL_COPIES_MB = 0
    (dataset.local_folder / "layouts" / "new.npy").write_bytes(b"not stored yet")
    grow_old(dataset.local_folder)
    assert local_copies.tidy() == 0
    dataset.store_files()
    grow_old(dataset.local_folder)
    assert local_copies.tidy() == 1


def test_copies_of_deleted_uploads_go(dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(hash="0f" * 16)  # as when another host deletes it
    grow_old(dataset.local_folder)
    assert local_copies.tidy() == 1


def test_work_begins_without_what_another_attempt_left(dataset: Dataset) -> None:
    folder = dataset.local_folder
    (folder / "layouts" / "left.json").write_bytes(b"{}")
    (folder / "features.npy").unlink()
    dataset.check_out()
    assert not (folder / "layouts" / "left.json").exists()
    assert (folder / "source.zip").exists()
    assert local_copy.is_stored(folder / "features.npy")


def test_a_web_host_needs_a_store(settings: Settings) -> None:
    settings.STORAGE_URL = ""
    with pytest.raises(CommandError, match="--web needs DATABASE_URL and STORAGE_URL"):
        call_command("serve", "--web")


def test_a_full_disk_of_one_worker_costs_no_archive(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = queued(client, settings)

    def write(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(results, "store_manifest", write)
        processing.process(dataset, "full")
    dataset.refresh_from_db()
    assert (dataset.status, dataset.error_code) == (Status.FAILED, "disk-full")
    assert not dataset.local_folder.exists()
    assert {"source.zip", "report.json"} == set(StoredFolder.objects.get().files)
    assert dataset.archive.name


def test_what_others_are_computed_from_stays(dataset: Dataset, settings: Settings) -> None:
    settings.LOCAL_COPIES_MB = 0
    growing = Dataset.objects.create(hash="0f" * 16, intake={"parent": dataset.hash})
    grow_old(dataset.local_folder)
    assert local_copies.tidy() == 0
    growing.delete()
    assert local_copies.tidy() == 1


def test_what_is_used_again_while_copies_are_looked_at_stays(
    dataset: Dataset, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOCAL_COPIES_MB = 0
    look = local_copies._is_stored

    def use_meanwhile(folder: Path) -> bool:
        local_copy.note_use(folder)
        return look(folder)

    monkeypatch.setattr(local_copies, "_is_stored", use_meanwhile)
    grow_old(dataset.local_folder)
    assert local_copies.tidy() == 0
    assert dataset.local_folder.exists()
