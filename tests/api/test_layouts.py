"""Layouts beside PCA and UMAP: asked for, computed once, listed, read in every form, measured, deleted."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from datasets.collection import layouts
from datasets.collection.uploaded import upload as opened
from datasets.models import Dataset, DerivedResult, Status
from embeddings.reducers import SEED
from tests.api.test_pictures import upload
from tests.support.pictures import photograph
from tests.support.vectors import array

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 24


@pytest.fixture
def base(client: Client) -> str:
    """The address of an upload."""
    return f"/dataset/{upload(client, {f'{k:02d}.jpg': photograph(k) for k in range(COUNT)})}"


@pytest.fixture
def queueing(base: str, settings: Settings) -> None:
    """From now on what is asked for waits, as in service, until a process computes it."""
    settings.TASKS_BACKEND = "database"


def ask(client: Client, base: str, kind: Any = "grid", **parameters: Any) -> Any:
    body = {"kind": kind, "parameters": parameters}
    return client.post(f"{base}/layouts", body, content_type="application/json")


def listed(client: Client, base: str) -> dict[str, Any]:
    return {entry["name"]: entry for entry in client.get(f"{base}/layouts").json()["layouts"]}


def test_pca_and_umap_are_there_and_the_kinds_are_told(client: Client, base: str) -> None:
    described = client.get(f"{base}/layouts").json()
    assert [(each["name"], each["kind"], each["status"], each["dimensions"]) for each in described["layouts"]] == [
        ("pca", "pca", "ready", 3),
        ("umap", "umap", "ready", 3),
    ]
    assert all(each["can_place"] for each in described["layouts"])
    assert [kind["name"] for kind in described["kinds"]] == ["umap", "densmap", "tsne", "pacmap", "grid"]
    perplexity = next(kind for kind in described["kinds"] if kind["name"] == "tsne")["parameters"][0]
    assert (perplexity["name"], perplexity["default"], perplexity["maximum"]) == ("perplexity", 30.0, 200)
    assert described["limit"] == 20
    np.testing.assert_array_equal(array(client, f"{base}/layouts/umap"), array(client, f"{base}/features/umap"))


def test_a_layout_is_computed_once_and_kept(client: Client, base: str) -> None:
    answer = ask(client, base, "tsne", perplexity=5, seed=1)
    assert answer.status_code == 200
    made = answer.json()
    assert (made["kind"], made["status"], made["dimensions"]) == ("tsne", "ready", 2)
    assert list(made["parameters"].items()) == [("perplexity", 5.0), ("seed", 1)]
    assert made["versions"]["openTSNE"]
    assert answer["Location"] == f"{base}/layouts/{made['name']}"
    places = array(client, answer["Location"])
    assert places.shape == (COUNT, 2)
    again = ask(client, base, "tsne", seed=1, perplexity=5.0).json()
    assert again == made
    assert list(listed(client, base)) == ["pca", "umap", made["name"]]


def test_it_comes_in_every_form_and_in_windows(client: Client, base: str) -> None:
    address = ask(client, base)["Location"]
    places = array(client, address)
    described = client.get(address).json()
    assert described["total"] == COUNT
    np.testing.assert_allclose(described["features"], places)
    window = client.get(f"{address}?offset=3&limit=2").json()
    assert (window["indices"], window["features"]) == ([3, 4], described["features"][3:5])
    head, first, *_ = client.get(f"{address}?format=csv").getvalue().decode().splitlines()
    assert head.startswith('"index","name","x","y"')
    assert first.startswith('0,"00.jpg",')
    assert len(client.get(f"{address}?format=raw").getvalue()) == COUNT * 2 * 4
    assert len(client.get(f"{address}?sample=5").json()["features"]) == 5


def test_a_grid_gives_each_picture_a_cell_of_its_own(client: Client, base: str) -> None:
    cells = array(client, ask(client, base, layout="pca", aspect=1)["Location"])
    assert len({tuple(cell) for cell in cells.tolist()}) == COUNT
    assert np.ptp(cells, axis=0).tolist() == [4, 4]


def test_what_waits_is_told_and_can_be_stopped(client: Client, base: str, queueing: None) -> None:
    answer = ask(client, base)
    assert (answer.status_code, answer["Retry-After"]) == (202, "2")
    name = answer.json()["name"]
    assert ask(client, base).status_code == 202
    assert DerivedResult.objects.count() == 1
    assert (listed(client, base)[name]["status"], listed(client, base)[name]["progress"]) == ("queued", 0)
    early = client.get(answer["Location"])
    assert (early.status_code, early["Retry-After"]) == (409, "2")
    assert early.json()["type"].endswith(":layout-not-ready")
    assert client.delete(answer["Location"]).status_code == 204
    call_command("compute_results")
    assert name not in listed(client, base)
    ask(client, base)
    call_command("compute_results")
    assert listed(client, base)[name]["status"] == "ready"


def test_what_failed_says_why_until_it_is_asked_for_again(client: Client, base: str, queueing: None) -> None:
    features = next(Dataset.objects.get().folder.glob("features*.npy"))
    content = features.read_bytes()
    name = ask(client, base, "tsne").json()["name"]
    features.write_bytes(content[:200])
    call_command("compute_results")
    failed = listed(client, base)[name]
    assert failed["status"] == "failed"
    assert "its log says why" in failed["error"]
    assert client.get(f"{base}/layouts/{name}").status_code == 409
    features.write_bytes(content)
    assert ask(client, base, "tsne").status_code == 202
    call_command("compute_results")
    assert listed(client, base)[name]["status"] == "ready"


def test_quality_is_measured_when_it_is_first_asked_for(client: Client, base: str, queueing: None) -> None:
    answer = client.get(f"{base}/layouts/umap/quality")
    assert (answer.status_code, answer["Retry-After"]) == (202, "2")
    assert client.get(f"{base}/layouts/umap/distortion?seed=4294967296").status_code == 400
    assert client.get(f"{base}/layouts/umap/distortion").status_code == 202
    call_command("compute_results")
    quality = client.get(f"{base}/layouts/umap/quality").json()
    (scores,) = quality["scores"]
    assert scores["neighbors"] == 10
    assert all(0 <= scores[name] <= 1 for name in ("trustworthiness", "continuity", "kept"))
    assert (quality["total"], quality["measured"], quality["exact"]) == (COUNT, COUNT, True)
    distortion = array(client, f"{base}/layouts/umap/distortion")
    assert distortion.shape == (COUNT, 1)
    assert quality["worst"][0] == int(distortion.argmax())
    assert quality["mean_distortion"] == pytest.approx(float(distortion.mean()), abs=1e-6)
    assert listed(client, base)["umap"]["measured"]
    assert 0.2 < quality["stability"] <= 1
    assert (quality["seed"], quality["parameters"], quality["other_seeds"]) == (SEED, {}, 2)


def test_what_chance_has_no_part_in_has_no_stability(client: Client, base: str) -> None:
    quality = client.get(f"{base}/layouts/pca/quality").json()
    assert (quality["stability"], quality["other_seeds"], quality["seed"]) == (None, 0, None)
    assert 0 < sum(quality["explained_variance"]) <= 1
    name = ask(client, base, "umap", dimensions=2, seed=7).json()["name"]
    quality = client.get(f"{base}/layouts/{name}/quality").json()
    assert 0 < quality["stability"] <= 1
    assert (quality["seed"], quality["parameters"]["dimensions"]) == (7, 2)


def test_a_deleted_layout_is_gone_with_its_quality(client: Client, base: str) -> None:
    address = ask(client, base)["Location"]
    assert client.get(f"{address}/quality").status_code == 200
    assert client.delete(address).status_code == 204
    for path in (address, f"{address}/quality", f"{address}/distortion"):
        assert client.get(path).status_code == 404
    assert client.delete(address).status_code == 404
    folder = opened(base.rpartition("/")[2]).folder
    assert not list(folder.layouts.glob("grid*"))
    assert not layouts.cards(folder)


def test_there_are_not_more_than_may(client: Client, base: str, settings: Settings) -> None:
    settings.MAX_LAYOUTS = 2
    for aspect in (1, 2):
        assert ask(client, base, aspect=aspect).status_code == 200
    assert ask(client, base, aspect=2).status_code == 200
    refused = ask(client, base, aspect=3)
    assert refused.status_code == 409
    assert refused.json()["params"] == {"limit": 2}
    assert refused.json()["error"] == "There are 2 further layouts of these pictures, and no more may: delete one."


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (
            {"kind": "tsne", "parameters": {"perplexity": 500}},
            400,
            "“perplexity” is a number from 2 to 200, not “500”.",
        ),
        ({"kind": "pca"}, 400, "There is no kind of layout “pca”"),
        ({"kind": "grid", "parameters": {"layout": "../x"}}, 404, "There is no layout “../x” of these pictures."),
        ({"kind": "grid", "parameters": {"layout": "tsne-000000"}}, 404, "There is no layout “tsne-000000”"),
        ({"kind": "grid", "more": 1}, 400, "Send an object with “kind”"),
        ({}, 400, "Send an object with “kind”"),
        ([], 400, "Send an object with “kind”"),
    ],
)
def test_what_cannot_be_made_is_refused(client: Client, base: str, body: Any, status: int, sentence: str) -> None:
    answer = client.post(f"{base}/layouts", body, content_type="application/json")
    assert answer.status_code == status
    assert answer.json()["error"].startswith(sentence)
    assert not DerivedResult.objects.exists()


@pytest.mark.parametrize("name", ["tsne-123456", "space", "pca-quality", "x" * 200, "..%2Fmanifest"])
def test_a_layout_that_is_not_there_is_not_found(client: Client, base: str, name: str) -> None:
    for path in (f"{base}/layouts/{name}", f"{base}/layouts/{name}/quality", f"{base}/layouts/{name}/distortion"):
        assert client.get(path).status_code == 404
    assert client.delete(f"{base}/layouts/{name}").status_code == 404


@pytest.mark.parametrize("name", ["pca", "umap"])
def test_pca_and_umap_stay(client: Client, base: str, name: str) -> None:
    answer = client.delete(f"{base}/layouts/{name}")
    assert answer.status_code == 409
    assert client.get(f"{base}/layouts/{name}").status_code == 200


def test_the_catalogue_has_the_same_calls(client: Client, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "collection.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(12):
            archive.writestr(f"{index:02d}.jpg", photograph(index))
    assert client.get("/catalogue/layouts").status_code == 404
    call_command("build_catalogue", str(path), stdout=io.StringIO(), stderr=io.StringIO())
    address = ask(client, "/catalogue", "pacmap", dimensions=3)["Location"]
    assert address.startswith("/catalogue/layouts/pacmap-dimensions-3-")
    assert array(client, address).shape == (12, 3)
    assert client.get(f"{address}/quality").json()["total"] == 12
    assert Status.FAILED not in {entry["status"] for entry in listed(client, "/catalogue").values()}
    assert client.delete(address).status_code == 204
