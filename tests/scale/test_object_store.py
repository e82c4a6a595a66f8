"""Hosts that share a database and an object store, and nothing else: each has a disk of its own."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.pictures import photograph, zipped
from tests.support.s3_server import S3Server
from tests.support.service import Service

pytestmark = pytest.mark.scale

pytest.importorskip("psycopg", reason="it comes with: make test-scale")

RESULTS = ("features/pca", "features/umap", "tilemap", "tilemap/manifest", "features/network", "images", "report")
UPLOADS, KILLS, AWAY_SECONDS = 40, 32, 10


@dataclass
class Worker:
    """One on a host of its own, without a supervisor."""

    data: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def start(self) -> "Worker":
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {**self.environment, "DATA_DIR": str(self.data)}
        with self.data.with_suffix(".log").open("ab") as log:
            command = [sys.executable, "manage.py", "worker"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Hosts:
    webs: list[Service]
    workers: list[Worker]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.webs[0].rows(query)

    def wait_for_workers(self) -> None:
        """Until all are ready; those that ended by themselves are started again, as by systemd."""

        def are_ready() -> bool:
            for worker in self.workers:
                if worker.process is not None and worker.process.poll() is not None:
                    worker.start()
            ready = "SELECT 1 FROM datasets_workerstate WHERE ready AND beat_at > now() - interval '3 seconds'"
            return len(self.rows(ready)) >= len(self.workers)

        self.wait_for(are_ready, 240)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)

    def output(self) -> str:
        logs = [service.log for service in self.webs] + [worker.data.with_suffix(".log") for worker in self.workers]
        return "\n".join(f"--- {log.name}\n{log.read_text()[-4000:]}" for log in logs if log.exists())


@pytest.fixture
def hosts(tmp_path: Path, shared: dict[str, str]) -> Iterator[Hosts]:
    webs = [Service(tmp_path / f"web-{k}", shared, command=("serve", "--web")) for k in (1, 2)]
    workers = [Worker(tmp_path / f"worker-{k}", webs[0].environment()) for k in (1, 2)]
    running = Hosts(webs, workers)
    try:
        with ThreadPoolExecutor() as pool:  # both make the tables of one database
            list(pool.map(lambda service: service.start(warm=False), webs))
        for worker in workers:
            worker.start()
        running.wait_for_workers()
        yield running
    finally:
        for worker in workers:
            worker.kill()
        for service in webs:
            service.stop()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Service]:
    """One machine."""
    service = Service(tmp_path / "plain").start()
    yield service
    service.stop()


def archive(seed: int, count: int) -> bytes:
    return zipped({f"{k}.jpg": photograph(100 * seed + k) for k in range(count)})


def results(service: Service, dataset: str) -> dict[str, bytes]:
    answers = {result: service.get(f"/dataset/{dataset}/{result}") for result in RESULTS}
    assert {answer.status for answer in answers.values()} == {200}, {r: a.body[:300] for r, a in answers.items()}
    return {result: answer.body for result, answer in answers.items()}


def put(service: Service, path: str, body: dict[str, Any], **headers: str) -> int:
    data = json.dumps(body).encode()
    request = urllib.request.Request(service.url(path), data, {"Content-Type": "application/json", **headers})
    request.method = "PUT"
    return service.send(request).status


def test_what_one_host_takes_another_computes_and_a_third_serves(hosts: Hosts, plain: Service) -> None:
    first, second = hosts.webs
    content = archive(1, 12)
    answer = first.upload(content)
    assert answer.status == 200, answer.body
    dataset = answer.body.decode()
    assert plain.upload(content).body.decode() == dataset
    assert results(second, dataset) == results(first, dataset) == results(plain, dataset)
    # The file itself lies in the archive, of which the second host has no copy.
    path = f"/dataset/{dataset}/images/3"
    assert second.get(path).body == plain.get(path).body
    assert not list(second.data.glob(f"datasets/{dataset}/*.zip"))
    tags = [service.get(f"/dataset/{dataset}/tilemap").headers["ETag"] for service in hosts.webs]
    assert tags[0] == tags[1]
    found = second.upload(photograph(103), "me.jpg", path=f"/search?in={dataset}&k=1")
    assert found.status == 200, found.body
    assert found.json()["neighbors"][0]["name"] == "3.jpg"
    # Sent again to the other host, it is there.
    assert second.upload(content).body.decode() == dataset
    assert hosts.rows("SELECT attempts FROM datasets_dataset") == [(1,)]

    view = {"views": [{"name": "Cats", "note": "", "state": "view=pca"}]}
    assert put(first, f"/dataset/{dataset}/views", view) == 200
    found = second.get(f"/dataset/{dataset}/views")
    assert [each["name"] for each in found.json()["views"]] == ["Cats"]
    assert put(second, f"/dataset/{dataset}/views", {"views": []}, **{"If-Match": found.headers["ETag"]}) == 200
    assert put(first, f"/dataset/{dataset}/views", view, **{"If-Match": found.headers["ETag"]}) == 412

    deleted = urllib.request.Request(second.url(f"/dataset/{dataset}"), method="DELETE")
    assert second.send(deleted).status == 204
    assert first.get(f"/dataset/{dataset}/tilemap").status == 404
    assert hosts.rows("SELECT 1 FROM datasets_storedfolder WHERE name LIKE 'datasets/%'") == []


def test_catalogues_follow_on_every_host(hosts: Hosts) -> None:
    first, second = hosts.webs
    first.manage("build_demo")
    hosts.wait_for(lambda: second.get("/dataset/info").json() == first.get("/dataset/info").json(), 30)
    for path in ("/pca/0/1/standalone", "/tilemaps/001", "/catalogue/images?limit=5", "/catalogue/clusters"):
        answers = [service.get(path) for service in hosts.webs]
        assert [answer.status for answer in answers] == [200, 200], path
        assert answers[0].body == answers[1].body, path
    near = [service.get("/catalogue/images/7/neighbors") for service in hosts.webs]
    assert near[0].status == 200
    assert near[0].body == near[1].body
    view = {"views": [{"name": "Sevens", "note": "", "state": "view=umap"}]}
    assert put(second, "/catalogue/views", view) == 200
    hosts.wait_for(lambda: len(first.get("/catalogue/views").json()["views"]) == 1, 30)


@pytest.mark.timeout(1800)  # a worker warms up after every second kill
def test_whatever_is_killed_nothing_is_lost_or_done_twice(hosts: Hosts, plain: Service, s3_server: S3Server) -> None:
    archives = [archive(10 + k, 6) for k in range(UPLOADS)]
    datasets = [sent(hosts.webs[k % 2], content, f"{k}.zip") for k, content in enumerate(archives[: UPLOADS // 2])]
    kills = 0
    while kills < KILLS:
        victim = hosts.workers[kills // 2 % 2] if kills % 2 else hosts.webs[kills // 2 % 2]
        if isinstance(victim, Worker):
            hosts.wait_for_workers()  # each attempt has its time: after three an upload is given up
            time.sleep(1.5)
            victim.kill()
            victim.start()
        elif (pid := victim.children().get("web")) is not None:
            os.kill(pid, signal.SIGKILL)
        if len(datasets) < UPLOADS:
            k = len(datasets)
            datasets.append(sent(hosts.webs[k % 2], archives[k], f"{k}.zip"))
        kills += 1
        if kills == KILLS // 2:
            s3_server.kill()
            time.sleep(AWAY_SECONDS)
            s3_server.start()
    datasets += [sent(hosts.webs[k % 2], archives[k], f"{k}.zip") for k in range(len(datasets), UPLOADS)]

    def ended() -> bool:
        hosts.wait_for_workers()
        return not hosts.rows("SELECT 1 FROM datasets_dataset WHERE status IN ('queued', 'processing')")

    hosts.wait_for(ended, 600)
    assert hosts.rows("SELECT hash, error FROM datasets_dataset WHERE status <> 'ready'") == []
    assert hosts.rows("SELECT count(*) FROM datasets_dataset") == [(len(datasets),)]
    hosts.wait_for(lambda: all(service.health() for service in hosts.webs))
    assert not hosts.rows("SELECT 1 FROM datasets_busyflag WHERE expires_at > now()")
    for k, (dataset, content) in enumerate(zip(datasets, archives, strict=True)):
        assert plain.upload(content, f"{k}.zip").body.decode() == dataset
        assert results(hosts.webs[k % 2], dataset) == results(plain, dataset)


def sent(service: Service, content: bytes, name: str) -> str:
    """As a client does that sends again what was not answered."""
    deadline = time.monotonic() + 120
    while True:
        with suppress(OSError):
            answer = service.upload(content, name, Prefer="respond-async")
            if answer.status in (200, 202):
                return str(answer.json()["id"])
            assert answer.status in (429, 502, 503), answer.body
        assert time.monotonic() < deadline, service.output()
        time.sleep(0.5)


def test_a_store_that_is_away_is_told_and_waited_for(hosts: Hosts, s3_server: S3Server) -> None:
    first, second = hosts.webs
    ready = first.upload(archive(3, 6)).body.decode()
    queued = sent(first, archive(4, 200), "waits.zip")
    hosts.wait_for(lambda: bool(hosts.rows("SELECT 1 FROM datasets_dataset WHERE status = 'processing'")))
    s3_server.kill()
    try:
        away = second.get(f"/dataset/{ready}/features/pca")
        assert away.status == 503
        assert away.json()["type"] == "urn:wwzd:error:storage-away"
        assert int(away.headers["Retry-After"]) > 0
        assert first.get(f"/dataset/{ready}/features/pca").status in (200, 503)
        assert first.upload(archive(5, 6)).status == 503
        time.sleep(AWAY_SECONDS)
    finally:
        s3_server.start()
    hosts.wait_for(lambda: second.get(f"/dataset/{queued}").json()["status"] == "ready")
    assert hosts.rows(f"SELECT attempts FROM datasets_dataset WHERE hash = '{queued}'") == [(1,)]
    assert second.get(f"/dataset/{ready}/features/pca").status == 200
    assert first.upload(archive(5, 6)).status == 200
