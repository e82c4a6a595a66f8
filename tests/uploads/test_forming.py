"""What is shown of an upload while it is laid out."""

import numpy as np
import pytest
from django.test import Client

from datasets.collection.folder import CollectionFolder
from datasets.models import Dataset, Status
from embeddings.principal_axes import Standardizer
from embeddings.reducers import Umap, snapshots
from embeddings.vector_files import Vectors, save
from tests.support.pictures import photograph
from tests.uploads.test_growth import uploaded


@pytest.mark.parametrize("many", [False, True])
def test_watching_changes_nothing(monkeypatch: pytest.MonkeyPatch, many: bool) -> None:
    """By umap-learn, and by the layout of many."""
    features = np.random.default_rng(0).normal(size=(700, 40)).astype(np.float32)
    if many:
        monkeypatch.setattr(Umap, "MANY_ROWS", 100)
    standardizer = Standardizer.fit([features])
    coordinates = standardizer.project(features)
    _, alone = Umap.fit(standardizer, coordinates, seed=1)
    monkeypatch.setattr(snapshots, "SECONDS", 0.0005)
    seen: list[Vectors] = []
    _, watched = Umap.fit(standardizer, coordinates, seed=1, on_move=seen.append)
    assert np.array_equal(watched, alone)
    assert len(seen) > 3
    assert all(places.shape == (700, 3) and np.isfinite(places).all() for places in seen)
    # They come to rest where they are in the end.
    apart = [float(np.linalg.norm(places - alone, axis=1).mean()) for places in seen]
    assert apart[-1] < apart[0] / 2
    assert not np.array_equal(seen[0], seen[-1])


@pytest.mark.django_db(transaction=True)
def test_it_is_told_while_it_moves(client: Client) -> None:
    new = uploaded(client, {f"{k}.jpg": photograph(k) for k in range(6)})
    path = f"/dataset/{new}/forming"
    assert client.get(path).status_code == 204
    assert "forming" not in client.get(f"/dataset/{new}").json()["links"]
    places = np.arange(18, dtype=np.float32).reshape(6, 3)
    dataset = Dataset.objects.get(hash=new)
    save(CollectionFolder(path=dataset.folder).forming_path, places)
    Dataset.objects.filter(hash=new).update(status=Status.PROCESSING, stage="umap")
    assert client.get(f"/dataset/{new}").json()["links"]["forming"] == path
    response = client.get(path)
    assert np.array_equal(np.frombuffer(response.getvalue(), "<f4").reshape(6, 3), places)
    assert client.get(path, headers={"if-none-match": response["ETag"]}).status_code == 304
    # A client that waits is promised all at once, or nothing.
    Dataset.objects.filter(hash=new).update(is_synchronous=True)
    assert client.get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_nothing_of_it_is_left(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "SECONDS", 0.001)
    new = uploaded(client, {f"{k:03d}.jpg": photograph(k) for k in range(120)})
    folder = CollectionFolder(path=Dataset.objects.get(hash=new).folder)
    assert not folder.forming_path.exists()
    assert "forming" not in folder.manifest_path.read_text()
