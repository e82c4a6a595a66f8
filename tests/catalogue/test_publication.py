"""A build becomes the catalogue all at once, whenever it is killed, and without a second copy of its features."""

import io
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets.catalogue import installation, installed_catalogue
from tests.support.pictures import photograph

pytestmark = pytest.mark.django_db(transaction=True)

QUIET = {"stdout": io.StringIO(), "stderr": io.StringIO()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "first"
    folder.mkdir()
    for index in range(5):
        (folder / f"{index}.jpg").write_bytes(photograph(index))
    return folder


def collections(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "collections").iterdir())


def test_its_files_are_linked_and_its_folder_goes(data: Path, source: Path) -> None:
    call_command("extract_features", str(source), **QUIET)
    features = (data / "build" / "features" / "000.npy").stat()
    call_command("fit_reducers", **QUIET)
    folder = installed_catalogue.installed_folder(data)
    assert folder.features_path(0).stat().st_ino == features.st_ino
    assert folder.features_path(0).stat().st_nlink == 1
    assert (data / "tilemaps" / "tilemap-000.jpg").samefile(folder.tilemap_path(0))
    assert not (data / "build").exists()
    assert not [path for path in data.glob(".*") if not path.name.startswith(".stored")]


def test_its_manifest_says_what_it_was_made_of(data: Path, source: Path) -> None:
    call_command("build_catalogue", str(source), "--name", "Five", **QUIET)
    manifest = installed_catalogue.read_manifest(data)
    assert (manifest["name"], manifest["count"], manifest["ranges"]) == ("Five", 5, {"000": [0, 4]})
    assert manifest["id"] == installed_catalogue.installed_folder(data).path.name
    assert manifest["network"].startswith("efficientnet_lite0:")
    assert manifest["versions"].keys() >= {"pipeline", "numpy", "scikit-learn"}
    assert isinstance(manifest["seed"], int)
    wanted = {"images.parquet", "features/000.npy", "layouts/pca.npy", "layouts/umap.npz", "tilemaps/000.jpg"}
    assert manifest["files"].keys() >= wanted


def test_fitting_anew_replaces_what_is_served_by_a_collection_of_its_own(data: Path, source: Path) -> None:
    call_command("build_catalogue", str(source), **QUIET)
    (first,) = collections(data)
    features = installed_catalogue.installed_folder(data).features_path(0).stat()
    call_command("fit_reducers", "--again", **QUIET)
    (second,) = collections(data)
    assert second == f"{first}-2"
    assert installed_catalogue.installed_folder(data).features_path(0).stat().st_ino == features.st_ino
    call_command("fit_reducers", "--again", **QUIET)
    assert collections(data) == [first]


# The folder of the collection, the pointer, and the build's folder as it goes.
@pytest.mark.parametrize("killed_at", ["collections/", "catalogue.json", ".build.removed"])
def test_a_publication_that_was_killed_is_run_again(
    client: Client, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    call_command("build_catalogue", str(source), **QUIET)
    (source / "5.jpg").write_bytes(photograph(5))
    move = os.replace

    def killed(path: Path, target: Path) -> None:
        if killed_at in str(target) and ".part" not in str(target):
            raise KeyboardInterrupt
        move(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        patch.setattr(os, "rename", killed)
        with pytest.raises(CommandError, match="Interrupted"):
            call_command("build_catalogue", str(source), **QUIET)
    assert client.get("/dataset/info").json()["total"] == (6 if killed_at == ".build.removed" else 5)
    call_command("build_catalogue", str(source), **QUIET)
    assert client.get("/dataset/info").json()["total"] == 6
    assert client.get("/catalogue/images/5").content == photograph(5)
    assert len(collections(data)) == 1
    assert not (data / "build").exists()


def test_fields_stay_when_the_same_pictures_are_built_again(client: Client, data: Path, source: Path) -> None:
    (source.parent / "about.csv").write_text("name,age\n1.jpg,7\n")
    call_command("build_catalogue", str(source), "--metadata", str(source.parent / "about.csv"), **QUIET)
    call_command("build_catalogue", str(source), **QUIET)
    assert client.get("/catalogue/images/fields/age").json()["values"] == [None, 7, None, None, None]


def test_pickles_leave_the_build_that_they_replace(client: Client, data: Path, source: Path) -> None:
    call_command("build_catalogue", str(source), **QUIET)
    own = {name: installed_catalogue.pickle_path(data, name).read_bytes() for name in ("pca", "umap")}
    vectors = installed_catalogue.installed_folder(data).vectors()
    installation.install(data, {name: array + 1 for name, array in vectors.items()}, name="Others")
    assert client.get("/catalogue/images/1").status_code == 404
    for name, content in own.items():
        installed_catalogue.pickle_path(data, name).write_bytes(content)
    installation.import_pickles(data)
    assert client.get("/catalogue/images/1").content == photograph(1)
    assert installed_catalogue.read_manifest(data)["name"] == "first"
