"""The queue of uploads, and what becomes of work whose worker, call or dataset goes."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from datasets.models import Dataset, Status, WorkerState
from datasets.uploads import eta, intake, processing, recovery, tasks
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence
from tests.uploads.test_upload import send
from wwzd import identity

from .test_management import ID, row, send_async

pytestmark = pytest.mark.django_db(transaction=True)

DATABASE_QUEUE = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def queued(client: Client, settings: Settings) -> Dataset:
    """An upload that no worker has begun."""
    settings.TASKS = DATABASE_QUEUE
    answer = send_async(client, zipped({f"{k}.jpg": photograph(k) for k in range(6)}))
    return Dataset.objects.get(hash=answer.json()["id"], status=Status.QUEUED)


def test_what_is_deleted_under_the_work_leaves_no_file_and_is_no_fault(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = queued(client, settings)

    class Report(processing.Report):
        def stage(self, name: str) -> None:
            super().stage(name)
            if name == "umap":
                Dataset.objects.get(hash=dataset.hash).delete()
                default_storage.save(f"{dataset.hash}/late", ContentFile(b"written by what has not heard of it"))
                raise FileNotFoundError("a file of the folder")

    monkeypatch.setattr(processing, "Report", Report)
    processing.process(dataset, "worker")
    assert not Dataset.objects.exists()
    assert not Path(default_storage.path(dataset.hash)).exists()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_worker_that_lost_an_upload_leaves_the_files_of_the_one_that_has_it(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers of one folder: the first was silent for so long that the second began its work anew."""
    dataset = queued(client, settings)
    has_begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        processing.process(Dataset.objects.get(hash=dataset.hash), "second")
        connection.close()

    second = threading.Thread(target=work)

    class Report(processing.Report):
        def stage(self, name: str) -> None:
            super().stage(name)
            if name != "umap":
                return
            if self._dataset.worker == "second":
                has_begun.set()
                assert may_end.wait(60)
                return
            Dataset.objects.update(beat_at=timezone.now() - timedelta(minutes=1))
            recovery.after_silence("another")
            second.start()
            assert has_begun.wait(60)
            raise FileNotFoundError("a file of the folder")

    monkeypatch.setattr(processing, "Report", Report)
    processing.process(dataset, "first")
    may_end.set()
    second.join(60)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.worker, dataset.attempts) == (Status.READY, "second", 2)
    for result in ("pca", "umap", "tilemap"):
        assert dataset.path(result).is_file(), result
    assert client.get(f"/dataset/{dataset.hash}/images/0/neighbors").status_code == 200


def test_a_full_queue_refuses_and_leaves_nothing(client: Client, settings: Settings) -> None:
    settings.MAX_QUEUE = 2
    for number in range(2):
        row(number, Status.QUEUED)
    row(2, Status.QUEUED, is_synchronous=True)
    row(3, Status.FAILED)
    response = send_async(client, zipped({"a.jpg": photograph(1)}))
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "2 uploads are waiting" in sentence(response.json(), 429)
    assert Dataset.objects.count() == 4
    assert list(default_storage.listdir("")[0]) == [] if default_storage.exists("") else True
    Dataset.objects.filter(hash=ID.format(0)).delete()
    assert send_async(client, zipped({"a.jpg": photograph(1)})).status_code == 200


def test_the_time_left_is_estimated_from_past_and_queued_uploads(client: Client) -> None:
    now = timezone.now()
    timings = {"features": 8.0, "pca": 0.0, "umap": 2.0, "storing": 0.0}
    row(0, Status.READY, count=100, timings=timings, finished_at=now)
    row(1, Status.READY, count=100, timings=timings, finished_at=now, backbone="resnet50", precision="fp32")
    row(2, Status.PROCESSING, stage="features", progress=0.4, started_at=now - timedelta(seconds=4))
    row(3, Status.QUEUED, created_at=now - timedelta(seconds=2))
    row(4, Status.QUEUED, created_at=now - timedelta(seconds=1))
    found = eta.queue_estimates()
    assert set(found) == {ID.format(number) for number in (2, 3, 4)}
    assert [found[ID.format(number)].position for number in (2, 3, 4)] == [None, 1, 2]
    # Half of the features took 4 s, so 4 s of them are left, and 2 s of UMAP; each of the others takes 10 s.
    for number, seconds in ((2, 6), (3, 16), (4, 26)):
        assert found[ID.format(number)].seconds_left == pytest.approx(seconds, abs=0.5)
    for number in (2, 3, 4):
        response = client.get(f"/dataset/{ID.format(number)}")
        assert 1 <= int(response["Retry-After"]) <= 15
        # It grows while the progress does not.
        before, after = (each[ID.format(number)].seconds_left or 0 for each in (found, eta.queue_estimates()))
        assert before - 0.1 <= response.json()["seconds_left"] <= after + 0.1


def test_without_past_uploads_the_time_left_is_estimated_from_progress(client: Client) -> None:
    began = timezone.now() - timedelta(seconds=10)
    running = row(0, Status.PROCESSING, stage="features", progress=0.05, started_at=began)
    waiting = row(1, Status.QUEUED)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] is None
    Dataset.objects.filter(pk=running.pk).update(progress=0.5)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] == pytest.approx(10, abs=0.5)
    assert client.get(f"/dataset/{waiting.hash}").json()["seconds_left"] is None


@pytest.mark.parametrize(("attempts", "ended"), [(1, Status.READY), (3, Status.FAILED)])
def test_the_work_of_a_silent_worker_is_begun_again(attempts: int, ended: Status) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    facts = {"worker": "gone", "attempts": attempts, "started_at": long_ago, "beat_at": long_ago}
    dataset = row(0, Status.PROCESSING, **facts)
    dataset.store_archive(zipped({"a.jpg": photograph(1), "b.jpg": photograph(2)}))
    dataset.save()
    recovery.after_silence("gone")  # its own is not for it to judge
    dataset.refresh_from_db()
    assert dataset.status == Status.PROCESSING
    recovery.after_silence("another")
    dataset.refresh_from_db()
    assert dataset.status == ended  # tests compute what is queued at once
    assert bool(dataset.error) == (ended == Status.FAILED)


@pytest.mark.parametrize("who", ["its server", "a worker", "the client"])
def test_what_was_never_stored_does_not_wait(client: Client, ready: Dataset, who: str) -> None:
    """The process that was to store an archive was killed before it had."""
    archive = ready.archive_path.read_bytes()
    long_ago = timezone.now() - timedelta(minutes=1)
    facts = {"status": Status.QUEUED, "archive": "", "files": {}, "server": identity.prefix()}
    Dataset.objects.filter(pk=ready.pk).update(**facts, beat_at=timezone.now())
    assert not Dataset.objects.never_stored().exists()
    if who != "its server":
        Dataset.objects.update(beat_at=long_ago, server="another-")
    recovery.after_web_death("web")
    if who == "a worker":
        recovery.after_silence("any")
    ready.refresh_from_db()
    if who != "the client":
        assert ready.status == Status.FAILED
        assert ready.error == intake.SERVICE_DIED
    answer = send(client, archive)
    assert answer.status_code == 200
    assert answer.content.decode() == ready.hash


@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_call_that_died_before_its_work_began_is_delivered_again(settings: Settings, is_awaited: bool) -> None:
    settings.TASKS = DATABASE_QUEUE
    dataset = Dataset.objects.create(hash="b" * 32, is_synchronous=is_awaited, archive="b/archive.zip")
    tasks.deliver(dataset)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, worker_ids=["dead"])
    tasks.forget_calls("another")
    assert DBTaskResult.objects.get().status == TaskResultStatus.RUNNING
    recovery.after_worker_death("dead")
    assert DBTaskResult.objects.get().status == TaskResultStatus.READY
    dataset.refresh_from_db()
    assert dataset.status == Status.QUEUED


def test_the_queue_is_the_rows_whatever_becomes_of_the_calls() -> None:
    plain, later, synchronous, unstored = (row(number, Status.QUEUED) for number in range(4))
    Dataset.objects.exclude(pk=unstored.pk).update(archive="a/archive.zip")
    Dataset.objects.filter(pk=synchronous.pk).update(is_synchronous=True)
    for preferred, expected in ((later, later), (unstored, synchronous)):
        assert Dataset.objects.next_in_queue(preferred.hash) == expected
    synchronous.delete()
    assert Dataset.objects.next_in_queue(synchronous.hash) == Dataset.objects.next_in_queue() == plain
    Dataset.objects.all().delete()
    assert Dataset.objects.next_in_queue(plain.hash) is None


def test_one_call_too_many_computes_the_next_and_then_nothing() -> None:
    datasets = [row(number, Status.QUEUED) for number in range(2)]
    for number, dataset in enumerate(datasets):
        dataset.store_archive(zipped({"a.jpg": photograph(number), "b.jpg": photograph(number + 9)}))
        dataset.save()
    for ready in (1, 2, 2):
        tasks.compute_dataset.func(datasets[0].hash)
        assert Dataset.objects.ready().count() == ready


def test_what_was_queued_without_a_call_is_delivered_once(settings: Settings) -> None:
    """The web process was killed between the two."""
    settings.TASKS = DATABASE_QUEUE
    for letter in "ab":
        Dataset.objects.create(hash=letter * 32, archive=f"{letter * 32}/source.zip")
    Dataset.objects.create(hash="c" * 32, status=Status.READY, archive="c/source.zip")
    tasks.compute_dataset.enqueue("a" * 32)
    for _ in range(2):
        recovery.after_silence("any")
        calls = DBTaskResult.objects.values_list("args_kwargs", flat=True)
        assert sorted(call["args"][0] for call in calls) == ["a" * 32, "b" * 32]


def test_the_call_of_a_silent_worker_ends_and_that_of_another_goes_on(settings: Settings) -> None:
    settings.TASKS = DATABASE_QUEUE
    for worker in ("alive", "silent"):
        WorkerState.objects.beat(worker)
        tasks.compute_dataset.enqueue(worker[0] * 32)
    for record, worker in zip(DBTaskResult.objects.order_by("enqueued_at"), ("alive", "silent"), strict=True):
        DBTaskResult.objects.filter(pk=record.pk).update(status=TaskResultStatus.RUNNING, worker_ids=[worker])
    WorkerState.objects.filter(worker_id="silent").update(beat_at=timezone.now() - timedelta(minutes=1))
    recovery.after_silence("alive")
    by_worker = {record.worker_ids[0]: record.status for record in DBTaskResult.objects.all()}
    assert by_worker == {"alive": TaskResultStatus.RUNNING, "silent": TaskResultStatus.FAILED}


def test_who_shows_life_while_others_are_given_up_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    old = timezone.now() - timedelta(minutes=5)
    for digit in "01":
        Dataset.objects.create(hash=digit * 32, status=Status.PROCESSING, worker="one", beat_at=old)
    requeue = Dataset.requeue

    def requeue_while_all_beat(dataset: Dataset) -> bool:
        Dataset.objects.exclude(pk=dataset.pk).update(beat_at=timezone.now())
        return requeue(dataset)

    monkeypatch.setattr(Dataset, "requeue", requeue_while_all_beat)
    assert Dataset.objects.stale().requeue_or_fail("It was silent.") == 1
    assert sorted(Dataset.objects.values_list("status", flat=True)) == [Status.PROCESSING, Status.QUEUED]
