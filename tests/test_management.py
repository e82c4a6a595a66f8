"""Datasets told of, listed and deleted, with real uploads."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from datasets import forecast, recovery, uploads
from datasets.busy import LIFETIME
from datasets.models import BusyFlag, Dataset, Status
from embeddings.reducers import SEED

from .pictures import photograph, zipped
from .problems import sentence
from .test_upload import send, upload

pytestmark = pytest.mark.django_db(transaction=True)

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


def test_a_ready_dataset_tells_all_that_is_known_of_it(client: Client, ready: Dataset) -> None:
    response = client.get(f"/dataset/{ready.hash}")
    assert response.status_code == 200
    assert "Retry-After" not in response
    told = response.json()
    assert (told["id"], told["name"], told["status"]) == (ready.hash, "photos.zip", "ready")
    assert (told["progress"], told["stage"], told["seconds_left"], told["queue_position"]) == (1, None, None, None)
    assert (told["count"], told["expected"], told["passed_over"]) == (6, 7, 1)
    assert [entry["name"] for entry in told["skipped"]] == ["bad.jpg"]
    assert told["skipped"][0]["reason"]
    assert (told["backbone"], told["precision"], told["space"]) == ("efficientnet_lite0", "fp32", "own")
    assert told["reducers"] == ["pca", "umap"]
    assert told["seed"] == SEED
    assert {"pipeline", "python", "openvino", "umap-learn", "numpy"} <= set(told["versions"])
    assert set(told["timings"]) == {"features", "pca", "umap", "storing"}
    assert datetime.fromisoformat(told["created_at"]) <= datetime.fromisoformat(told["finished_at"])
    assert told["error"] is None
    results = {"images", "fields", "report", "manifest", "network", "duplicates", "outliers", "export"}
    assert set(told["links"]) == {"self", "tilemap", "features", "page"} | results
    for link, address in told["links"].items():
        if link != "features":
            answer = client.get(address)
            assert answer.getvalue()
            answer.close()
            assert answer.status_code == 200
    for reducer in told["reducers"]:
        assert client.get(told["links"]["features"][reducer]).json()["total"] == 6


def test_the_explained_variance_is_that_of_the_vectors(client: Client, ready: Dataset) -> None:
    shares = client.get(f"/dataset/{ready.hash}").json()["explained_variance"]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1
    spread = ready.vectors("pca").var(axis=0)
    assert list(spread / spread[0]) == pytest.approx([share / shares[0] for share in shares], rel=1e-3)


@pytest.mark.parametrize("count", [1, 2])
def test_few_pictures_vary_along_few_axes(client: Client, count: int) -> None:
    identity = upload(client, zipped({f"{k}.jpg": photograph(k) for k in range(count)}))
    shares = client.get(f"/dataset/{identity}").json()["explained_variance"]
    assert shares == pytest.approx([count - 1, 0, 0], abs=1e-3)


def test_a_failed_dataset_says_why(client: Client) -> None:
    send(client, zipped({"a.jpg": b"no"}))
    dataset = Dataset.objects.get()
    told = client.get(f"/dataset/{dataset.hash}").json()
    assert told["status"] == "failed"
    assert "a.jpg" in told["error"]
    assert told["links"] == {"self": f"/dataset/{dataset.hash}", "report": f"/dataset/{dataset.hash}/report"}
    assert client.get(told["links"]["report"]).json()["counts"] == {"unreadable": 1}


@pytest.mark.parametrize("identity", ["0" * 32, "info2", "x" * 500, "A" * 32, "%00"])
@pytest.mark.parametrize("method", ["get", "delete"])
def test_an_unknown_id_is_not_found(client: Client, identity: str, method: str) -> None:
    response = getattr(client, method)(f"/dataset/{identity}")
    assert response.status_code == 404
    assert sentence(response.json(), 404)


def test_deleting_takes_row_files_and_answers(client: Client, ready: Dataset) -> None:
    assert client.get(f"/dataset/{ready.hash}/features/pca").status_code == 200
    response = client.delete(f"/dataset/{ready.hash}")
    assert (response.status_code, response.content) == (204, b"")
    assert not default_storage.exists(ready.hash)
    assert not Dataset.objects.exists()
    assert client.get(f"/dataset/{ready.hash}").status_code == 404
    assert client.get(f"/dataset/{ready.hash}/features/pca").status_code == 404


def test_none_of_this_is_under_the_busy_rule(client: Client, ready: Dataset) -> None:
    assert BusyFlag.objects.take("someone", LIFETIME)
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
    row(2, Status.QUEUED, awaited=True)
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


def test_the_time_left_is_judged_by_past_uploads_and_by_those_ahead(client: Client) -> None:
    now = timezone.now()
    timings = {"features": 8.0, "pca": 0.0, "umap": 2.0, "storing": 0.0}
    row(0, Status.READY, count=100, timings=timings, finished_at=now)
    row(1, Status.READY, count=100, timings=timings, finished_at=now, backbone="resnet50", precision="fp32")
    running = row(2, Status.PROCESSING, stage="features", progress=0.4, started_at=now - timedelta(seconds=4))
    row(3, Status.QUEUED, created_at=now - timedelta(seconds=2))
    row(4, Status.QUEUED, created_at=now - timedelta(seconds=1))
    found = forecast.outlooks()
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


def test_without_a_past_its_own_pace_tells_or_nothing_does(client: Client) -> None:
    began = timezone.now() - timedelta(seconds=10)
    running = row(0, Status.PROCESSING, stage="features", progress=0.05, started_at=began)
    waiting = row(1, Status.QUEUED)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] is None
    Dataset.objects.filter(pk=running.pk).update(progress=0.5)
    assert client.get(f"/dataset/{running.hash}").json()["seconds_left"] == pytest.approx(10, abs=0.5)
    assert client.get(f"/dataset/{waiting.hash}").json()["seconds_left"] is None


def test_results_are_shown_early_only_where_nobody_waits(client: Client, ready: Dataset) -> None:
    later = {"status": Status.PROCESSING, "umap": "", "finished_at": None, "started_at": datetime.now(UTC)}
    Dataset.objects.filter(pk=ready.pk).update(awaited=False, **later)
    told = client.get(f"/dataset/{ready.hash}").json()
    assert told["reducers"] == ["pca"]
    assert set(told["links"]["features"]) == {"pca"}
    assert client.get(f"/dataset/{ready.hash}/features/umap").status_code == 404
    for path in ("features/pca", "tilemap"):
        answer = client.get(f"/dataset/{ready.hash}/{path}")
        answer.close()
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-cache"
    Dataset.objects.filter(pk=ready.pk).update(awaited=True)
    assert client.get(f"/dataset/{ready.hash}").json()["reducers"] == []
    for path in ("features/pca", "tilemap"):
        assert client.get(f"/dataset/{ready.hash}/{path}").status_code == 404


def test_files_that_go_while_they_are_read_are_not_a_fault(client: Client, ready: Dataset) -> None:
    Dataset.objects.filter(pk=ready.pk).update(status=Status.PROCESSING, awaited=False, started_at=timezone.now())
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
    dataset.store("archive", "archive.zip", zipped({"a.jpg": photograph(1), "b.jpg": photograph(2)}))
    dataset.save()
    recovery.after_silence("gone")  # its own is not for it to judge
    dataset.refresh_from_db()
    assert dataset.status == Status.PROCESSING
    recovery.after_silence("another")
    dataset.refresh_from_db()
    assert dataset.status == ended  # tests compute what is queued at once
    assert bool(dataset.error) == (ended == Status.FAILED)


@pytest.mark.parametrize("awaited", [True, False])
def test_a_task_that_died_before_its_work_began_is_queued_again(settings: Settings, awaited: bool) -> None:
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    dataset = Dataset.objects.create(hash="b" * 32, awaited=awaited, archive="b/archive.zip")
    uploads.enqueue_again(dataset)
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, worker_ids=["dead"])
    recovery.after_worker_death("another")
    assert DBTaskResult.objects.get().status == TaskResultStatus.RUNNING
    recovery.after_worker_death("dead")
    assert DBTaskResult.objects.get().status == TaskResultStatus.READY
    dataset.refresh_from_db()
    assert dataset.status == Status.QUEUED


def test_no_original_is_kept_where_none_is_to_be(client: Client, settings: Settings) -> None:
    settings.KEEP_ARCHIVES = False
    identity = upload(client, zipped({"a.jpg": photograph(1), "b.jpg": photograph(2)}))
    dataset = Dataset.objects.get(hash=identity)
    assert not dataset.archive
    assert not default_storage.exists(f"{identity}/archive.zip")
    assert client.get(f"/dataset/{identity}/features/umap").json()["total"] == 2
    failed = row(1, Status.PROCESSING)
    failed.store("archive", "archive.zip", b"PK")
    failed.save()
    assert failed.fail(uploads.WORKER_DIED, status=500)
    assert not default_storage.exists(f"{failed.hash}/archive.zip")
