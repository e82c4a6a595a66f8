"""Catalogues that a Ray cluster extracts: byte-equal to the plain build's, whoever is killed on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.support.environment import CACHE
from tests.support.paths import ROOT
from tests.support.pictures import photograph
from tests.support.ray_cluster import RayCluster, running_ray
from tests.support.s3_server import S3Server, running_s3

pytestmark = pytest.mark.scale

FACES = ROOT.parent / "shared" / "data" / "celeba-3000.zip"
COUNT = 1_700


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    pytest.importorskip("obstore", reason="it comes with: make test-scale")
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(bucket: S3Server) -> Iterator[RayCluster]:
    pytest.importorskip("ray", reason="it comes with: make test-scale")
    with running_ray(bucket.environment) as running:
        running.start_node()
        yield running


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small photographs, with files between them that are broken and such as are no pictures at all."""
    folder = tmp_path_factory.mktemp("source") / "photos"
    folder.mkdir()
    for number in range(COUNT):
        content = photograph(number)
        if number % 90 == 7:
            content = content[: len(content) // 4]
        if number % 90 == 8 or 600 <= number < 860:
            content = b"no picture"
        (folder / f"{number:05d}.jpg").write_bytes(content)
    (folder / "00100-note").write_bytes(b"no picture, and it does not say that it is one")
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, source: Path) -> dict[str, bytes]:
    data = tmp_path_factory.mktemp("plain")
    plainly("extract_features", data, source)
    return made(data)


def command(name: str, data: Path, source: Path | str, *more: str, **environment: str) -> "subprocess.Popen[str]":
    """Begun; what it tells comes at its end."""
    return subprocess.Popen(
        [sys.executable, "manage.py", name, str(source), *more],
        cwd=ROOT,
        env={**os.environ, "CACHE_DIR": str(CACHE), "DATA_DIR": str(data), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def plainly(name: str, data: Path, source: Path) -> None:
    with command(name, data, source) as process:
        error_output = process.communicate(timeout=300)[1]
    assert process.returncode == 0, error_output[-1000:]


def on_ray(
    cluster: RayCluster,
    data: Path,
    source: Path | str,
    name: str = "extract_features",
    meanwhile: Callable[["subprocess.Popen[str]"], object] = lambda process: None,
) -> tuple[int, str]:
    """Exit status, and what the command wrote to standard error."""
    with command(name, data, source, "--ray", cluster.address, **cluster.environment) as process:
        meanwhile(process)
        error_output = process.communicate(timeout=300)[1]
    return process.returncode, error_output


def made(data: Path) -> dict[str, bytes]:
    """All that a build left, but what has dates."""
    found = [path for path in sorted(data.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(data)): path.read_bytes()
        for path in found
        if path.name not in {"secret_key", "catalogue.json", "versions.json"}
    }


def chunks(data: Path) -> int:
    return len(list((data / "build").glob("chunks-*/*.npz"))) + 4 * len(
        list((data / "build" / "ranges").glob("*.json"))
    )


def is_plain(error_output: str) -> bool:
    """Whether nothing was said but the bar, the files that were skipped, and a sentence at the end."""
    lines = [line for line in error_output.replace("\r", "\n").splitlines() if line.strip()]
    return all("pictures/s" in line or line.startswith(("skipped ", "CommandError: ")) for line in lines)


def wait_for(process: "subprocess.Popen[str]", condition: Callable[[], object]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()[1][-1000:]
        time.sleep(0.02)


def test_a_build_on_two_nodes_is_the_plain_one(
    cluster: RayCluster, tmp_path: Path, source: Path, plain: dict[str, bytes]
) -> None:
    status, error_output = on_ray(cluster, tmp_path, source)
    assert status == 0, error_output
    assert made(tmp_path) == plain
    assert is_plain(error_output), error_output


def test_a_node_that_is_killed_costs_nothing(
    cluster: RayCluster, tmp_path: Path, source: Path, plain: dict[str, bytes]
) -> None:
    third = cluster.start_node()

    def kill(process: "subprocess.Popen[str]") -> None:
        wait_for(process, lambda: chunks(tmp_path) >= 1)
        wait_for(process, lambda: len(cluster.tasks()) >= 3)
        cluster.kill(third)

    status, error_output = on_ray(cluster, tmp_path, source, meanwhile=kill)
    assert status == 0, error_output
    assert made(tmp_path) == plain
    assert is_plain(error_output), error_output


def test_a_driver_that_is_killed_goes_on_where_it_was(
    cluster: RayCluster, tmp_path: Path, source: Path, plain: dict[str, bytes]
) -> None:
    def kill(process: "subprocess.Popen[str]") -> None:
        wait_for(process, lambda: chunks(tmp_path) >= 2)
        process.kill()

    assert on_ray(cluster, tmp_path, source, meanwhile=kill)[0] == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "build").glob("chunks-*/*.npz")}
    assert kept
    assert on_ray(cluster, tmp_path, source)[0] == 0
    assert made(tmp_path) == plain


def test_ctrl_c_ends_the_tasks(cluster: RayCluster, tmp_path: Path, source: Path) -> None:
    def interrupt(process: "subprocess.Popen[str]") -> None:
        wait_for(process, cluster.tasks)
        process.send_signal(signal.SIGINT)

    status, error_output = on_ray(cluster, tmp_path, source, meanwhile=interrupt)
    assert status == 130
    assert "Run the same command again" in error_output
    assert is_plain(error_output), error_output
    deadline = time.monotonic() + 20
    while cluster.tasks():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_pictures_in_a_bucket(
    cluster: RayCluster, bucket: S3Server, tmp_path: Path, source: Path, plain: dict[str, bytes]
) -> None:
    fill(bucket, "photos", source)
    status, error_output = on_ray(cluster, tmp_path, "s3://pictures/photos")
    assert status == 0, error_output
    of_pictures = [name for name in plain if "source.json" not in name]
    assert {name: made(tmp_path)[name] for name in of_pictures} == {name: plain[name] for name in of_pictures}


def fill(bucket: S3Server, prefix: str, folder: Path) -> None:
    import obstore

    store = bucket.store(prefix)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda path: obstore.put(store, path.name, path.read_bytes()), sorted(folder.iterdir())))


def test_another_token_is_a_sentence(cluster: RayCluster, tmp_path: Path, source: Path) -> None:
    environment = cluster.environment | {"RAY_AUTH_TOKEN": "0" * 64}
    with command("extract_features", tmp_path, source, "--ray", cluster.address, **environment) as process:
        error_output = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert f"Ray at {cluster.address} cannot be used" in error_output.splitlines()[-1]
    assert is_plain(error_output), error_output


def test_an_address_where_nothing_is_is_a_sentence(tmp_path: Path, source: Path) -> None:
    pytest.importorskip("ray", reason="it comes with: make test-scale")
    with command("extract_features", tmp_path, source, "--ray", "127.0.0.1:9") as process:
        error_output = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "Nothing answers at 127.0.0.1:9" in error_output


@pytest.mark.skipif(not FACES.exists(), reason="the 3,000 faces are not at hand")
def test_a_catalogue_of_faces_with_a_node_killed_and_the_driver_killed(cluster: RayCluster, tmp_path: Path) -> None:
    plain, killed = tmp_path / "plain", tmp_path / "killed"
    plainly("build_catalogue", plain, FACES)
    third = cluster.start_node()

    def kill_node_and_driver(process: "subprocess.Popen[str]") -> None:
        wait_for(process, lambda: chunks(killed) >= 1)
        cluster.kill(third)
        wait_for(process, lambda: chunks(killed) >= 5)
        process.kill()

    status, _ = on_ray(cluster, killed, FACES, "build_catalogue", kill_node_and_driver)
    assert status == -signal.SIGKILL
    assert (killed / "build").exists()
    status, error_output = on_ray(cluster, killed, FACES, "build_catalogue")
    assert status == 0, error_output
    assert made(killed) == made(plain)
