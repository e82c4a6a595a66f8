"""Further results of a collection: asked for, computed, given up, and gone with what they are of."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from datasets.catalogue.collection import CatalogueCollection, installed
from datasets.collection.uploaded import Upload, upload
from datasets.derived import jobs, requests
from datasets.derived.kinds import KINDS
from datasets.errors import DatabaseAway
from datasets.models import Dataset, DerivedResult, Status
from datasets.uploads import recovery
from tests.api.test_pictures import upload as send
from tests.support.pictures import photograph

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"stdout": io.StringIO(), "stderr": io.StringIO()}


@pytest.fixture
def catalogue(data: Path, tmp_path: Path) -> CatalogueCollection:
    """Of 12 pictures, two of which are one file; its build's tables of copies and outliers are gone."""
    path = tmp_path / "collection.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(12):
            archive.writestr(f"{index:02d}.jpg", photograph(index % 11))
    call_command("build_catalogue", str(path), **QUIET)
    found = installed()
    found.folder.similarity_path.rename(data / "built.npz")
    return found


@pytest.fixture
def queueing(settings: Settings) -> None:
    """As in service: what is asked for waits until a process computes it."""
    settings.TASKS_BACKEND = "database"


def test_what_a_catalogue_lacks_is_computed_as_its_build_would_have_done(
    catalogue: CatalogueCollection, data: Path
) -> None:
    requests.request_missing()
    with np.load(catalogue.folder.similarity_path) as made, np.load(data / "built.npz") as built:
        assert made["equal"].tolist() == [[0, 11]]
        for name in built:
            assert np.array_equal(made[name], built[name]), name
    assert not DerivedResult.objects.exists()
    before = catalogue.folder.similarity_path.stat()
    requests.request_missing()
    assert catalogue.folder.similarity_path.stat() == before


def test_a_result_is_queued_once(catalogue: CatalogueCollection, queueing: None) -> None:
    first = requests.request(catalogue, "similarity", "similarity")
    second = requests.request(catalogue, "similarity", "similarity")
    assert first is not None
    assert second is not None
    assert first.pk == second.pk
    assert not catalogue.folder.similarity_path.exists()
    call_command("compute_results")
    assert catalogue.folder.similarity_path.exists()
    assert requests.request(catalogue, "similarity", "similarity") is None


def test_what_failed_is_tried_again_by_who_asks_for_it_alone(catalogue: CatalogueCollection) -> None:
    features = catalogue.folder.features_path(0)
    content = features.read_bytes()
    features.write_bytes(content[:100])
    row = requests.request(catalogue, "similarity", "similarity")
    assert row is not None
    assert (row.status, row.error_code) == (Status.FAILED, "server-error")
    assert "its log says why" in row.error
    features.write_bytes(content)
    requests.request_missing()
    assert not catalogue.folder.similarity_path.exists()
    assert requests.request(catalogue, "similarity", "similarity") is None
    assert catalogue.folder.similarity_path.exists()
    assert not DerivedResult.objects.exists()


def test_work_whose_process_dies_is_begun_again_but_not_for_ever(
    catalogue: CatalogueCollection, queueing: None
) -> None:
    row = requests.request(catalogue, "similarity", "similarity")
    assert row is not None
    for attempt in range(1, 4):
        assert row.claim("one")
        row.refresh_from_db()
        assert row.attempts == attempt
        assert not row.claim("another")
        recovery.requeue_work_of("one")
        row.refresh_from_db()
    assert (row.status, row.error_code) == (Status.FAILED, "worker-died")
    assert DerivedResult.objects.next_in_queue() is None


def test_what_a_database_that_is_away_has_broken_off_waits_again(
    catalogue: CatalogueCollection, queueing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = requests.request(catalogue, "similarity", "similarity")
    assert row is not None
    begun = []

    def break_off(*arguments: object) -> None:
        begun.append(DerivedResult.objects.get().status)
        raise DatabaseAway

    monkeypatch.setitem(KINDS, "similarity", replace(KINDS["similarity"], compute=break_off))
    jobs.compute_all("one")
    row.refresh_from_db()
    assert begun == [Status.PROCESSING] * 3
    assert (row.status, row.error_code) == (Status.FAILED, "database-away")


def test_another_process_takes_what_is_silent(catalogue: CatalogueCollection, queueing: None) -> None:
    row = requests.request(catalogue, "similarity", "similarity")
    assert row is not None
    row.claim("one")
    assert not DerivedResult.objects.stale().exists()
    DerivedResult.objects.update(beat_at=row.created_at.replace(year=2020))
    assert DerivedResult.objects.stale().requeue_or_fail(recovery.PROCESS_DIED) == 1
    jobs.compute_all("another")
    assert catalogue.folder.similarity_path.exists()


def test_who_was_given_up_fails_nothing_of_who_has_taken_it(catalogue: CatalogueCollection, queueing: None) -> None:
    given_up = requests.request(catalogue, "similarity", "similarity")
    assert given_up is not None
    given_up.claim("one")
    DerivedResult.objects.update(status=Status.QUEUED, worker="")
    row = DerivedResult.objects.get()
    row.claim("another")
    assert not given_up.fail(DatabaseAway())
    row.refresh_from_db()
    assert row.status == Status.PROCESSING
    assert row.fail(DatabaseAway())


def test_nothing_is_left_of_an_upload_that_is_deleted_meanwhile(client: Client, settings: Settings) -> None:
    dataset_id = send(client, {f"{k}.jpg": photograph(k) for k in range(6)})
    settings.TASKS_BACKEND = "database"
    found = upload(dataset_id)
    row = requests.request(found, "similarity", "similarity")
    assert row is not None
    row.claim("one")
    Dataset.objects.get(hash=dataset_id).delete()
    assert not DerivedResult.objects.exists()
    assert not row.beat("storing", 1.0)
    found.folder.index.mkdir(parents=True)  # written by work that had not noticed yet
    jobs.remove_if_deleted(row, found)
    assert not found.folder.path.exists()


def test_another_catalogue_ends_the_work_for_the_one_before(catalogue: CatalogueCollection, queueing: None) -> None:
    requests.request(catalogue, "similarity", "similarity")
    call_command("fit_reducers", "--again", **QUIET)
    jobs.compute_all("one")
    (row,) = DerivedResult.objects.all()
    assert (row.status, row.error_code) == (Status.FAILED, "catalogue-missing")
    assert not catalogue.folder.path.exists()


def test_of_an_upload_that_is_sent_again_nothing_is_removed(client: Client) -> None:
    dataset = Dataset.objects.get(hash=send(client, {"0.jpg": photograph(0), "1.jpg": photograph(1)}))
    row = DerivedResult.objects.create(collection=dataset.hash, kind="quality", name="pca")
    Dataset.objects.update(status=Status.QUEUED, files={})
    jobs.remove_if_deleted(row, Upload(dataset))
    assert dataset.archive_path.exists()
    Dataset.objects.all().delete()
    jobs.remove_if_deleted(row, Upload(dataset))
    assert not dataset.local_folder.exists()


def test_what_is_there_is_not_computed_again(client: Client) -> None:
    """As where two workers look at a catalogue at once."""
    found = upload(send(client, {f"{k}.jpg": photograph(k) for k in range(12)}))
    assert requests.request(found, "quality", "pca") is None
    before = {path: path.stat().st_mtime_ns for path in found.folder.path.rglob("*.json")}
    DerivedResult.objects.create(collection=found.id, kind="quality", name="pca")
    jobs.compute_all("another")
    assert not DerivedResult.objects.exists()
    assert {path: path.stat().st_mtime_ns for path in found.folder.path.rglob("*.json")} == before
