"""The service as it runs: processes, signals, and what survives them. Real uploads through the real network."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from embeddings import legacy_pickles
from tests.support.pictures import photograph, zipped
from tests.support.service import Answer, Service, alive

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("service") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def slow_archive() -> bytes:
    """Some seconds of work."""
    return zipped({f"{k:04d}.jpg": photograph(k, (178, 218)) for k in range(600)})


def archive(seed: int, count: int = 12) -> bytes:
    return zipped({f"{k}.jpg": photograph(1000 * seed + k) for k in range(count)})


def in_background(service: Service, content: bytes) -> "tuple[threading.Thread, list[Answer | OSError]]":
    answers: list[Answer | OSError] = []

    def run() -> None:
        try:
            answers.append(service.upload(content))
        except OSError as error:
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, answers


def answer_of(thread: threading.Thread, answers: "list[Answer | OSError]") -> Answer:
    """Once it is there, of an upload `in_background`."""
    thread.join(240)
    assert answers
    assert isinstance(answers[0], Answer), answers[0]
    return answers[0]


def wait_until_taken(service: Service) -> None:
    """Until the upload that a client waits for has its row: the flag is up some time before."""
    service.wait_for(lambda: service.get("/status").status == 503)
    awaited = "select 1 from datasets_dataset where is_synchronous and status in ('queued', 'processing')"
    service.wait_for(lambda: bool(service.rows(awaited)))


def assert_nothing_is_left_over(service: Service) -> None:
    """Every file belongs to a dataset that names it, and every dataset has ended."""
    # The answer is out when the row says failed; its files are gone a moment later. The next worker would put right in
    # 20 seconds what the supervisor has forgotten.
    deadline = time.monotonic() + 15
    while found := left_over(service):
        assert time.monotonic() < deadline, (found, service.output())
        time.sleep(0.1)


def left_over(service: Service) -> list[str]:
    found, named, ready = [], set(), set()
    for dataset_id, status, archive, files in service.rows("select hash, status, archive, files from datasets_dataset"):
        named |= {name for name in (archive, *json.loads(files).values()) if name}
        if status == "ready":
            ready.add(dataset_id)
        elif status != "failed":
            found.append(f"{dataset_id} is {status}")
    tasks = service.rows("select id from django_tasks_database_dbtaskresult where status = 'RUNNING'")
    found += [f"task {task} is running" for (task,) in tasks]
    # With the reducers that were fitted on what is ready, and its clusters, which no row names.
    kept = {
        name for name in files_of_uploads(service) if not (name.endswith(".npz") and name.partition("/")[0] in ready)
    }
    found += [f"{name} is stored or in the database only" for name in kept ^ named]
    return found + [f"{path} was left" for path in (service.data / "tmp").iterdir()]


def files_of_uploads(service: Service) -> set[str]:
    """On this disk, or in the store where there is one."""
    if "STORAGE_URL" in service.environment():
        folders = service.rows("select name, files from datasets_storedfolder where name like 'datasets/%'")
        return {f"{name.removeprefix('datasets/')}/{path}" for name, files in folders for path in json.loads(files)}
    folder = service.data / "datasets"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_an_upload_is_computed_by_the_worker_and_served(service: Service) -> None:
    answer = service.upload(archive(1))
    assert answer.status == 200
    dataset_id = answer.body.decode()
    for reducer in ("pca", "umap"):
        vectors = service.get(f"/dataset/{dataset_id}/features/{reducer}").json()
        assert vectors["total"] == 12
        assert np.isfinite(vectors["features"]).all()
    assert service.get(f"/dataset/{dataset_id}/tilemap").body[:2] == b"\xff\xd8"


def test_every_call_of_the_contract_is_busy_during_a_synchronous_upload(service: Service, slow_archive: bytes) -> None:
    thread, answers = in_background(service, slow_archive)
    service.wait_for(lambda: service.get("/status").status == 503)
    for path in (
        "/status",
        "/dataset/info",
        "/tilemaps/000",
        "/pca/0/0/standalone",
        "/umap/0/0/standalone",
        "/dataset/0/features/pca",
        "/dataset/0/tilemap",
    ):
        answer = service.get(path)
        assert answer.status == 503, path
        assert answer.json()["error"] == "Server is busy, please wait"
        assert answer.headers["Retry-After"].isdecimal()
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert service.health()["status"] == "ok"
    assert answer_of(thread, answers).status == 200
    assert service.get("/status").json() == {"busy": False}


def test_of_two_uploads_at_once_exactly_one_runs(service: Service) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(service.upload, [archive(seed, 240) for seed in (11, 12, 13, 14)]))
    assert sorted(answer.status for answer in answers) == [200, 503, 503, 503]
    assert service.get("/status").json() == {"busy": False}


def test_a_refused_upload_is_answered_even_when_it_is_large(service: Service, slow_archive: bytes) -> None:
    thread, _ = in_background(service, slow_archive + b"\0")
    service.wait_for(lambda: service.get("/status").status == 503)
    answer = service.upload(os.urandom(20_000_000))
    assert answer.status == 503
    thread.join()
    answer = service.upload(os.urandom(20_000_000))
    assert answer.status == 400
    assert "not a ZIP" in answer.json()["error"]


@pytest.mark.timeout(900)  # each of the workers has to warm up
def test_killing_the_worker_fails_its_upload_cleanly_and_the_next_one_works(
    service: Service, slow_archive: bytes
) -> None:
    for moment in (0.0, 0.3, 0.8, 1.4, 2.0):
        service.wait_for(lambda: service.worker_state() == "ready")
        worker = service.child("worker")
        thread, answers = in_background(service, slow_archive + os.urandom(8))
        service.wait_for(lambda: service.get("/status").status == 503)
        time.sleep(moment)
        os.kill(worker, signal.SIGKILL)
        answer = answer_of(thread, answers)
        assert answer.status in (200, 500), answer.body
        if answer.status == 500:
            assert "worker died" in answer.json()["error"]
        assert service.get("/status").json() == {"busy": False}
        assert_nothing_is_left_over(service)
    assert service.upload(archive(3)).status == 200


@pytest.mark.timeout(900)  # as above
def test_killing_the_service_leaves_no_flag_no_orphan_and_no_process(tmp_path: Path, slow_archive: bytes) -> None:
    service = Service(tmp_path / "data")
    for moment in (0.0, 0.3, 0.8, 1.4, 2.0):
        service.start()
        thread, _ = in_background(service, slow_archive + os.urandom(8))
        wait_until_taken(service)
        time.sleep(moment)
        service.kill()
        thread.join(60)
        service.start(warm=False)
        assert service.get("/status").json() == {"busy": False}
        assert_nothing_is_left_over(service)
        errors = service.rows("select error from datasets_dataset where status = 'failed'")
        assert errors
        assert all("service was stopped" in error for (error,) in errors)
        service.kill()
    service.start()
    assert service.upload(archive(4)).status == 200
    assert service.stop() == 0


def test_killing_gunicorn_alone_brings_it_back(service: Service, slow_archive: bytes) -> None:
    web = service.child("web")
    thread, _ = in_background(service, slow_archive + os.urandom(8))
    service.wait_for(lambda: service.get("/status").status == 503)
    os.kill(web, signal.SIGKILL)
    thread.join(60)
    service.wait_for(lambda: service.health() is not None and service.get("/status").status == 200)
    assert service.child("web") != web
    assert service.upload(archive(5)).status == 200


def test_a_search_by_picture_runs_in_the_worker(service: Service) -> None:
    dataset_id = service.upload(archive(71)).body.decode()
    answer = service.upload(photograph(71_003), "me.jpg", path=f"/search?in={dataset_id}&k=2")
    assert answer.status == 200
    found = answer.json()
    itself = found["neighbors"][0]
    assert itself["name"] == "3.jpg"
    places = service.get(f"/dataset/{dataset_id}/features/pca").json()["features"]
    assert np.allclose(found["pca"], places[itself["index"]], atol=1e-3)
    refused = service.upload(b"no picture", "me.jpg", path=f"/search?in={dataset_id}")
    assert refused.status == 400
    assert "cannot be read" in refused.json()["error"]
    service.wait_for(lambda: not list((service.data / "tmp").iterdir()), 30)


def test_the_web_process_stays_small_and_loads_nothing_heavy(service: Service) -> None:
    """Where PostgreSQL's client is installed, Django REST framework imports it, whatever the database. The client of an
    object store takes 7 MB, and what measures the coverage takes room, too."""
    web = service.child("web")
    (process,) = (int(pid) for pid in Path(f"/proc/{web}/task/{web}/children").read_text().split())
    service.get("/dataset/info")
    mapped = Path(f"/proc/{process}/maps").read_text()
    assert not any(name in mapped for name in ("libtorch", "libopenvino", "llvmlite", "/sklearn/", "/scipy/"))
    more = 15e6 * (find_spec("psycopg") is not None) + 8e6 * ("STORAGE_URL" in os.environ)
    assert memory(process) < 150e6 + more + 10e6 * ("COVERAGE_PROCESS_CONFIG" in os.environ)


def test_a_big_catalogue_of_the_old_server_is_served_to_the_last_row(tmp_path: Path) -> None:
    data = tmp_path / "data"
    total = 202_599
    arrays = {
        name: np.random.default_rng(seed).normal(size=(total, 3)).astype(np.float32)
        for seed, name in enumerate(("pca", "umap"))
    }
    for name, array in arrays.items():
        legacy_pickles.write(data / "pickles" / f"celeba_features_{name}_reduced.pickle", array)
    service = Service(data).start(warm=False)
    try:
        info = service.get("/dataset/info").json()
        assert info["total"] == total
        assert info["ranges"]["000"] == [0, 999]
        assert info["ranges"]["202"] == [202_000, 202_598]
        for name, array in arrays.items():
            answer = service.get(f"/{name}/000/202/standalone").json()
            assert answer["total"] == total
            assert len(answer["tilemap_ids"]) == 203
            assert np.array_equal(np.array(answer["features"], np.float32), array)
        web = service.child("web")
        (process,) = (int(pid) for pid in Path(f"/proc/{web}/task/{web}/children").read_text().split())
        assert memory(process) < 300e6
    finally:
        service.stop()


def test_stopping_ends_every_process_and_starting_again_is_quick(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start(warm=False)
    children = list(service.children().values())
    assert service.stop() == 0
    assert not any(alive(pid) for pid in children)
    service.start(warm=False)
    service.stop()


def test_two_services_do_not_share_a_data_folder(service: Service) -> None:
    other = Service(service.data)
    with pytest.raises(AssertionError, match="Another server works on"):
        other.start()
    other.process = None


def test_a_poisoned_pickle_stops_the_start_with_a_sentence_and_never_runs(tmp_path: Path) -> None:
    data, trace = tmp_path / "data", tmp_path / "trace"
    (data / "pickles").mkdir(parents=True)
    poison = f"cos\nsystem\n(S'touch {trace}'\ntR.".encode()
    for name in ("pca", "umap"):
        (data / "pickles" / f"celeba_features_{name}_reduced.pickle").write_bytes(poison)
    service = Service(data)
    with pytest.raises(AssertionError, match="names os.system, and only NumPy arrays are admitted"):
        service.start(warm=False)
    assert not trace.exists()


def memory(pid: int) -> float:
    """Resident bytes of a process."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return float(fields["VmRSS"].split()[0]) * 1024
