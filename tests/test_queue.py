"""Uploads that nobody waits for, by way of the service's own processes: their order, and what survives a kill."""

import os
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .pictures import photograph, zipped
from .service import Answer, Service
from .test_service import assert_nothing_is_left_over, in_background

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(tmp_path_factory.mktemp("queue") / "data", {"MAX_QUEUE": "4"}).start()
    yield running
    running.stop()


def archive(seed: int, count: int) -> bytes:
    """120 pictures are about a second of work."""
    return zipped({f"{k:03d}.jpg": photograph(1000 * seed + k) for k in range(count)})


def send(service: Service, content: bytes) -> Answer:
    return service.upload(content, prefer="respond-async")


def told(service: Service, identity: str) -> Any:
    return service.get(f"/dataset/{identity}").json()


def accepted(service: Service, content: bytes) -> str:
    answer = send(service, content)
    assert answer.status == 202, answer.body
    assert answer.headers["Location"] == f"/dataset/{answer.json()['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert int(answer.headers["Retry-After"]) > 0
    return str(answer.json()["id"])


def wait_until_ready(service: Service, *identities: str) -> None:
    service.wait_for(lambda: all(told(service, identity)["status"] == "ready" for identity in identities))


def delete(service: Service, identity: str) -> int:
    return service.send(urllib.request.Request(service.url(f"/dataset/{identity}"), method="DELETE")).status


def test_queued_uploads_are_worked_off_in_order_and_never_make_the_server_busy(service: Service) -> None:
    identities = [accepted(service, archive(seed, 120)) for seed in range(4)]
    seen: dict[str, set[str]] = {identity: set() for identity in identities}
    done: list[str] = []
    while len(done) < len(identities):
        assert service.get("/status").status == 200
        for identity in identities:
            account = told(service, identity)
            seen[identity] |= set(account["reducers"]) if account["status"] == "processing" else set()
            assert 0 <= account["progress"] <= 1
            if account["status"] == "ready" and identity not in done:
                done.append(identity)
            assert account["status"] != "failed", account
    assert done == identities
    account = told(service, identities[-1])
    assert account["count"] == 120
    assert account["queue_position"] is None


def test_the_same_upload_is_queued_once(service: Service) -> None:
    content = archive(10, 240)
    identity = accepted(service, content)
    assert send(service, content).json()["id"] == identity
    assert service.get("/dataset?limit=1000").json()["total"] == len(
        {entry["id"] for entry in service.get("/dataset?limit=1000").json()["datasets"]}
    )
    wait_until_ready(service, identity)
    answer = send(service, content)
    assert (answer.status, answer.json()["status"]) == (200, "ready")


def test_an_awaited_upload_goes_before_the_queued_ones(service: Service) -> None:
    queued = [accepted(service, archive(20 + seed, 240)) for seed in range(4)]
    answer = service.upload(archive(30, 12))
    assert answer.status == 200
    wait_until_ready(service, *queued)
    ended = [told(service, identity)["finished_at"] for identity in (answer.body.decode(), *queued)]
    assert ended[0] < ended[2]
    assert ended[1:] == sorted(ended[1:])


def test_an_awaited_upload_of_a_queued_archive_is_answered_when_that_is_done(service: Service) -> None:
    first, content = accepted(service, archive(40, 240)), archive(41, 60)
    queued = accepted(service, archive(42, 240))
    identity = accepted(service, content)
    answer = service.upload(content)
    assert (answer.status, answer.body.decode()) == (200, identity)
    wait_until_ready(service, first, queued)
    assert told(service, identity)["finished_at"] < told(service, queued)["finished_at"]


def test_a_full_queue_is_refused(service: Service) -> None:
    answers = [send(service, archive(50 + seed, 240)) for seed in range(7)]
    assert [answer.status for answer in answers[:4]] == [202] * 4
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    for answer in answers:
        if answer.status == 202:
            assert delete(service, answer.json()["id"]) == 204
    assert service.upload(archive(59, 12)).status == 200
    assert_nothing_is_left_over(service)


def test_deleting_stops_the_work_and_leaves_nothing(service: Service) -> None:
    identity = accepted(service, archive(60, 1000))
    service.wait_for(lambda: told(service, identity)["progress"] > 0.05)
    assert delete(service, identity) == 204
    assert service.get(f"/dataset/{identity}").status == 404
    # The worker is free again: it would take much longer for the rest of the thousand.
    later = accepted(service, archive(61, 12))
    service.wait_for(lambda: told(service, later)["status"] == "ready")
    service.wait_for(lambda: not (service.data / "datasets" / identity).exists(), 5)
    assert_nothing_is_left_over(service)


def test_an_upload_deleted_and_sent_again_is_computed(service: Service) -> None:
    content = archive(62, 500)
    identity = accepted(service, content)
    service.wait_for(lambda: told(service, identity)["progress"] > 0.05)
    assert delete(service, identity) == 204
    assert accepted(service, content) == identity
    wait_until_ready(service, identity)
    assert told(service, identity)["count"] == 500
    assert service.get(f"/dataset/{identity}/features/umap").json()["total"] == 500


def test_a_killed_worker_begins_again_with_what_nobody_waits_for(service: Service) -> None:
    first, second = accepted(service, archive(70, 500)), accepted(service, archive(71, 12))
    service.wait_for(lambda: told(service, first)["progress"] > 0.05)
    os.kill(service.children()["worker"], signal.SIGKILL)
    service.wait_for(lambda: told(service, first)["status"] == "queued" or told(service, first)["progress"] < 0.05)
    order: list[str] = []
    while len(order) < 2:
        order += [one for one in (first, second) if one not in order and told(service, one)["status"] == "ready"]
        assert "failed" not in {told(service, one)["status"] for one in (first, second)}
    assert order == [first, second]
    assert_nothing_is_left_over(service)


def test_an_upload_that_kills_its_worker_each_time_is_given_up(service: Service) -> None:
    identity = accepted(service, archive(80, 1000))
    for _ in range(3):
        service.wait_for(lambda: told(service, identity)["status"] == "processing")
        worker = service.children()["worker"]
        os.kill(worker, signal.SIGKILL)
        service.wait_for(lambda worker=worker: service.children().get("worker", worker) != worker)
    service.wait_for(lambda: told(service, identity)["status"] == "failed")
    assert "worker died" in told(service, identity)["error"]
    assert delete(service, identity) == 204
    assert_nothing_is_left_over(service)


def test_the_queue_survives_a_kill_of_everything(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    contents = [archive(90, 500), archive(91, 12), archive(92, 12)]
    identities = [accepted(service, content) for content in contents]
    service.wait_for(lambda: told(service, identities[0])["progress"] > 0.05)
    thread, _ = in_background(service, archive(93, 12))
    service.wait_for(lambda: service.get("/status").status == 503)
    time.sleep(0.3)
    service.kill()
    thread.join(60)
    service.start()
    wait_until_ready(service, *identities)
    with sqlite3.connect(service.data / "db.sqlite3") as database:
        rows = database.execute("select hash, finished_at from datasets_dataset where status = 'ready'").fetchall()
        failed = database.execute("select error from datasets_dataset where status = 'failed'").fetchall()
    database.close()
    assert [identity for identity, _ in sorted(rows, key=lambda row: row[1])] == identities
    assert len(failed) == 1  # the one that a client waited for
    assert_nothing_is_left_over(service)
    assert service.stop() == 0
