"""What a dataset that grows takes along: further layouts, saved views, vectors that came with the pictures."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client

from datasets.collection import cluster_labels
from datasets.collection.clusters import Clusters
from datasets.derived import jobs
from datasets.errors import URN
from datasets.models import Dataset
from embeddings.clusters import Level
from embeddings.layouts import METHODS, Problem
from embeddings.reducers import REDUCERS
from tests.support.clustered_pictures import FILES
from tests.support.pictures import photograph, zipped
from tests.support.vectors import array
from tests.uploads.test_growth import added, of_kind, photographs, sent, uploaded

pytestmark = pytest.mark.django_db(transaction=True)


def made(client: Client, dataset_id: str, kind: str, **parameters: Any) -> str:
    body = {"kind": kind, "parameters": parameters}
    response = client.post(f"/dataset/{dataset_id}/layouts", body, content_type="application/json")
    assert response.status_code == 200, response.content
    return str(response.json()["name"])


def test_further_layouts_are_carried_on_where_pictures_can_be_placed(client: Client) -> None:
    table = b"file,kind\n" + b"".join(f"{name},{name[:4]}\n".encode() for name in FILES)
    kinds = [of_kind(kind, range(14)) for kind in ("garden", "meadow", "wood")]
    old = uploaded(client, kinds[0] | kinds[1] | kinds[2] | {"metadata.csv": table})
    names = [made(client, old, kind) for kind in ("umap", "densmap", "tsne", "pacmap")]
    names.append(made(client, old, "umap", dimensions=3, target="kind"))
    grid = made(client, old, "grid")
    new = added(client, old, of_kind("wood", [20, 21]) | {"same.jpg": FILES["meadow-05.jpg"]})["id"]
    alone = added(client, old, of_kind("wood", [21]))["id"]
    entries = {each["name"]: each for each in client.get(f"/dataset/{new}/layouts").json()["layouts"]}
    assert set(entries) == {"pca", "umap", *names}
    for name in names:
        before, after, lone = (array(client, f"/dataset/{each}/layouts/{name}") for each in (old, new, alone))
        assert after[:42].tobytes() == before.tobytes()
        assert after.shape == (45, before.shape[1])
        # The first to come is the copy, by its name; a picture lies where it would lie alone.
        assert np.array_equal(after[42], before[19])
        assert np.array_equal(after[44], lone[42])
        centres = [before[first : first + 14].mean(axis=0) for first in (0, 14, 28)]
        for place in after[43:]:
            assert np.argmin([np.linalg.norm(place - centre) for centre in centres]) == 2, name
        assert (entries[name]["can_place"], entries[name]["placed"]) == (True, 3)
    assert entries[names[-1]]["supervised_by"] == "kind"
    (remark,) = client.get(f"/dataset/{new}/report").json()["remarks"]
    assert remark == f"layouts that were not carried on, as no pictures can be placed in them: {grid}"
    # Not made again with other seeds, since these pictures were not laid out together.
    quality = client.get(f"/dataset/{new}/layouts/{names[0]}/quality").json()
    assert (quality["total"], quality["stability"]) == (45, None)
    again = added(client, new, of_kind("garden", [20]))["id"]
    grown = array(client, f"/dataset/{again}/layouts/{names[0]}")
    assert grown[:45].tobytes() == array(client, f"/dataset/{new}/layouts/{names[0]}").tobytes()
    assert len(grown) == 46


@pytest.mark.parametrize("count", [1, 3, 5])
def test_layouts_of_few_pictures_are_carried_on(client: Client, count: int) -> None:
    old = uploaded(client, photographs(range(count)))
    name = made(client, old, "umap")
    new = added(client, old, photographs([40, 41]))["id"]
    places = array(client, f"/dataset/{new}/layouts/{name}")
    assert places.shape == (count + 2, 2)
    assert np.isfinite(places).all()


def test_saved_views_are_carried_on(client: Client) -> None:
    old = uploaded(client, photographs(range(6)))
    view = {"name": "Mine", "note": "", "state": "view=pca&chosen=3"}
    put = client.put(f"/dataset/{old}/views", {"views": [view]}, content_type="application/json")
    assert put.status_code == 200
    new = added(client, old, photographs([40]))["id"]
    carried = client.get(f"/dataset/{new}/views").json()["views"]
    assert carried == put.json()["views"]
    # From then on each has its own.
    client.put(f"/dataset/{new}/views", {"views": []}, content_type="application/json")
    assert client.get(f"/dataset/{old}/views").json()["views"] == carried
    assert client.get(f"/dataset/{new}/views").json()["views"] == []


def test_a_refit_has_the_further_layouts_and_what_was_measured_of_them(client: Client) -> None:
    first = uploaded(client, of_kind("garden", range(14)) | of_kind("wood", range(14)))
    old = added(client, first, of_kind("wood", [20]))["id"]
    tsne = made(client, old, "tsne")
    client.get(f"/dataset/{old}/layouts/{tsne}/quality")
    on_it = made(client, old, "grid", layout=tsne)
    on_umap = made(client, old, "grid")
    on_that = made(client, old, "grid", layout=on_umap, aspect=1)
    new = client.post(f"/dataset/{old}/refit").json()["id"]
    entries = {each["name"]: each for each in client.get(f"/dataset/{new}/layouts").json()["layouts"]}
    before = {each["name"]: each for each in client.get(f"/dataset/{old}/layouts").json()["layouts"]}
    # UMAP's places are others: a grid of them is made anew.
    ready = {name for name, each in entries.items() if each["status"] == "ready"}
    assert (ready, set(entries) - ready) == ({"pca", "umap", tsne, on_it}, {on_umap, on_that})
    for name in (tsne, on_it):
        assert entries[name] == before[name]
        paths = [Path(default_storage.path(each)) / "layouts" / f"{name}.npy" for each in (old, new)]
        assert paths[0].samefile(paths[1])
    assert entries[tsne]["measured"]
    jobs.compute_all("worker")
    umap = array(client, f"/dataset/{new}/features/umap")
    assert not np.array_equal(umap, array(client, f"/dataset/{old}/features/umap"))
    expected = METHODS["grid"].lay_out(Problem(coordinates=umap), {"aspect": 1.5})
    assert np.array_equal(array(client, f"/dataset/{new}/layouts/{on_umap}"), expected)
    assert len(array(client, f"/dataset/{new}/layouts/{on_that}")) == 29
    # Either goes its own way.
    assert client.delete(f"/dataset/{old}/layouts/{tsne}").status_code == 204
    assert len(array(client, f"/dataset/{new}/layouts/{tsne}")) == 29


def test_a_manifest_tells_nothing_of_layouts_that_come_and_go(client: Client) -> None:
    old = uploaded(client, photographs(range(12)))
    made(client, old, "tsne")
    new = added(client, old, photographs([40]))["id"]
    manifest = json.loads((Path(default_storage.path(new)) / "manifest.json").read_text())
    listed = {name for name in manifest["files"] if name.startswith("layouts/")}
    assert listed == {f"layouts/{name}.{suffix}" for name in REDUCERS for suffix in ("npy", "npz")}


def named(client: Client, dataset_id: str) -> dict[str, list[int]]:
    """The rows of the clusters that people named, by their names."""
    found = {}
    for number, level in enumerate(client.get(f"/dataset/{dataset_id}/clusters").json()["levels"]):
        field = "cluster" if number == 0 else f"cluster.{number + 1}"
        for cluster in level["clusters"]:
            if cluster["is_named"]:
                rows = client.get(f"/dataset/{dataset_id}/images/rows", {field: str(cluster["id"])}).json()["rows"]
                found[cluster["label"]] = rows
    return found


def test_a_refit_has_views_and_the_names_of_clusters_that_are_the_same(client: Client) -> None:
    kinds = ("garden", "meadow", "wood")
    old = uploaded(client, {name: data for kind in kinds for name, data in of_kind(kind, range(20)).items()})
    view = {"name": "Mine", "note": "", "state": "view=pca&chosen=3"}
    views = client.put(f"/dataset/{old}/views", {"views": [view]}, content_type="application/json").json()["views"]
    levels = client.get(f"/dataset/{old}/clusters").json()["levels"]
    for number, level in enumerate(levels, 1):
        for cluster in level["clusters"]:
            path = f"/dataset/{old}/clusters/{number}/{cluster['id']}"
            label = f"{number}: {cluster['id']}"
            assert client.patch(path, {"label": label}, content_type="application/json").status_code == 200
    before = named(client, old)
    # Where none was added they are found as they were.
    same = client.post(f"/dataset/{old}/refit").json()["id"]
    assert named(client, same) == before
    assert client.get(f"/dataset/{same}/views").json()["views"] == views
    # Where some were, a name is kept by what has nearly the same pictures.
    grown = added(client, old, of_kind("wood", range(20, 24)))["id"]
    assert client.get(f"/dataset/{grown}/clusters").json()["levels"]
    carried, kept = named(client, grown), named(client, client.post(f"/dataset/{grown}/refit").json()["id"])
    assert kept
    for label, rows in kept.items():
        both = set(rows) & set(carried[label])
        assert len(both) >= cluster_labels.LEAST_ALIKE * len(set(rows) | set(carried[label])), label


def of_labels(*labels: list[int]) -> Clusters:
    """Clusters of the same pictures, level by level."""
    levels = []
    for each in labels:
        count = max(each) + 1
        sizes = np.bincount(np.array(each) + 1, minlength=count + 1)[1:]
        none = np.zeros(count, np.int32)
        levels.append(Level(labels=np.array(each, np.int32), sizes=sizes.astype(np.int32), medoids=none, parents=none))
    return Clusters(levels=tuple(levels))


def test_a_name_is_not_given_to_what_has_other_pictures(tmp_path: Path) -> None:
    old = of_labels([0] * 20 + [1] * 10 + [-1] * 10)
    for cluster, label in enumerate(("large", "small")):
        cluster_labels.write(tmp_path / "old.json", old, 0, cluster, label)
    # The large one with one more, under another number and on another level; the small one in two.
    new = of_labels([0] * 40, [1] * 21 + [0] * 5 + [2] * 4 + [-1] * 10)
    cluster_labels.carry_to_alike(tmp_path / "old.json", old, tmp_path / "new.json", new)
    assert cluster_labels.read(tmp_path / "new.json", new) == {(1, 1): "large"}
    # On several levels the same: on that which it was on.
    twice = of_labels([0] * 20 + [1] * 20, [1] * 20 + [0] * 10 + [-1] * 10)
    cluster_labels.carry_to_alike(tmp_path / "old.json", old, tmp_path / "twice.json", twice)
    assert cluster_labels.read(tmp_path / "twice.json", twice) == {(0, 0): "large", (1, 0): "small"}
    # Of a collection with too few pictures there are none.
    cluster_labels.carry_to_alike(tmp_path / "old.json", old, tmp_path / "none.json", Clusters(levels=()))
    assert not (tmp_path / "none.json").exists()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_pictures_with_vectors_of_their_own_are_added_to_such(client: Client) -> None:
    random = np.random.default_rng(3)
    first, more = (random.normal(size=(count, 7)).astype(np.float32) for count in (20, 3))
    more[0] = first[4]
    old = uploaded(client, photographs(range(20)) | {"vectors.npy": npy(first)})
    answer = added(client, old, photographs(range(50, 53)) | {"vectors.npy": npy(more)})
    assert (answer["status"], answer["backbone"], answer["engine"]) == ("ready", "own", "vectors.npy")
    new = answer["id"]
    assert np.array_equal(array(client, f"/dataset/{new}/features/network"), np.concatenate([first, more]))
    for name in REDUCERS:
        before, after = (array(client, f"/dataset/{each}/features/{name}") for each in (old, new))
        assert after[:20].tobytes() == before.tobytes()
        assert np.isfinite(after).all()
    assert np.allclose(array(client, f"/dataset/{new}/features/pca")[20], before_of(client, old)[4], atol=1e-4)
    near = client.get(f"/dataset/{new}/images/20/neighbors", {"k": 1}).json()["neighbors"]
    assert near[0]["index"] == 4
    # Both can be compared, and it grows once more.
    assert Dataset.objects.get(hash=new).network == Dataset.objects.get(hash=old).network
    again = added(client, new, photographs([60]) | {"vectors.npy": npy(more[:1])})
    assert again["count"] == 24


def before_of(client: Client, dataset_id: str) -> Any:
    return array(client, f"/dataset/{dataset_id}/features/pca")


def test_pictures_without_such_vectors_are_refused_there(client: Client) -> None:
    vectors = np.random.default_rng(3).normal(size=(8, 7)).astype(np.float32)
    old = uploaded(client, photographs(range(8)) | {"vectors.npy": npy(vectors)})
    for file in (sent("more.zip", zipped(photographs([9]))), sent("a.jpg", photograph(9))):
        refused = client.post(f"/dataset/{old}/images", {"file": file})
        assert (refused.status_code, refused.json()["type"]) == (400, URN + "own-vectors")
        assert "send a ZIP with a vectors.npy" in refused.json()["error"]
    for given, code in ((vectors[:1, :5], "vectors-unmatched"), (vectors[:2], "vectors-unmatched")):
        described = added(client, old, photographs([9]) | {"vectors.npy": npy(given)})
        assert (described["status"], described["problem"]["type"], described["problem"]["status"]) == (
            "failed",
            URN + code,
            400,
        )
    assert "have 5 numbers" in added(client, old, photographs([9]) | {"vectors.npy": npy(vectors[:1, :5])})["error"]
    assert Dataset.objects.filter(status="ready").count() == 1
