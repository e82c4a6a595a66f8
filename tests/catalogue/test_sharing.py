"""Catalogues on two hosts with a store between them, a folder here: what one does the other follows, and undoes not."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from datasets.catalogue import installation, installed_catalogue, sharing
from datasets.errors import Conflict, NotFound
from datasets.models import NotStored, StoredFolder
from embeddings import legacy_pickles
from embeddings.vector_files import Vectors

pytest.importorskip("obstore", reason="it comes with: make test-scale")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bucket")]


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[Path, Path]:
    found = tmp_path / "one", tmp_path / "two"
    for data in found:
        data.mkdir()
    return found


def vectors(seed: int) -> dict[str, Vectors]:
    places = np.random.default_rng(seed).normal(size=(2, 50, 3)).astype(np.float32)
    return {"pca": places[0], "umap": places[1]}


def install(data: Path, seed: int) -> None:
    with sharing.changing(data):
        installation.install(data, vectors(seed), name=f"Catalogue {seed}")


def served(data: Path) -> str:
    return str(installed_catalogue.read_manifest(data).get("name", ""))


def test_what_one_host_installs_the_other_serves(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    sharing.follow(two)
    assert served(two) == ""
    install(one, 1)
    sharing.follow(two)
    assert served(two) == "Catalogue 1"
    folder = installed_catalogue.installed_folder(two)
    assert np.array_equal(folder.vectors()["umap"], vectors(1)["umap"])
    install(two, 2)
    sharing.follow(one)
    assert served(one) == served(two) == "Catalogue 2"
    assert StoredFolder.objects.named("collections").count() == 1  # as on one host, another one takes its place
    assert len(list((one / "collections").glob("[!.]*/"))) == 1


def test_a_host_that_changes_something_does_not_follow_meanwhile(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    with sharing.changing(two):
        installation.install(two, vectors(2), name="Catalogue 2")
        (one / "collections" / "metadata-0.parquet").write_bytes(b"of the other host")
        StoredFolder.objects.store("catalogue", one, paths=[one / "collections" / "metadata-0.parquet"])
        sharing.follow(two)  # as the web process beside the command does
        assert served(two) == "Catalogue 2"
    sharing.follow(one)
    assert served(one) == "Catalogue 2"
    sharing.follow(two)
    assert (two / "collections" / "metadata-0.parquet").read_bytes() == b"of the other host"


def test_what_a_host_has_never_seen_it_does_not_remove(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    with sharing.changing(one):
        installation.install(one, vectors(1), name="Catalogue 1")
        sharing._followed.clear()
        install(two, 2)
    assert StoredFolder.objects.named("collections").count() == 2


def test_a_server_that_comes_to_a_store_brings_what_it_has(hosts: tuple[Path, Path], settings: Settings) -> None:
    one, two = hosts
    url, settings.STORAGE_URL = settings.STORAGE_URL, ""
    installation.install(one, vectors(1), name="Catalogue 1")
    settings.STORAGE_URL = url
    sharing.begin(one)
    sharing.begin(two)
    assert served(two) == "Catalogue 1"


def test_views_that_are_saved_while_a_catalogue_is_stored_do_not_install_it(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    sharing.follow(two)
    views = "collections/views-1.json"
    with sharing.editing(two):
        (two / views).write_text("of the other")
    with sharing.changing(one):
        installation.install(one, vectors(2), name="Catalogue 2")
        with sharing.editing(one):
            assert (one / views).read_text() == "of the other"
            (one / views).write_text("of both")
        assert served(one) == "Catalogue 2"
        sharing.follow(two)
        assert served(two) == "Catalogue 1"
        assert (two / views).read_text() == "of both"
    sharing.follow(two)
    assert served(two) == "Catalogue 2"


def test_a_catalogue_that_another_host_stores_is_not_taken_for_a_removed_one(hosts: tuple[Path, Path]) -> None:
    StoredFolder.objects.renew("catalogue")
    StoredFolder.objects.renew("collections/half")
    sharing.follow(hosts[1])
    install(hosts[1], 2)
    assert StoredFolder.objects.filter(name="collections/half").exists()


def test_a_catalogue_that_comes_after_its_pointer_is_served_when_it_is_there(hosts: tuple[Path, Path]) -> None:
    install(hosts[0], 1)
    folder = installed_catalogue.installed_folder(hosts[0]).path
    aside = folder.rename(folder.with_name(".aside"))
    catalogues = installed_catalogue.CatalogueStore(hosts[0])
    assert catalogues.catalogue().total == 0
    aside.rename(folder)
    assert catalogues.catalogue().total == 50


def test_the_pickles_of_a_host_are_not_new_because_another_installs(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    for seed, data in enumerate(hosts):
        write_pickles(data, seed)
        with sharing.changing(data):
            installation.import_pickles(data, name=f"Catalogue {seed}")
    sharing.follow(one)
    assert served(one) == "Catalogue 1"
    assert not installed_catalogue.has_new_pickles(one)  # else its next start would install them everywhere
    write_pickles(one, 2)
    assert installed_catalogue.has_new_pickles(one)


def write_pickles(data: Path, seed: int) -> None:
    for reducer, array in vectors(seed).items():
        legacy_pickles.write(installed_catalogue.pickle_path(data, reducer), array[: 50 - seed])


def test_views_that_are_saved_before_a_host_has_followed_bring_no_catalogue_back(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    sharing.follow(two)
    install(one, 2)
    with sharing.editing(two):
        (two / "collections" / "views-1.json").write_text("of the other")
    with sharing.changing(two):
        pass
    sharing.follow(one)
    assert served(one) == served(two) == "Catalogue 2"
    assert (one / "collections" / "views-1.json").read_text() == "of the other"


def test_a_copy_of_a_catalogue_that_was_removed_is_not_stored_anew(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    sharing.follow(two)
    old = installed_catalogue.installed_folder(two)
    install(one, 2)
    (old.layouts / "tsne.npy").write_bytes(b"computed meanwhile")
    with pytest.raises(NotStored):
        sharing.store_collection(old)
    with pytest.raises(NotFound, match="removed by another server"), sharing.editing_collection(old):
        pass
    assert StoredFolder.objects.named("collections").count() == 1
    sharing.follow(two)
    assert not old.path.exists()


def test_who_does_not_wait_is_told_that_catalogues_are_changed(hosts: tuple[Path, Path]) -> None:
    with (
        sharing.changing(hosts[0]),
        pytest.raises(Conflict, match="try again later"),
        sharing.changing(hosts[0], wait=False),
    ):
        pass


def test_what_a_file_tells_is_shared_though_the_next_one_is_broken(
    hosts: tuple[Path, Path], settings: Settings, tmp_path: Path
) -> None:
    one, two = hosts
    install(one, 1)
    (tmp_path / "good.csv").write_text("".join(["name,kind\n", *(f"{k},wild\n" for k in range(50))]))
    (tmp_path / "bad.json").write_text("{")
    settings.DATA_DIR = one
    installed_catalogue.catalogue_store.cache_clear()
    with pytest.raises(CommandError, match="bad.json"):
        call_command("import_metadata", str(tmp_path / "good.csv"), str(tmp_path / "bad.json"), stdout=io.StringIO())
    sharing.follow(two)
    assert [path.name for path in (two / "collections").glob("metadata-*.parquet")]


def test_a_database_that_knows_nothing_is_told_by_who_has_copies(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    StoredFolder.objects.all().delete()
    sharing.begin(one)
    sharing.begin(two)
    assert served(one) == served(two) == "Catalogue 1"


def test_the_pointer_of_another_host_is_followed_after_its_catalogue(hosts: tuple[Path, Path]) -> None:
    one, two = hosts
    install(one, 1)
    with sharing.changing(one):
        (one / "collections" / "metadata-0.parquet").write_bytes(b"new")
        with sharing.changing(two):
            installation.point(two, "another", {})
    assert served(one) == "Catalogue 1"
    assert not sharing.is_latest(one)
    sharing.follow(one)
    assert installed_catalogue.read_pointer(one)["id"] == "another"
    assert sharing.is_latest(one)
