"""Datasets told of, listed and deleted, with real uploads."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from datasets.errors import ServerError
from datasets.models import BusyFlag, Dataset, Status
from datasets.uploads import intake
from datasets.uploads.busy_flag import LIFETIME
from embeddings.reducers import SEED
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence
from tests.uploads.test_upload import send, upload

pytestmark = pytest.mark.django_db(transaction=True)

ID = "70207d49d53ccdca5d5dfc91d006cd{:02x}"


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
    assert list(body["timings"]) == ["features", "pca", "umap", "storing"]
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
    Dataset.objects.filter(name="1.zip").update(finished_at=timezone.now(), name="Z.zip")
    for sort, first, last in (("finished_at", "0.zip", "Z.zip"), ("-finished_at", "Z.zip", "4.zip")):
        listed = [entry["name"] for entry in client.get(f"/dataset?sort={sort}").json()["datasets"]]
        assert (listed[0], listed[-1]) == (first, last)
    Dataset.objects.filter(name="0.zip").update(name="a.zip")
    assert client.get("/dataset?sort=-name").json()["datasets"][0]["name"] == "a.zip"  # by code points
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
