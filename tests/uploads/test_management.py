"""Datasets told of, listed and deleted, with real uploads."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from datasets.errors import ServerError
from datasets.models import BusyFlag, Dataset, Status, WorkerState
from datasets.uploads import eta, intake, processing, recovery, tasks
from datasets.uploads.busy_flag import LIFETIME
from embeddings.reducers import SEED
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence
from tests.uploads.test_growth import sent
from tests.uploads.test_upload import send, upload
from wwzd import identity

pytestmark = pytest.mark.django_db(transaction=True)

DATABASE_QUEUE = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

ID = "70207d49d53ccdca5d5dfc91d006cd{:02x}"


@pytest.fixture
def ready(client: Client) -> Dataset:
    """Six pictures, one damaged file and one that is no picture."""
    files = {f"{k}.jpg": photograph(k) for k in range(6)} | {"bad.jpg": b"not a picture", "readme.txt": b"text"}
    return Dataset.objects.get(hash=upload(client, zipped(files)))


def row(number: int, status: Status, **facts: object) -> Dataset:
    return Dataset.objects.create(
        **{"hash": ID.format(number), "name": f"{number}.zip", "status": status, "backbone": "efficientnet_lite0"}
        | {"precision": "fp32", "expected": 100}
        | facts
    )


def test_a_ready_dataset_is_described_completely(client: Client, ready: Dataset) -> None:
    response = client.get(f"/dataset/{ready.hash}")
    assert response.status_code == 200
    assert "Retry-After" not in response
    body = response.json()
    assert (body["id"], body["name"], body["status"]) == (ready.hash, "photos.zip", "ready")
    assert (body["progress"], body["stage"], body["seconds_left"], body["queue_position"]) == (1, None, None, None)
    assert (body["count"], body["expected"], body["passed_over"]) == (6, 7, 1)
    assert [entry["name"] for entry in body["skipped"]] == ["bad.jpg"]
    assert body["skipped"][0]["reason"]
    assert (body["backbone"], body["precision"], body["space"]) == ("efficientnet_lite0", "fp32", "own")
    assert body["reducers"] == ["pca", "umap"]
    assert body["seed"] == SEED
    assert {"pipeline", "python", "openvino", "umap-learn", "numpy"} <= set(body["versions"])
    assert set(body["timings"]) == {"features", "pca", "umap", "storing"}
    assert datetime.fromisoformat(body["created_at"]) <= datetime.fromisoformat(body["finished_at"])
    assert body["error"] is None
    results = {"images", "fields", "report", "manifest", "network", "duplicates", "outliers", "clusters", "export"}
    results |= {"info", "add", "refit"}
    assert set(body["links"]) == {"self", "tilemap", "features", "page"} | results
    for link, address in body["links"].items():
        if link not in {"features", "refit"}:
            answer = client.get(address)
            assert answer.getvalue()
            answer.close()
            assert answer.status_code == 200
    for reducer in body["reducers"]:
        assert client.get(body["links"]["features"][reducer]).json()["total"] == 6


def test_the_explained_variance_is_that_of_the_vectors(client: Client, ready: Dataset) -> None:
    shares = client.get(f"/dataset/{ready.hash}").json()["explained_variance"]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1
    spread = ready.vectors("pca").var(axis=0)
    assert list(spread / spread[0]) == pytest.approx([share / shares[0] for share in shares], rel=1e-3)


@pytest.mark.parametrize("count", [1, 2])
def test_few_pictures_vary_along_few_axes(client: Client, count: int) -> None:
    dataset_id = upload(client, zipped({f"{k}.jpg": photograph(k) for k in range(count)}))
    shares = client.get(f"/dataset/{dataset_id}").json()["explained_variance"]
    assert shares == pytest.approx([count - 1, 0, 0], abs=1e-3)


def test_a_failed_dataset_has_a_reason(client: Client) -> None:
    send(client, zipped({"a.jpg": b"no"}))
    dataset = Dataset.objects.get()
    body = client.get(f"/dataset/{dataset.hash}").json()
    assert body["status"] == "failed"
    assert "a.jpg" in body["error"]
    assert body["links"] == {"self": f"/dataset/{dataset.hash}", "report": f"/dataset/{dataset.hash}/report"}
    assert client.get(body["links"]["report"]).json()["counts"] == {"unreadable": 1}


@pytest.mark.parametrize("dataset_id", ["0" * 32, "info2", "x" * 500, "A" * 32, "%00"])
@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_unknown_id_is_not_found(client: Client, dataset_id: str, method: str) -> None:
    response = getattr(client, method)(f"/dataset/{dataset_id}")
    assert response.status_code == 404
    assert sentence(response.json(), 404)


def test_what_is_deleted_under_the_work_leaves_no_file_and_is_no_fault(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TASKS = DATABASE_QUEUE
    files = {f"{k}.jpg": photograph(k) for k in range(6)}
    answer = client.post("/dataset", {"file": sent("a.zip", zipped(files))}, headers={"prefer": "respond-async"})
    dataset = Dataset.objects.get(hash=answer.json()["id"], status=Status.QUEUED)

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


def test_deleting_takes_row_files_and_answers(client: Client, ready: Dataset) -> None:
    assert client.get(f"/dataset/{ready.hash}/features/pca").status_code == 200
    response = client.delete(f"/dataset/{ready.hash}")
    assert (response.status_code, response.content) == (204, b"")
    assert not default_storage.exists(ready.hash)
    assert not Dataset.objects.exists()
    assert client.get(f"/dataset/{ready.hash}").status_code == 404
    assert client.get(f"/dataset/{ready.hash}/features/pca").status_code == 404


def test_none_of_this_is_under_the_busy_rule(client: Client, ready: Dataset) -> None:
    assert BusyFlag.objects.claim("someone", LIFETIME)
    assert client.get("/dataset").status_code == 200
    assert client.get(f"/dataset/{ready.hash}").status_code == 200
    archive = zipped({"a.jpg": photograph(1)})
    assert send(client, archive).status_code == 503
    assert send_async(client, archive).status_code == 200  # computed inline here
    assert client.delete(f"/dataset/{ready.hash}").status_code == 204


def send_async(client: Client, archive: bytes, prefer: str = "respond-async"):  # type: ignore[no-untyped-def]
    file = io.BytesIO(archive)
    file.name = "photos.zip"
    return client.post("/dataset", {"file": file}, headers={"Prefer": prefer})


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async", "handling=lenient,respond-async;x=1"])
def test_an_upload_that_is_ready_is_answered_with_its_account(client: Client, ready: Dataset, prefer: str) -> None:
    with ready.archive.open("rb") as archive:
        response = send_async(client, archive.read(), prefer)
    assert response.status_code == 200
    assert response["Location"] == f"/dataset/{ready.hash}"
    assert response["Preference-Applied"] == "respond-async"
    assert response.json() == client.get(f"/dataset/{ready.hash}").json()


@pytest.mark.parametrize("prefer", ["", "wait=10", "respond-asynchronously", "return=minimal"])
def test_any_other_preference_gets_the_contract(client: Client, prefer: str) -> None:
    response = send_async(client, zipped({"a.jpg": photograph(1)}), prefer)
    assert response.status_code == 200
    assert len(response.content) == 32
    assert "Preference-Applied" not in response


def test_a_bad_archive_is_refused_at_once(client: Client) -> None:
    response = send_async(client, b"no ZIP")
    assert response.status_code == 400
    assert sentence(response.json(), 400)
    assert not Dataset.objects.exists()


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


def test_the_list_is_cut_into_pages_that_meet(client: Client) -> None:
    now = timezone.now()
    for number in range(7):
        row(number, Status.READY, created_at=now - timedelta(seconds=number % 2))
    seen, url, pages = [], "/dataset?limit=3&sort=-created_at", 0
    while url:
        page = client.get(url).json()
        assert page["total"] == 7
        seen += [entry["id"] for entry in page["datasets"]]
        last, url, pages = url, page["next"], pages + 1
    assert pages == 3
    assert sorted(seen) == [ID.format(number) for number in range(7)]
    assert seen == [ID.format(number) for number in (0, 2, 4, 6, 1, 3, 5)]
    back = client.get(client.get(last).json()["previous"]).json()
    assert [entry["id"] for entry in back["datasets"]] == seen[3:6]


def test_the_list_is_filtered_and_sorted(client: Client) -> None:
    for number, status in enumerate([Status.READY, Status.FAILED, Status.QUEUED, Status.PROCESSING, Status.READY]):
        row(number, status, count=10 - number)
    ready = client.get("/dataset?status=ready&sort=count").json()
    assert [entry["count"] for entry in ready["datasets"]] == [6, 10]
    assert ready["total"] == 2
    assert client.get("/dataset?sort=name").json()["datasets"][0]["name"] == "0.zip"
    assert client.get("/dataset?sort=-name").json()["datasets"][0]["name"] == "4.zip"
    entry = client.get("/dataset?status=queued").json()["datasets"][0]
    assert entry["queue_position"] == 1
    assert "skipped" not in entry
    assert entry["links"]["self"] == f"/dataset/{entry['id']}"


@pytest.mark.parametrize(
    "query", ["status=done", "sort=size", "limit=0", "limit=1001", "limit=x", "offset=-1", "limit=", "offset=٣"]
)
def test_a_list_that_cannot_be_made_is_a_sentence(client: Client, query: str) -> None:
    response = client.get(f"/dataset?{query}")
    assert response.status_code == 400
    assert query.split("=")[0] in sentence(response.json(), 400)


def test_the_time_left_is_estimated_from_past_and_queued_uploads(client: Client) -> None:
    now = timezone.now()
    timings = {"features": 8.0, "pca": 0.0, "umap": 2.0, "storing": 0.0}
    row(0, Status.READY, count=100, timings=timings, finished_at=now)
    row(1, Status.READY, count=100, timings=timings, finished_at=now, backbone="resnet50", precision="fp32")
    running = row(2, Status.PROCESSING, stage="features", progress=0.4, started_at=now - timedelta(seconds=4))
    row(3, Status.QUEUED, created_at=now - timedelta(seconds=2))
    row(4, Status.QUEUED, created_at=now - timedelta(seconds=1))
    found = eta.queue_estimates()
    assert set(found) == {ID.format(number) for number in (2, 3, 4)}
    assert [found[ID.format(number)].position for number in (2, 3, 4)] == [None, 1, 2]
    # Half of the features took 4 s, so 4 s of them are left, and 2 s of UMAP; each of the others takes 10 s.
    assert found[running.hash].seconds_left == pytest.approx(6, abs=0.5)
    assert found[ID.format(3)].seconds_left == pytest.approx(16, abs=0.5)
    assert found[ID.format(4)].seconds_left == pytest.approx(26, abs=0.5)
    for number in (2, 3, 4):
        response = client.get(f"/dataset/{ID.format(number)}")
        assert 1 <= int(response["Retry-After"]) <= 15
        assert response.json()["seconds_left"] == pytest.approx(found[ID.format(number)].seconds_left, abs=1)


def test_without_past_uploads_the_time_left_is_estimated_from_progress(client: Client) -> None:
    began = timezone.now() - timedelta(seconds=10)
    running = row(0, Status.PROCESSING, stage="features", progress=0.05, started_at=began)
    waiting = row(1, Status.QUEUED)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] is None
    Dataset.objects.filter(pk=running.pk).update(progress=0.5)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] == pytest.approx(10, abs=0.5)
    assert client.get(f"/dataset/{waiting.hash}").json()["seconds_left"] is None


def test_results_are_shown_early_only_where_nobody_waits(client: Client, ready: Dataset) -> None:
    files = {name: path for name, path in ready.files.items() if name != "umap"}
    later = {"status": Status.PROCESSING, "files": files, "finished_at": None, "started_at": datetime.now(UTC)}
    Dataset.objects.filter(pk=ready.pk).update(is_synchronous=False, **later)
    body = client.get(f"/dataset/{ready.hash}").json()
    assert body["reducers"] == ["pca"]
    assert set(body["links"]["features"]) == {"pca"}
    assert client.get(f"/dataset/{ready.hash}/features/umap").status_code == 404
    for path in ("features/pca", "tilemap"):
        answer = client.get(f"/dataset/{ready.hash}/{path}")
        answer.close()
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-cache"
    Dataset.objects.filter(pk=ready.pk).update(is_synchronous=True)
    assert client.get(f"/dataset/{ready.hash}").json()["reducers"] == []
    for path in ("features/pca", "tilemap"):
        assert client.get(f"/dataset/{ready.hash}/{path}").status_code == 404


def test_files_that_go_while_they_are_read_are_not_a_fault(client: Client, ready: Dataset) -> None:
    Dataset.objects.filter(pk=ready.pk).update(
        status=Status.PROCESSING, is_synchronous=False, started_at=timezone.now()
    )
    ready.remove_files()
    for path in ("features/umap", "tilemap"):
        response = client.get(f"/dataset/{ready.hash}/{path}")
        assert response.status_code == 404
        assert sentence(response.json(), 404)


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


@pytest.mark.parametrize("awaited", [True, False])
def test_a_call_that_died_before_its_work_began_is_delivered_again(settings: Settings, awaited: bool) -> None:
    settings.TASKS = DATABASE_QUEUE
    dataset = Dataset.objects.create(hash="b" * 32, is_synchronous=awaited, archive="b/archive.zip")
    tasks.deliver(dataset)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, worker_ids=["dead"])
    tasks.forget_calls("another")
    assert DBTaskResult.objects.get().status == TaskResultStatus.RUNNING
    recovery.after_worker_death("dead")
    assert DBTaskResult.objects.get().status == TaskResultStatus.READY
    dataset.refresh_from_db()
    assert dataset.status == Status.QUEUED


def test_the_queue_is_the_rows_whatever_becomes_of_the_calls() -> None:
    plain, later, awaited, unstored = (row(number, Status.QUEUED) for number in range(4))
    Dataset.objects.exclude(pk=unstored.pk).update(archive="a/archive.zip")
    Dataset.objects.filter(pk=awaited.pk).update(is_synchronous=True)
    for preferred, expected in ((later, later), (unstored, awaited)):
        assert Dataset.objects.next_in_queue(preferred.hash) == expected
    awaited.delete()
    assert Dataset.objects.next_in_queue(awaited.hash) == Dataset.objects.next_in_queue() == plain
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


def test_no_original_is_kept_where_none_is_to_be(client: Client, settings: Settings) -> None:
    settings.KEEP_ARCHIVES = False
    dataset_id = upload(client, zipped({"a.jpg": photograph(1), "b.jpg": photograph(2)}))
    dataset = Dataset.objects.get(hash=dataset_id)
    assert not dataset.archive
    assert not default_storage.exists(f"{dataset_id}/source.zip")
    assert client.get(f"/dataset/{dataset_id}/features/umap").json()["total"] == 2
    failed = row(1, Status.PROCESSING)
    failed.store_archive(b"PK")
    failed.save()
    assert failed.fail(ServerError(intake.WORKER_DIED))
    assert not default_storage.exists(f"{failed.hash}/source.zip")


def test_a_dataset_gets_another_name(client: Client, ready: Dataset) -> None:
    response = client.patch(f"/dataset/{ready.hash}", {"name": "  Summer\n2026 "}, "application/json")
    assert response.status_code == 200
    assert response.json()["name"] == "Summer 2026"
    assert client.get(f"/dataset/{ready.hash}").json()["name"] == "Summer 2026"
    assert client.get("/dataset").json()["datasets"][0]["name"] == "Summer 2026"


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": " \n"}, {"name": 7}, {"name": "x" * 256}, []])
def test_a_name_that_is_none_is_refused(client: Client, body: object) -> None:
    row(1, Status.READY)
    response = client.patch(f"/dataset/{ID.format(1)}", body, "application/json")
    assert response.status_code == 400
    assert "name" in sentence(response.json(), 400)
    assert Dataset.objects.get().name == "1.zip"


def test_what_is_no_json_gives_no_name(client: Client) -> None:
    row(1, Status.READY)
    assert client.patch(f"/dataset/{ID.format(1)}", "name=x", "text/plain").status_code == 415
    cut_off = client.patch(f"/dataset/{ID.format(1)}", "{", "application/json")
    assert sentence(cut_off.json(), 400).startswith("JSON parse error")
    assert client.patch(f"/dataset/{ID.format(2)}", {"name": "x"}, "application/json").status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "params"),
    [
        (b"no zip", "no-zip", {}),
        (zipped({"notes.txt": b"text"}), "zip-empty", {"count": 0}),
        (zipped({"a.jpg": b"no picture"}), "none-readable", {"count": 1, "name": "a.jpg"}),
    ],
    ids=["no zip", "no pictures", "unreadable"],
)
def test_errors_have_a_type_and_parameters(client: Client, content: bytes, kind: str, params: object) -> None:
    response = send(client, content)
    assert response.status_code == 400
    body = response.json()
    assert sentence(body, 400)
    assert (body["type"], body["params"]) == (f"urn:wwzd:error:{kind}", params)
    if kind == "none-readable":  # it was queued before it was known to be no good
        failed = client.get("/dataset?status=failed").json()["datasets"][0]
        assert failed["problem"] == body
        assert failed["error"] == body["error"]


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
