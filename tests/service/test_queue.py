"""Uploads that nobody waits for, by way of the service's own processes: their order, and what survives a kill."""

import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.test_service import assert_nothing_is_left_over, in_background
from tests.support.pictures import photograph, zipped
from tests.support.service import Answer, Service

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


def described(service: Service, dataset_id: str) -> Any:
    return service.get(f"/dataset/{dataset_id}").json()


def accepted(service: Service, content: bytes) -> str:
    answer = send(service, content)
    assert answer.status == 202, answer.body
    assert answer.headers["Location"] == f"/dataset/{answer.json()['id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert int(answer.headers["Retry-After"]) > 0
    return str(answer.json()["id"])


def wait_until_ready(service: Service, *dataset_ids: str) -> None:
    service.wait_for(lambda: all(described(service, dataset_id)["status"] == "ready" for dataset_id in dataset_ids))


def delete(service: Service, dataset_id: str) -> int:
    return service.send(urllib.request.Request(service.url(f"/dataset/{dataset_id}"), method="DELETE")).status


def test_queued_uploads_are_worked_off_in_order_and_never_make_the_server_busy(service: Service) -> None:
    dataset_ids = [accepted(service, archive(seed, 120)) for seed in range(4)]
    seen: dict[str, set[str]] = {dataset_id: set() for dataset_id in dataset_ids}
    done: list[str] = []
    while len(done) < len(dataset_ids):
        assert service.get("/status").status == 200
        for dataset_id in dataset_ids:
            account = described(service, dataset_id)
            seen[dataset_id] |= set(account["reducers"]) if account["status"] == "processing" else set()
            assert 0 <= account["progress"] <= 1
            if account["status"] == "ready" and dataset_id not in done:
                done.append(dataset_id)
            assert account["status"] != "failed", account
    assert done == dataset_ids
    account = described(service, dataset_ids[-1])
    assert account["count"] == 120
    assert account["queue_position"] is None


def test_the_same_upload_is_queued_once(service: Service) -> None:
    content = archive(10, 240)
    dataset_id = accepted(service, content)
    assert send(service, content).json()["id"] == dataset_id
    assert service.get("/dataset?limit=1000").json()["total"] == len(
        {entry["id"] for entry in service.get("/dataset?limit=1000").json()["datasets"]}
    )
    wait_until_ready(service, dataset_id)
    answer = send(service, content)
    assert (answer.status, answer.json()["status"]) == (200, "ready")


def test_a_synchronous_upload_goes_before_queued_ones(service: Service) -> None:
    queued = [accepted(service, archive(20 + seed, 240)) for seed in range(4)]
    answer = service.upload(archive(30, 12))
    assert answer.status == 200
    wait_until_ready(service, *queued)
    ended = [described(service, dataset_id)["finished_at"] for dataset_id in (answer.body.decode(), *queued)]
    assert ended[0] < ended[2]
    assert ended[1:] == sorted(ended[1:])


def test_a_synchronous_upload_of_a_queued_archive_is_answered_when_that_is_done(service: Service) -> None:
    first, content = accepted(service, archive(40, 240)), archive(41, 60)
    queued = accepted(service, archive(42, 240))
    dataset_id = accepted(service, content)
    answer = service.upload(content)
    assert (answer.status, answer.body.decode()) == (200, dataset_id)
    wait_until_ready(service, first, queued)
    assert described(service, dataset_id)["finished_at"] < described(service, queued)["finished_at"]


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
    dataset_id = accepted(service, archive(60, 1000))
    service.wait_for(lambda: described(service, dataset_id)["progress"] > 0.05)
    assert delete(service, dataset_id) == 204
    assert service.get(f"/dataset/{dataset_id}").status == 404
    # The worker is free again: it would take much longer for the rest of the thousand.
    later = accepted(service, archive(61, 12))
    service.wait_for(lambda: described(service, later)["status"] == "ready")
    service.wait_for(lambda: not (service.data / "datasets" / dataset_id).exists(), 5)
    assert_nothing_is_left_over(service)


def test_an_upload_deleted_and_sent_again_is_computed(service: Service) -> None:
    content = archive(62, 500)
    dataset_id = accepted(service, content)
    service.wait_for(lambda: described(service, dataset_id)["progress"] > 0.05)
    assert delete(service, dataset_id) == 204
    assert accepted(service, content) == dataset_id
    wait_until_ready(service, dataset_id)
    assert described(service, dataset_id)["count"] == 500
    assert service.get(f"/dataset/{dataset_id}/features/umap").json()["total"] == 500


def test_a_killed_worker_begins_again_with_what_nobody_waits_for(service: Service) -> None:
    first, second = accepted(service, archive(70, 500)), accepted(service, archive(71, 12))
    service.wait_for(lambda: described(service, first)["progress"] > 0.05)
    os.kill(service.children()["worker"], signal.SIGKILL)
    service.wait_for(
        lambda: described(service, first)["status"] == "queued" or described(service, first)["progress"] < 0.05
    )
    order: list[str] = []
    while len(order) < 2:
        order += [one for one in (first, second) if one not in order and described(service, one)["status"] == "ready"]
        assert "failed" not in {described(service, one)["status"] for one in (first, second)}
    assert order == [first, second]
    assert_nothing_is_left_over(service)


def test_an_upload_that_kills_its_worker_each_time_is_given_up(service: Service) -> None:
    dataset_id = accepted(service, archive(80, 1000))
    for _ in range(3):
        service.wait_for(lambda: described(service, dataset_id)["status"] == "processing")
        worker = service.children()["worker"]
        os.kill(worker, signal.SIGKILL)
        service.wait_for(lambda worker=worker: service.children().get("worker", worker) != worker)
    service.wait_for(lambda: described(service, dataset_id)["status"] == "failed")
    assert "worker died" in described(service, dataset_id)["error"]
    assert delete(service, dataset_id) == 204
    assert_nothing_is_left_over(service)


def test_the_queue_survives_a_kill_of_everything(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    contents = [archive(90, 500), archive(91, 12), archive(92, 12)]
    dataset_ids = [accepted(service, content) for content in contents]
    service.wait_for(lambda: described(service, dataset_ids[0])["progress"] > 0.05)
    thread, _ = in_background(service, archive(93, 12))
    service.wait_for(lambda: service.get("/status").status == 503)
    time.sleep(0.3)
    service.kill()
    thread.join(60)
    service.start()
    wait_until_ready(service, *dataset_ids)
    rows = service.rows("select hash, finished_at from datasets_dataset where status = 'ready'")
    failed = service.rows("select error from datasets_dataset where status = 'failed'")
    assert [dataset_id for dataset_id, _ in sorted(rows, key=lambda row: row[1])] == dataset_ids
    assert len(failed) == 1  # the one that a client waited for
    assert_nothing_is_left_over(service)
    assert service.stop() == 0
