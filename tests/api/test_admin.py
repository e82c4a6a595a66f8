"""The admin, by way of its pages: what they show, what they delete and repeat, and that they edit nothing."""

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from datasets.errors import ServerError
from datasets.models import BusyFlag, Dataset, DerivedResult, Status, WorkerState
from datasets.tilemaps import preview
from datasets.uploads.intake import WORKER_DIED
from tests.support.pictures import colour, photograph, zipped
from tests.uploads.test_upload import upload

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/datasets/dataset/"
FLAG = "/admin/datasets/busyflag/"


@pytest.fixture
def ready(client: Client) -> Dataset:
    """Six pictures, one damaged file and one that is no picture."""
    files = {f"{k}.jpg": photograph(k) for k in range(6)} | {"bad <i>.jpg": b"not a picture", "readme.txt": b"text"}
    return Dataset.objects.get(hash=upload(client, zipped(files)))


def failed(digit: str, *, keep_archive: bool = True) -> Dataset:
    """A dataset whose worker died."""
    dataset = Dataset.objects.create(hash=digit * 32, name=f"holiday-{digit}.zip")
    dataset.store_archive(zipped({f"{k}.jpg": photograph(k) for k in range(4)}))
    dataset.save()
    dataset.fail(ServerError(WORKER_DIED, code="worker-died"), keep_archive=keep_archive)
    return dataset


def page(dataset: Dataset) -> str:
    return f"{LIST}{dataset.pk}/change/"


def folder(dataset: Dataset) -> Path:
    return Path(default_storage.path(dataset.hash))


def content(client: Client, url: str, **data: object) -> str:
    response = client.post(url, data, follow=True) if data else client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def act(client: Client, action: str, *datasets: Dataset, **more: str) -> str:
    return content(client, LIST, action=action, _selected_action=[dataset.pk for dataset in datasets], **more)


def picture(client: Client, url: str) -> Image.Image:
    response = client.get(url)
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("private")
    return Image.open(io.BytesIO(response.content))


def test_the_list_and_the_page_show_an_upload(admin_client: Client, ready: Dataset) -> None:
    row = content(admin_client, LIST)
    for shown in (ready.hash[:10], "photos.zip", "ready", ready.backbone, f"{ready.pk}/strip.jpg", "KB"):
        assert shown in row
    assert '<td class="field-count">6</td>' in row
    assert '<td class="field-skipped_count">1</td>' in row
    whole = content(admin_client, page(ready))
    for shown in (ready.hash, "tilemap.jpg", "pca.png", "umap.png", ready.engine, "5.jpg", ready.skipped[0]["reason"]):
        assert shown in whole
    assert " + ".join(f"{100 * share:.1f} %" for share in ready.explained_variance) in whole
    assert "bad &lt;i&gt;.jpg" in whole
    assert "Try again" not in whole


def test_a_dataset_links_to_its_cloud_report_and_export(admin_client: Client, ready: Dataset) -> None:
    whole = content(admin_client, page(ready))
    for path in ("", "/report", "/export"):
        assert f'href="/dataset/{ready.hash}{path}"' in whole
        assert admin_client.get(f"/dataset/{ready.hash}{path}").status_code == 200
    (link,) = re.findall('href="([^"]+)" class="viewsitelink"', whole)
    assert link == f"/?dataset={ready.hash}"
    unfinished = content(admin_client, page(Dataset.objects.create(hash="e" * 32, name="later.zip")))
    assert "/report" not in unfinished
    assert "/export" not in unfinished


def test_the_index_names_each_part_and_all_pages_have_an_icon(admin_client: Client) -> None:
    index = content(admin_client, "/admin/")
    assert "Access tokens" in index
    assert "Queue" in index
    assert "Auth Token" not in index
    assert "icon.svg" in index
    response = admin_client.get("/favicon.ico")
    assert (response.status_code, response["Location"]) == (302, "/static/viewer/icon.svg")


def test_moments_are_written_in_one_way(admin_client: Client, ready: Dataset) -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    Dataset.objects.update(created_at=moment, started_at=moment)
    written = "4 Mar 2026, 05:06:07"
    assert written in content(admin_client, LIST)
    assert content(admin_client, page(ready)).count(written) == 2
    BusyFlag.objects.claim("someone", timedelta(minutes=1))
    BusyFlag.objects.update(taken_at=moment, expires_at=moment)
    assert written in content(admin_client, FLAG)


def test_its_pictures_are_pictures_even_while_the_server_is_busy(admin_client: Client, ready: Dataset) -> None:
    BusyFlag.objects.claim("someone", timedelta(minutes=1))
    assert picture(admin_client, f"{LIST}{ready.pk}/tilemap.jpg").size == (500, 5000)
    assert picture(admin_client, f"{LIST}{ready.pk}/strip.jpg").size == (250, 25)
    for reducer in ("pca", "umap"):
        cloud = picture(admin_client, f"{LIST}{ready.pk}/{reducer}.png")
        assert (cloud.format, cloud.size) == ("PNG", (600, 450))
    assert admin_client.get(f"{LIST}{ready.pk}/tsne.png").status_code == 404


def test_a_missing_file_is_a_dash_and_no_failure(admin_client: Client, ready: Dataset) -> None:
    ready.remove_files()
    assert "strip.jpg" not in content(admin_client, LIST)
    assert "tilemap.jpg" not in content(admin_client, page(ready))
    for name in ("tilemap.jpg", "strip.jpg", "pca.png"):
        assert admin_client.get(f"{LIST}{ready.pk}/{name}").status_code == 404


def test_search_and_filters_find_a_dataset(admin_client: Client) -> None:
    failed("a")
    Dataset.objects.create(hash="b" * 32, name="queued.zip")
    for query in ("q=holiday", "q=aaaaaaa", "q=worker+died", "status__exact=failed"):
        found = content(admin_client, f"{LIST}?{query}")
        assert "holiday-a.zip" in found
        assert "queued.zip" not in found


def test_the_list_asks_as_much_for_many_as_for_one(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for k in range(40):
        Dataset.objects.create(hash=f"{k:032x}", name=f"{k}.zip", skipped=[{"name": "a", "reason": "b"}] * k)
    with django_assert_max_num_queries(9) as queries:
        assert '<td class="field-skipped_count">39</td>' in content(admin_client, f"{LIST}?o=-6")
    assert not any('"names"' in query["sql"] for query in queries.captured_queries)


def test_deleting_removes_the_files(admin_client: Client, ready: Dataset) -> None:
    assert folder(ready).exists()
    content(admin_client, f"{LIST}{ready.pk}/delete/", post="yes")
    assert not Dataset.objects.exists()
    assert not folder(ready).exists()


def test_deleting_in_bulk_asks_first_and_removes_the_files(admin_client: Client) -> None:
    datasets = [failed("a"), failed("b"), failed("c")]
    assert "Are you sure" in act(admin_client, "delete_selected", *datasets[:2])
    assert Dataset.objects.count() == 3
    act(admin_client, "delete_selected", *datasets[:2], post="yes")
    assert Dataset.objects.get() == datasets[2]
    assert [folder(dataset).exists() for dataset in datasets] == [False, False, True]


def test_an_unfinished_dataset_can_be_deleted(admin_client: Client) -> None:
    dataset = Dataset.objects.create(hash="a" * 32, status=Status.PROCESSING)
    content(admin_client, f"{LIST}{dataset.pk}/delete/", post="yes")
    assert not Dataset.objects.exists()


def test_a_failed_dataset_is_tried_again(admin_client: Client) -> None:
    dataset = failed("a")
    assert WORKER_DIED in content(admin_client, page(dataset))
    assert admin_client.get(f"{LIST}{dataset.pk}/retry").status_code == 405
    assert "1 dataset was queued again." in content(admin_client, f"{LIST}{dataset.pk}/retry", retry="")
    dataset.refresh_from_db()
    assert (dataset.status, dataset.count) == (Status.READY, 4)


def test_retrying_several_datasets_reports_those_that_cannot_be_retried(admin_client: Client) -> None:
    kept, lost, gone = failed("a"), failed("b", keep_archive=False), failed("c")
    gone.remove_files()
    waiting = Dataset.objects.create(hash="d" * 32)
    answer = act(admin_client, "try_again", kept, lost, gone, waiting)
    assert "1 dataset was queued again." in answer
    assert "2 datasets were not queued: the archive was not kept." in answer
    assert "1 dataset was not queued: only failed ones can be tried again." in answer
    states = Dataset.objects.order_by("hash").values_list("status", flat=True)
    assert list(states) == [Status.READY, Status.FAILED, Status.FAILED, Status.QUEUED]


def test_nothing_can_be_added_or_edited(admin_client: Client) -> None:
    dataset = failed("a")
    BusyFlag.objects.claim("someone", timedelta(minutes=1))
    WorkerState.objects.beat("worker", ready=True, engine="an engine")
    worker = WorkerState.objects.get().pk
    for url in (page(dataset), f"{FLAG}1/change/", f"/admin/datasets/workerstate/{worker}/change/"):
        assert admin_client.get(url).status_code == 200
        changed = {"hash": "b" * 32, "name": "other", "status": "ready", "holder": "other", "engine": "other"}
        assert admin_client.post(url, changed).status_code == 403
    for model in ("dataset", "busyflag", "workerstate"):
        assert admin_client.get(f"/admin/datasets/{model}/add/").status_code == 403
    assert Dataset.objects.filter(hash="a" * 32, name="holiday-a.zip", status=Status.FAILED).exists()
    assert BusyFlag.objects.get().holder == "someone"
    assert WorkerState.objects.get().engine == "an engine"


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    dataset = failed("a")
    for url in (LIST, page(dataset), f"{LIST}{dataset.pk}/tilemap.jpg", f"{LIST}{dataset.pk}/pca.png", FLAG):
        assert client.get(url)["Location"].startswith("/admin/login/")
    for url in (f"{LIST}{dataset.pk}/retry", f"{FLAG}release", f"{LIST}{dataset.pk}/delete/"):
        assert client.post(url)["Location"].startswith("/admin/login/")
    assert Dataset.objects.get().status == Status.FAILED


def test_those_who_may_look_may_not_act(client: Client) -> None:
    dataset = failed("a")
    BusyFlag.objects.claim("someone", timedelta(minutes=1))
    onlooker = User.objects.create_user("onlooker", is_staff=True)
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=["view_dataset", "view_busyflag"]))
    client.force_login(onlooker)
    assert "Try again" not in content(client, page(dataset))
    assert "Release" not in content(client, FLAG)
    for url in (f"{LIST}{dataset.pk}/retry", f"{LIST}{dataset.pk}/delete/", f"{FLAG}release"):
        assert client.post(url, {"post": "yes"}).status_code == 403
    act(client, "try_again", dataset)
    act(client, "delete_selected", dataset, post="yes")
    assert Dataset.objects.get().status == Status.FAILED
    assert BusyFlag.objects.is_up()


def test_the_busy_flag_is_shown_and_released(admin_client: Client) -> None:
    assert "It has never been raised." in content(admin_client, FLAG)
    assert "was down already" in content(admin_client, f"{FLAG}release", release="")
    BusyFlag.objects.claim("someone", timedelta(minutes=1))
    assert "falls by itself" in content(admin_client, FLAG)
    assert admin_client.get(f"{FLAG}release").status_code == 405
    assert BusyFlag.objects.is_up()
    assert "was released" in content(admin_client, f"{FLAG}release", release="")
    assert not BusyFlag.objects.is_up()
    assert "It was last raised on" in content(admin_client, FLAG)


def test_the_worker_is_shown(admin_client: Client) -> None:
    workers = "/admin/datasets/workerstate/"
    assert "0 workers" in content(admin_client, workers)
    WorkerState.objects.beat("worker", ready=False)
    assert "warming up" in content(admin_client, workers)
    WorkerState.objects.beat("worker", ready=True, engine="an engine")
    assert "an engine" in content(admin_client, workers)
    WorkerState.objects.update(beat_at="2020-01-01T00:00Z")
    assert "silent" in content(admin_client, workers)


@pytest.mark.parametrize("count", [1, 2, 1000])
@pytest.mark.parametrize("spread", [0, 1e-30, 1, 1e30])
def test_a_cloud_of_any_size_and_spread_lies_on_the_canvas(count: int, spread: float) -> None:
    vectors = np.random.default_rng(count).normal(7, 1, (count, 3)).astype(np.float32) * np.float32(spread)
    drawn = np.asarray(Image.open(io.BytesIO(preview.cloud(vectors, tilemap_of(count), background="black"))))
    assert drawn.shape == (450, 600, 3)
    assert drawn.any()
    assert not drawn[[0, -1]].any()
    assert not drawn[:, [0, -1]].any()


def test_a_cloud_shows_each_picture_at_its_place_and_the_nearer_one_in_front() -> None:
    vectors = np.array([[0, 0, 0], [4, 1, 0], [0, 2, 0], [0, 2, 1]], np.float32)
    drawn = np.asarray(Image.open(io.BytesIO(preview.cloud(vectors, tilemap_of(4), (400, 300)))))
    # 40 pixels of sprite and two margins of 4 leave 352 for the 4 units of the longer axis.
    for k, (x, y) in {0: (24, 238), 1: (376, 150), 3: (24, 62)}.items():
        assert np.abs(drawn[y, x].astype(int) - colour(111 * k)).max() < 8


def tilemap_of(count: int) -> bytes:
    """A tilemap of one-coloured tiles."""
    image = Image.new("RGB", (500, 5000), "white")
    for k in range(count):
        row, column = divmod(k, 10)
        image.paste(colour(111 * k % 1000), (column * 50 + 1, row * 50 + 1, column * 50 + 49, row * 50 + 49))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=92, subsampling="4:4:4")
    return data.getvalue()


def test_further_results_that_wait_or_failed_can_be_looked_at_and_forgotten(admin_client: Client) -> None:
    url = "/admin/datasets/derivedresult/"
    row = DerivedResult.objects.create(collection="0123456789abcdef", kind="similarity", name="similarity")
    row.fail(ServerError("The server failed on <this>.", code="server-error"))
    shown = content(admin_client, url)
    assert "similarity" in shown
    assert "The server failed on &lt;this&gt;." in shown
    content(admin_client, url, action="delete_selected", _selected_action=[row.pk], post="yes")
    assert not DerivedResult.objects.exists()


def test_a_cookie_of_anything_is_no_session(client: Client) -> None:
    client.cookies["sessionid"] = "\0" * 32
    assert client.get("/admin/").status_code == 302
