"""A catalogue out of a bucket is that of the same files in a folder, wherever the server is for some seconds."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from datasets.catalogue.installed_catalogue import read_manifest
from datasets.catalogue.sources import OpenSource
from datasets.pictures import s3_objects
from tests.support.environment import CACHE
from tests.support.paths import ROOT
from tests.support.pictures import photograph, picture
from tests.support.s3_server import S3Server, running_s3

pytestmark = pytest.mark.scale

AWKWARD = ("a b.jpg", "ü.jpg", "100%.jpg", "100%25.jpg", "q?#[x]~*+.jpg", "Z.jpg", "～.jpg", "𝒳.jpg", "dots...jpg")
PASSED_OVER = {"notes.txt": b"no picture", ".hidden.jpg": b"", "deeper/inside.jpg": photograph(1)}
BROKEN = {"0005-broken.jpg": b"no picture", "0006-half.jpg": photograph(6)[:300]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    pytest.importorskip("obstore", reason="it comes with: make test-scale")
    try:
        with running_s3(tmp_path_factory.mktemp("s3")) as running:
            yield running
    except (ImportError, OSError) as error:
        pytest.skip(f"the S3 server, which comes with `make test-scale`, does not start here: {error}")


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ALLOW_HTTP")  # told by the endpoint
    s3_objects._store.cache_clear()
    yield server
    s3_objects._store.cache_clear()


def fill(server: S3Server, prefix: str, folder: Path, files: dict[str, bytes]) -> None:
    """The same files in both."""
    import obstore

    store = server.store(prefix)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: obstore.put(store, name, files[name]), files))


def built(data: Path) -> dict[str, bytes]:
    """What a build made of the pictures; the rest names the source."""
    folder = data / "collections" / read_manifest(data)["id"]
    parts = ("features", "ranges", "tilemaps", "layouts")
    found = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] in parts]
    assert found
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.django_db
def test_a_bucket_is_a_folder(bucket: S3Server, data: Path, tmp_path: Path, client: Client) -> None:
    folder = tmp_path / "pictures"
    files = {f"{k:04d}.jpg": photograph(k) for k in range(40)} | {name: picture(7) for name in AWKWARD}
    fill(bucket, "some/photos", folder, files | PASSED_OVER | BROKEN)
    with OpenSource(folder) as of_folder, OpenSource("s3://pictures/some/photos/") as of_bucket:
        assert of_bucket.names == of_folder.names == sorted(files | BROKEN)
        assert of_bucket.left == of_folder.left
        assert of_bucket.title == "photos"
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("build_catalogue", str(folder), **quiet)
    expected = built(data)
    call_command("build_catalogue", "s3://pictures/some/photos", "--name", "Bucket", **quiet)
    assert built(data) == expected
    row = sorted(files).index("ü.jpg")
    assert b"".join(client.get(f"/catalogue/images/{row}")) == picture(7)


def test_a_server_that_is_away_for_ten_seconds_costs_no_picture(bucket: S3Server, tmp_path: Path) -> None:
    folder, data = tmp_path / "pictures", tmp_path / "data"
    fill(bucket, "away", folder, {f"{k:05d}.jpg": photograph(k) for k in range(1400)} | BROKEN)
    environment = {**os.environ, **bucket.environment, "CACHE_DIR": str(CACHE), "DATA_DIR": str(data)}
    command = [sys.executable, "manage.py", "extract_features"]
    with subprocess.Popen(
        [*command, "s3://pictures/away"], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (data / "build" / "ranges" / "000.json").exists():
            assert process.poll() is None
            time.sleep(0.05)
        bucket.kill()
        time.sleep(10)
        bucket.start()
        error_output = process.communicate(timeout=300)[1]
    assert process.returncode == 0, error_output[-1000:]
    environment["DATA_DIR"] = str(tmp_path / "plain")
    subprocess.run([*command, str(folder)], cwd=ROOT, env=environment, check=True, capture_output=True)
    for name in ("ranges/000.json", "ranges/001.json", "features/000.npy", "features/001.npy", "tilemaps/001.jpg"):
        assert (data / "build" / name).exists(), sorted((data / "build").rglob("*"))
        assert (data / "build" / name).read_bytes() == (tmp_path / "plain" / "build" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("s3://pictures/nothing", "s3://pictures/nothing holds no pictures"),
        ("s3://another-bucket/photos", "s3://another-bucket/photos cannot be read"),
        ("s3:///photos", "no address of the form s3://bucket/prefix"),
        ("s3://pictures/some", "name the folder inside it, such as s3://pictures/some/photos"),
    ],
)
def test_a_bucket_that_is_none_is_a_sentence(bucket: S3Server, address: str, sentence: str) -> None:
    import obstore

    obstore.put(bucket.store("some/photos"), "a.jpg", photograph(1))
    with pytest.raises(CommandError, match=sentence):
        call_command("extract_features", address)


def test_keys_that_are_wrong_are_a_sentence(bucket: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(CommandError, match="s3://pictures/photos cannot be read"):
        call_command("extract_features", "s3://pictures/photos")
