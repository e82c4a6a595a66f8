"""Every line of the contract's table, as a client sees it, over an installed catalogue."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from datasets.catalogue import installation, installed_catalogue
from datasets.models import BusyFlag, Dataset
from datasets.tilemaps.layout import Tilemap
from datasets.uploads.busy_flag import LIFETIME
from datasets.uploads.dataset_id import parses_as_number
from tests.support.pictures import photograph, zipped
from tests.support.problems import sentence

pytestmark = pytest.mark.django_db(transaction=True)

TOTAL = 2_345


@pytest.fixture
def installed(data: Path) -> dict[str, "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]:
    """2,345 pictures: two whole ranges and a short one; the last has no tilemap yet."""
    arrays = {
        name: np.random.default_rng(seed).normal(size=(TOTAL, 3)).astype(np.float32)
        for seed, name in enumerate(("pca", "umap"))
    }
    installation.install(data, arrays, name="Test")
    for number in range(2):
        path = installed_catalogue.tilemap_path(data / "tilemaps", number)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(Tilemap().jpeg())
    return arrays


def test_status_of_a_free_server(client: Client) -> None:
    response = client.get("/status")
    assert response.status_code == 200
    assert response.json() == {"busy": False}


def test_info_has_the_total_and_inclusive_ranges(client: Client, installed: object) -> None:
    assert client.get("/dataset/info").json() == {
        "total": TOTAL,
        "ranges": {"000": [0, 999], "001": [1000, 1999], "002": [2000, 2344]},
    }


def test_info_without_a_catalogue(client: Client) -> None:
    assert client.get("/dataset/info").json() == {"total": 0, "ranges": {}}


@pytest.mark.parametrize("number", ["000", "1", "01"])
def test_a_tilemap_is_a_jpeg(client: Client, installed: object, number: str) -> None:
    response = client.get(f"/tilemaps/{number}")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(response.getvalue())).size == (500, 5000)


@pytest.mark.parametrize(
    ("number", "status"), [("002", 404), ("003", 404), ("x", 400), ("-1", 400), ("..%2f..%2fsecret_key", 404)]
)
def test_a_tilemap_that_is_not_there(client: Client, installed: object, number: str, status: int) -> None:
    response = client.get(f"/tilemaps/{number}")
    assert response.status_code == status
    assert sentence(response.json(), response.status_code)


@pytest.mark.parametrize("reducer", ["pca", "umap"])
@pytest.mark.parametrize(
    ("start", "end", "rows", "ids"),
    [
        ("000", "000", slice(0, 1000), ["000"]),
        ("0", "2", slice(0, 2345), ["000", "001", "002"]),
        ("1", "002", slice(1000, 2345), ["001", "002"]),
        ("2", "2", slice(2000, 2345), ["002"]),
    ],
)
def test_vectors_come_in_image_order(
    client: Client, installed: dict[str, object], reducer: str, start: str, end: str, rows: slice, ids: list[str]
) -> None:
    answer = client.get(f"/{reducer}/{start}/{end}/standalone").json()
    expected = np.asarray(installed[reducer])[rows]
    assert np.array_equal(
        np.array(answer.pop("features"), np.float32), expected
    )  # exact: no digit of a float32 is lost
    names = {"tilemap_ids", "tilemaps"} if reducer == "umap" else {"tilemap_ids"}
    assert answer == {"total": len(expected)} | dict.fromkeys(names, ids)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/pca/2/1/standalone", 400),
        ("/pca/0/3/standalone", 404),
        ("/umap/3/3/standalone", 404),
        ("/pca/a/1/standalone", 400),
        ("/pca/-1/1/standalone", 400),
        ("/pca/1.0/1/standalone", 400),
        ("/pca/٣/1/standalone", 400),
        ("/pca/0/99999999999999999999/standalone", 400),
        ("/tsne/0/0/standalone", 400),
    ],
)
def test_a_bad_range_is_a_sentence_and_not_a_fault(client: Client, installed: object, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.json()["error"].endswith(".")


def test_an_unknown_reducer_is_refused_before_the_id_is_looked_at(client: Client) -> None:
    response = client.get("/dataset/unknown/features/tsne")
    assert response.status_code == 400
    assert "pca and umap" in response.json()["error"]


@pytest.mark.parametrize("path", ["features/pca", "features/umap", "tilemap"])
def test_an_unknown_dataset_is_not_found(client: Client, path: str) -> None:
    response = client.get(f"/dataset/0123456789abcdef0123456789abcdef/{path}")
    assert response.status_code == 404
    assert sentence(response.json(), response.status_code)


def test_an_upload_answers_with_the_id_alone(client: Client) -> None:
    file = io.BytesIO(zipped({"a.jpg": photograph(1), "b.jpg": photograph(2)}))
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 200
    dataset_id = response.content.decode()
    assert len(dataset_id) == 32
    assert int(dataset_id, 16) >= 0
    assert dataset_id == dataset_id.lower()
    assert not parses_as_number(dataset_id)
    assert client.get(f"/dataset/{dataset_id}/features/pca").json()["total"] == 2


@pytest.mark.parametrize("digits", ["1234", "70207e49", "0e1", "000", "1e5"])
def test_ids_that_a_client_would_take_for_numbers_are_known(digits: str) -> None:
    assert parses_as_number(digits)


@pytest.mark.parametrize("dataset_id", ["70207d49d53ccdca5d5dfc91d006cd09", "1e2e3", "e12", "12e", "abc"])
def test_ids_that_no_client_takes_for_numbers_are_kept(dataset_id: str) -> None:
    assert not parses_as_number(dataset_id)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({}, 400),
        ({"data": {"file": "text"}}, 400),
        ({"data": b"{}", "content_type": "application/json"}, 415),
        ({"data": b"broken", "content_type": "multipart/form-data; boundary=x"}, 400),
        ({"data": b"broken", "content_type": "multipart/form-data"}, 400),
    ],
)
def test_a_post_without_a_file_is_a_sentence(client: Client, arguments: dict[str, object], status: int) -> None:
    response = client.post("/dataset", **arguments)  # type: ignore[arg-type]
    assert response.status_code == status
    assert response.json()["error"]
    assert not Dataset.objects.exists()


def test_an_upload_over_the_limit_is_refused(client: Client, settings: object) -> None:
    settings.MAX_UPLOAD_MB = 1  # type: ignore[attr-defined]
    file = io.BytesIO(b"\0" * 3_000_000)
    file.name = "photos.zip"
    response = client.post("/dataset", {"file": file})
    assert response.status_code == 413
    assert "1 MiB" in response.json()["error"]


@pytest.mark.parametrize(
    "path", ["/status", "/dataset/info", "/tilemaps/000", "/tilemaps/x", "/nothing", "/pca/9/9/standalone", "/health"]
)
def test_any_origin_may_read_every_answer(client: Client, installed: object, path: str) -> None:
    response = client.get(path)
    response.close()
    assert response["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered(client: Client) -> None:
    response = client.options(
        "/dataset",
        headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"},
    )
    assert response.status_code == 204
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("accept", ["*/*", "image/jpeg", "text/html", "application/xml", "nonsense"])
def test_no_accept_header_is_refused(client: Client, installed: object, accept: str) -> None:
    for path in ("/status", "/tilemaps/000"):
        response = client.get(path, headers={"Accept": accept})
        response.close()
        assert response.status_code == 200


def test_a_method_that_a_call_does_not_have_is_refused(client: Client) -> None:
    response = client.delete("/status")
    assert response.status_code == 405
    assert sentence(response.json(), response.status_code)


def test_busy_answers_503_on_every_call_and_falls_by_itself(client: Client, installed: object) -> None:
    assert BusyFlag.objects.claim("someone", LIFETIME)
    assert not BusyFlag.objects.claim("another", LIFETIME)
    file = io.BytesIO(zipped({"a.jpg": photograph(1)}))
    file.name = "photos.zip"
    gets = ["/status", "/dataset/info", "/tilemaps/000", "/pca/0/0/standalone", "/umap/0/0/standalone"]
    answers = [client.get(path) for path in [*gets, "/dataset/x/features/pca", "/dataset/x/tilemap"]]
    answers.append(client.post("/dataset", {"file": file}))
    for response in answers:
        assert response.status_code == 503
        assert sentence(response.json(), 503) == "Server is busy, please wait"
        assert int(response["Retry-After"]) > 0
    assert client.get("/health").status_code == 200
    assert BusyFlag.objects.renew("someone", -LIFETIME)
    assert client.get("/status").status_code == 200
    assert BusyFlag.objects.claim("another", LIFETIME)


def test_a_server_fault_is_a_sentence_without_a_trace(data: Path, installed: object) -> None:
    for path in (data / "collections").rglob("*.npy"):
        path.unlink()
    response = Client(raise_request_exception=False).get("/pca/0/0/standalone")
    assert response.status_code == 500
    assert sentence(response.json(), 500) == "The server failed; its log says why."
