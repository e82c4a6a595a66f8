"""Building a catalogue with the real commands, in processes of their own that are killed on the way."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from datasets.catalogue import installation, installed_catalogue
from datasets.models import Dataset
from embeddings import legacy_pickles
from tests.support.environment import CACHE
from tests.support.paths import ROOT
from tests.support.pictures import photograph
from tests.support.small_network import write_weights

COUNT = 2_100


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,100 small photographs and a few files that are none."""
    folder = tmp_path_factory.mktemp("source") / "img_align"
    folder.mkdir()
    for index in range(COUNT):
        (folder / f"{index:06d}.jpg").write_bytes(photograph(index, (44, 54)))
    (folder / "000500b.jpg").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("passed over")
    (folder / ".hidden.jpg").write_bytes(b"")
    return folder


def build(data: Path, source: Path, *more: str, kill_when: Path | None = None) -> int:
    """Run the command, with a small network. Kill it as soon as the file `kill_when` exists."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.small_network",
            "build_catalogue",
            str(source),
            *more,
        ],
        cwd=ROOT,
        env={
            **os.environ,
            **write_weights(source.with_name("small.pth")),
            "DATA_DIR": str(data),
            "NUMBA_CACHE_DIR": str(CACHE / "kernels"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not (kill_when is not None and kill_when.exists()):
        time.sleep(0.01)
    process.kill()
    return process.wait()


def artefacts(data: Path) -> dict[str, bytes]:
    """All that a build leaves, but for the record of its files' dates."""
    return {
        str(path.relative_to(data)): path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.name not in {"secret_key", "catalogue.json", "versions.json"}
    }


@pytest.mark.slow
def test_a_build_killed_twice_ends_as_an_undisturbed_one(tmp_path: Path, source: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert build(calm, source) == 0
    assert build(killed, source, kill_when=killed / "build" / "ranges" / "000.json") == -9
    assert build(killed, source, kill_when=killed / "build" / "layouts" / "pca.npy") == -9
    assert not (killed / "collections").exists()
    assert build(killed, source) == 0
    assert artefacts(killed) == artefacts(calm)
    assert installed_catalogue.read_manifest(killed)["count"] == COUNT
    record = json.loads((installed_catalogue.installed_folder(killed).path / "ranges" / "000.json").read_text())
    assert len(record["names"]) == 1000
    assert [entry["name"] for entry in record["skipped"]] == ["000500b.jpg"]
    for reducer in ("pca", "umap"):
        assert legacy_pickles.read(installed_catalogue.pickle_path(killed, reducer)).shape == (COUNT, 3)


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_placed_in_the_catalogues_space(data: Path, tmp_path: Path, client: Client) -> None:
    files = {f"{index:04d}.jpg": photograph(index) for index in range(120)}
    path = tmp_path / "collection.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"img_align/{name}", content)
    call_command("build_catalogue", str(path), stdout=io.StringIO(), stderr=io.StringIO())
    assert client.get("/dataset/info").json()["total"] == 120

    def upload(names: list[str]) -> str:
        content = io.BytesIO()
        content.name = "photos.zip"
        with zipfile.ZipFile(content, "w") as archive:
            for name in names:
                archive.writestr(name, files[name])
        content.seek(0)
        return str(client.post("/dataset", {"file": content}).content.decode())

    some = upload(sorted(files)[40:60])
    alone = upload(["0045.jpg"])
    assert Dataset.objects.get(hash=some).space == "catalogue"
    for reducer in ("pca", "umap"):
        places = np.array(client.get(f"/dataset/{some}/features/{reducer}").json()["features"])
        own = np.array(client.get(f"/dataset/{alone}/features/{reducer}").json()["features"])
        assert np.array_equal(places[5], own[0])  # a picture's place does not depend on its batch-mates
    catalogue_places = np.array(client.get("/pca/0/0/standalone").json()["features"])[40:60]
    uploaded = np.array(client.get(f"/dataset/{some}/features/pca").json()["features"])
    assert np.allclose(uploaded, catalogue_places, atol=1e-3)


@pytest.mark.parametrize("command", ["build_catalogue", "extract_features", "build_tilemaps"])
def test_a_source_that_is_none_is_a_sentence(command: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no folder or ZIP"):
        call_command(command, str(tmp_path / "nowhere"))
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(CommandError, match="inner"):
        call_command(command, str(tmp_path / "folder"))
    (tmp_path / "file.zip").write_bytes(b"no")
    with pytest.raises(CommandError, match="neither a folder nor a ZIP"):
        call_command(command, str(tmp_path / "file.zip"))


def test_fitting_before_extracting_names_the_command_to_run() -> None:
    with pytest.raises(CommandError, match="extract_features SOURCE"):
        call_command("fit_reducers")


def test_another_source_does_not_mix_with_a_build_begun(data: Path, tmp_path: Path) -> None:
    for name, count in (("one", 3), ("two", 4)):
        (tmp_path / name).mkdir()
        for index in range(count):
            (tmp_path / name / f"{index}.jpg").write_bytes(photograph(index))
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("extract_features", str(tmp_path / "one"), **quiet)
    with pytest.raises(CommandError, match="--restart"):
        call_command("extract_features", str(tmp_path / "two"), **quiet)
    call_command("extract_features", str(tmp_path / "two"), "--restart", **quiet)
    call_command("fit_reducers", **quiet)
    assert installed_catalogue.read_manifest(data)["count"] == 4
    call_command("fit_reducers", "--again", **quiet)
    assert installed_catalogue.read_manifest(data)["count"] == 4


def test_tilemaps_alone_are_those_of_a_whole_build(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(30):
        (folder / f"{index:03d}.jpg").write_bytes(photograph(index))
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(folder), **quiet)
    path = data / "tilemaps" / "tilemap-000.jpg"
    whole = path.read_bytes()
    path.unlink()
    call_command("build_tilemaps", str(folder), **quiet)
    assert path.read_bytes() == whole


@pytest.mark.slow
@pytest.mark.django_db
def test_the_demo_is_built_from_digits_and_replaces_no_other_catalogue(client: Client, data: Path) -> None:
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_demo", **quiet)
    card = installed_catalogue.read_manifest(data)
    assert card["count"] == 1797
    assert card["demo"] is True
    places = installed_catalogue.CatalogueStore(data).catalogue().vectors["umap"]
    assert label_accuracy(places) >= 0.85
    first = client.get("/catalogue/images/0")
    assert (first["Content-Type"], Image.open(io.BytesIO(first.content)).size) == ("image/png", (8, 8))
    fields = [field["name"] for field in client.get("/catalogue/images/fields").json()["fields"]]
    assert fields == ["digit", "cluster", "cluster.2", "cluster.3"]
    coarsest = client.get("/catalogue/clusters").json()["levels"][0]["clusters"]
    assert all(cluster["traits"][0]["field"] == "digit" for cluster in coarsest)
    sevens = client.get("/catalogue/images?field.digit=7&limit=1000").json()["images"]
    assert len(sevens) == 179
    assert all("-digit-7" in each["name"] for each in sevens)
    installation.install(data, {"pca": places, "umap": places}, name="Mine")
    with pytest.raises(CommandError, match="Mine"):
        call_command("build_demo", **quiet)


@pytest.mark.slow
def test_a_catalogue_may_be_fitted_on_a_sample(data: Path) -> None:
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_demo", **quiet)
    whole = installed_catalogue.CatalogueStore(data).catalogue().vectors
    assert installed_catalogue.read_manifest(data)["fit_sample"] is None
    with pytest.raises(CommandError, match="1,000 rows or more"):
        call_command("fit_reducers", "--again", "--fit-sample", "999", **quiet)
    call_command("fit_reducers", "--again", "--fit-sample", "1000", **quiet)
    assert installed_catalogue.read_manifest(data)["fit_sample"] == 1000
    sampled = installed_catalogue.CatalogueStore(data).catalogue()
    np.testing.assert_array_equal(sampled.vectors["pca"], whole["pca"])  # its axes are those of all
    assert label_accuracy(sampled.vectors["umap"]) >= 0.82
    model = np.load(sampled.folder.model_path("umap"))
    assert len(model["training"]) == len(model["places"]) == 1000


def label_accuracy(places: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> float:
    """Share of digits that have the label of most of their ten nearest neighbours."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import NearestNeighbors

    labels = load_digits().target[: len(places)]
    found = NearestNeighbors(n_neighbors=11).fit(places).kneighbors(places, return_distance=False)[:, 1:]
    votes = np.array([np.bincount(labels[row], minlength=10).argmax() for row in found])
    return float((votes == labels).mean())
