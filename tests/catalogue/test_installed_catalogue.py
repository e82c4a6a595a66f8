"""The installed catalogue."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from numpy.typing import NDArray

from datasets.catalogue import installation, installed_catalogue
from datasets.catalogue.installation import install
from datasets.catalogue.installed_catalogue import CatalogueStore, pickle_path, tilemap_path
from datasets.errors import ApiError, NotFound
from embeddings import vector_files
from embeddings.vector_files import BadVectors

RANDOM = np.random.default_rng(11)


def some(count: int) -> dict[str, NDArray[np.float32]]:
    return {name: RANDOM.normal(size=(count, 3)).astype(np.float32) for name in ("pca", "umap")}


def pickled(data: Path, arrays: dict[str, NDArray[np.float32]]) -> None:
    (data / "pickles").mkdir(exist_ok=True)
    for name, array in arrays.items():
        pickle_path(data, name).write_bytes(pickle.dumps(array.astype(np.float64)))


def damage(path: Path, content: bytes) -> None:
    """Replace a file by another one, as an unlucky copy would."""
    other = path.with_name("other")
    other.write_bytes(content)
    os.replace(other, path)


def test_without_a_catalogue_the_total_is_0(data: Path) -> None:
    found = CatalogueStore(data).catalogue()
    assert found.total == 0
    assert found.vectors == {}
    with pytest.raises(NotFound, match="empty"):
        found.tilemap("0")


def test_the_old_servers_pickles_become_the_catalogue(data: Path) -> None:
    arrays = some(2500)
    pickled(data, arrays)
    catalogue_store = CatalogueStore(data)
    assert installed_catalogue.has_new_pickles(data)
    assert installation.import_pickles(data) == 2500
    assert not installed_catalogue.has_new_pickles(data)
    found = catalogue_store.catalogue()
    assert (found.total, found.name, found.demo) == (2500, "CelebA", False)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.vectors[name], array)


def test_a_running_server_takes_up_new_files(data: Path) -> None:
    catalogue_store = CatalogueStore(data)
    assert catalogue_store.catalogue().total == 0
    for count in (10, 2000, 10):
        arrays = some(count)
        install(data, arrays, name="new")
        found = catalogue_store.catalogue()
        assert found.total == count
        np.testing.assert_array_equal(found.vectors["umap"], arrays["umap"])
        assert catalogue_store.catalogue() is found
    assert len(list((data / "collections").rglob("*.npy"))) == 2


def test_what_is_being_read_stays_readable_when_it_is_replaced(data: Path) -> None:
    first = some(100)
    install(data, first, name="first")
    before = CatalogueStore(data).catalogue()
    install(data, some(50), name="second")
    np.testing.assert_array_equal(before.vectors["pca"], first["pca"])


def test_vectors_are_mapped_not_read(data: Path) -> None:
    rows = 3_000_000
    array = np.zeros((rows, 3), np.float32)
    array[-1] = 1, 2, 3
    install(data, {"pca": array, "umap": array}, name="big")
    found = CatalogueStore(data).catalogue()
    assert found.total == rows
    assert all(isinstance(mapped.base, np.memmap) for mapped in found.vectors.values())
    assert found.vectors["pca"][-1].tolist() == [1, 2, 3]


def test_one_pickle_alone_is_no_catalogue(data: Path) -> None:
    pickled(data, {"pca": some(5)["pca"]})
    with pytest.raises(BadVectors, match="there is no .*umap_reduced.pickle"):
        installation.import_pickles(data)
    assert CatalogueStore(data).catalogue().total == 0


def test_pickles_of_different_lengths_are_no_catalogue(data: Path) -> None:
    pickled(data, {"pca": some(5)["pca"], "umap": some(6)["umap"]})
    with pytest.raises(BadVectors, match="different numbers of rows"):
        installation.import_pickles(data)
    assert CatalogueStore(data).catalogue().total == 0


def test_a_bad_pickle_leaves_the_installed_catalogue_alone(data: Path) -> None:
    arrays = some(20)
    pickled(data, arrays)
    installation.import_pickles(data)
    pickle_path(data, "umap").write_bytes(b"garbage")
    with pytest.raises(BadVectors, match="umap_reduced.pickle is not a pickled NumPy array"):
        installation.import_pickles(data)
    np.testing.assert_array_equal(CatalogueStore(data).catalogue().vectors["umap"], arrays["umap"])


def test_the_same_pickles_with_another_date_are_the_same_catalogue(data: Path) -> None:
    pickled(data, some(20))
    installation.import_pickles(data)
    before = CatalogueStore(data).catalogue()
    os.utime(pickle_path(data, "pca"), (1, 1))
    assert installed_catalogue.has_new_pickles(data)
    installation.import_pickles(data)
    assert not installed_catalogue.has_new_pickles(data)
    assert CatalogueStore(data).catalogue().fingerprint == before.fingerprint


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 99}', b"{}", b"\xff\xfe"])
def test_a_damaged_manifest_is_reported(data: Path, content: bytes) -> None:
    install(data, some(5), name="x")
    damage(data / "catalogue.json", content)
    with pytest.raises(BadVectors, match="import_pickles --force"):
        CatalogueStore(data).catalogue()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x93NUMPY\x01\x00v\x00{", b"PK\x03\x04"])
def test_a_damaged_array_is_reported(data: Path, content: bytes) -> None:
    install(data, some(5), name="x")
    damage(next((data / "collections").rglob("umap.npy")), content)
    with pytest.raises(BadVectors, match=r"umap\.npy"):
        CatalogueStore(data).catalogue()


def test_an_array_of_another_shape_is_reported(data: Path) -> None:
    install(data, some(5), name="x")
    vector_files.save(next((data / "collections").rglob("pca.npy")), np.zeros((5, 2), np.float32))
    with pytest.raises(BadVectors, match=r"\(5, 2\)"):
        CatalogueStore(data).catalogue()


def test_tilemaps_are_found_by_range(data: Path) -> None:
    install(data, some(1_500), name="x")
    found = CatalogueStore(data).catalogue()
    tilemap_path(data / "tilemaps", 1).parent.mkdir()
    tilemap_path(data / "tilemaps", 1).write_bytes(b"jpeg")
    assert found.tilemap("1") == found.tilemap("001") == data / "tilemaps" / "tilemap-001.jpg"
    with pytest.raises(NotFound, match="has not been built"):
        found.tilemap("0")
    with pytest.raises(NotFound, match="the last one is 001"):
        found.tilemap("2")
    with pytest.raises(ApiError, match="is no range"):
        found.tilemap("../1")


@pytest.mark.parametrize("card", ["[]", "{}", '{"format": 1}', "broken"])
def test_a_damaged_manifest_is_reported_and_replaced_by_an_import(data: Path, card: str) -> None:
    pickled(data, some(3))
    installation.import_pickles(data)
    path = data / "catalogue.json"
    path.write_text(card)
    with pytest.raises(BadVectors, match="import_pickles --force"):
        CatalogueStore(data).catalogue()
    call_command("import_pickles", "--force", stdout=io.StringIO())
    assert CatalogueStore(data).catalogue().total == 3
