"""The service on PostgreSQL: the same answers, several workers, and what remains of work when anything is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.postgresql import Server
from tests.support.service import Service

pytestmark = pytest.mark.scale

pytest.importorskip("psycopg", reason="it comes with: make test-scale")

RESULTS = ("features/pca", "features/umap", "tilemap", "tilemap/manifest", "features/network")


def archive(seed: int, count: int = 8) -> bytes:
    return zipped({f"{k}.jpg": photograph(100 * seed + k) for k in range(count)})


def queue(service: Service, content: bytes, name: str = "photos.zip") -> str:
    answer = service.upload(content, name, Prefer="respond-async")
    assert answer.status == 202, answer.body
    return str(answer.json()["id"])


def status_of(service: Service, dataset: str) -> str:
    answer = service.get(f"/dataset/{dataset}")
    return str(answer.json()["status"]) if answer.status == 200 else f"answer {answer.status}"


@contextmanager
def worker(service: Service) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts workers that belong to no server, on the service's data folder; each time another one."""
    started: list[subprocess.Popen[bytes]] = []
    environment = service.environment()

    def start() -> "subprocess.Popen[bytes]":
        with service.log.open("ab") as log:
            command = [sys.executable, "manage.py", "worker"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def service(tmp_path: Path, scaled: dict[str, str]) -> Iterator[Service]:
    running = Service(tmp_path / "scaled", scaled).start()
    yield running
    running.stop()


def test_results_are_those_of_the_service_on_sqlite(service: Service, tmp_path: Path) -> None:
    plain = Service(tmp_path / "plain").start()
    try:
        content = archive(1)
        answers = [each.upload(content) for each in (service, plain)]
        assert [answer.status for answer in answers] == [200, 200]
        dataset = answers[0].body.decode()
        assert dataset == answers[1].body.decode()
        for result in RESULTS:
            first, second = (each.get(f"/dataset/{dataset}/{result}") for each in (service, plain))
            assert first.status == second.status == 200
            assert first.body == second.body, result
    finally:
        plain.stop()
    assert not (service.data / "db.sqlite3").exists()


def test_a_restart_of_the_database_loses_nothing(service: Service, database_server: Server) -> None:
    before = service.children()
    dataset = queue(service, archive(2, 400))
    service.wait_for(lambda: status_of(service, dataset) == "processing")
    database_server.stop()
    away = service.get(f"/dataset/{dataset}")
    assert away.status == 503
    assert away.json()["type"] == "urn:wwzd:error:database-away"
    assert int(away.headers["Retry-After"]) > 0
    assert service.upload(archive(3)).status == 503
    time.sleep(7)  # longer than it takes a supervisor to give up what cannot start
    database_server.start()
    service.wait_for(lambda: status_of(service, dataset) == "ready", 120)
    assert service.rows("SELECT attempts FROM datasets_dataset") == [(1,)]
    assert service.children() == before
    assert service.upload(archive(3)).status == 200
    # The supervisor has another connection, too: it tells how its worker is, and what a dead one left.
    earlier = service.output().count("cannot be told")
    later = queue(service, archive(5, 400))
    service.wait_for(lambda: status_of(service, later) == "processing")
    os.kill(before["worker"], signal.SIGKILL)
    service.wait_for(lambda: status_of(service, later) == "ready")
    assert service.rows("SELECT attempts FROM datasets_dataset ORDER BY created_at DESC LIMIT 1") == [(2,)]
    assert service.output().count("cannot be told") == earlier


def test_what_another_worker_computes_is_its_own(service: Service) -> None:
    """A server's start gives up what it had begun itself, and nothing of others that live."""
    with worker(service) as start:
        start()
        service.wait_for(lambda: len(service.rows("SELECT 1 FROM datasets_workerstate WHERE ready")) == 2)
        own = service.pause_worker()  # the other one is to take it
        dataset = queue(service, archive(4, 400))
        service.wait_for(lambda: status_of(service, dataset) == "processing")
        os.kill(own, signal.SIGCONT)
        service.kill()
        service.start(warm=False)
        service.wait_for(lambda: status_of(service, dataset) == "ready")
        assert service.rows("SELECT attempts FROM datasets_dataset") == [(1,)]
        service.wait_for(lambda: service.worker_state() == "ready")


@pytest.mark.timeout(900)  # two workers warm up after each kill
def test_whatever_is_killed_every_upload_is_computed_once(service: Service) -> None:
    archives = [archive(10 + k, 150) for k in range(18)]
    datasets: list[str] = []
    with worker(service) as start:
        other, since = start(), "-infinity"

        def are_ready() -> bool:
            """Both workers, not one that has just been killed. Each attempt has its time: three are an upload's."""
            nonlocal other
            if other.poll() is not None:
                other = start()
            beats = f"SELECT 1 FROM datasets_workerstate WHERE ready AND beat_at > '{since}'"
            alive = service.rows(f"{beats} AND beat_at > now() - interval '3 seconds'")
            return len(alive) == 2 and service.health() is not None

        for k in range(9):
            service.wait_for(are_ready, 240)
            datasets += [queue(service, archives[at], f"{at}.zip") for at in (2 * k, 2 * k + 1)]
            service.wait_for(lambda sent=datasets[-2:]: "processing" in {status_of(service, each) for each in sent})
            victim = ("worker", "other", "web")[k % 3]
            if victim == "other":
                other.kill()
                other.wait()
            else:
                pid = service.child(victim)
                os.kill(pid, signal.SIGKILL)
                service.wait_for(lambda name=victim, pid=pid: service.children().get(name, pid) != pid)
            ((since,),) = service.rows("SELECT now()::text")
        service.wait_for(are_ready, 240)
        service.wait_for(lambda: {status_of(service, dataset) for dataset in datasets} == {"ready"}, 240)
        assert service.rows("SELECT 1 FROM datasets_dataset WHERE attempts > 1"), "nothing was killed at its work"
    assert service.rows("SELECT count(*) FROM datasets_dataset") == [(len(datasets),)]
    running = "SELECT 1 FROM django_tasks_database_dbtaskresult WHERE status = 'RUNNING'"
    service.wait_for(lambda: not service.rows(running), 60)


def test_a_second_server_with_another_data_folder_is_refused(
    service: Service, scaled: dict[str, str], tmp_path: Path
) -> None:
    second = Service(tmp_path / "second", scaled)
    with pytest.raises(AssertionError, match="Another server works on the database"):
        second.start()
    assert service.worker_state() == "ready"


def test_commands_say_what_a_database_lacks(tmp_path: Path, scaled: dict[str, str]) -> None:
    settings = {**scaled, "STORAGE_URL": f"file://{tmp_path / 'store'}"}
    with pytest.raises(AssertionError, match="^CommandError: The database lacks tables of this version") as refusal:
        Service(tmp_path / "data", settings).manage("build_demo")
    assert "Traceback" not in str(refusal.value)
    settings["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/nothing"
    with pytest.raises(AssertionError, match="CommandError: The database that DATABASE_URL names cannot be reached"):
        Service(tmp_path / "data", settings).manage("build_demo")
