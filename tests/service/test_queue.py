"""Uploads that nobody waits for, by way of the service's own processes: their order, and what survives a kill."""

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasets.uploads.tasks import AWAITED
from tests.service.test_service import answer_of, assert_nothing_is_left_over, in_background, wait_until_taken
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
    def are_ready() -> bool:
        found = {described(service, dataset_id)["status"] for dataset_id in dataset_ids}
        assert "failed" not in found
        return found == {"ready"}

    service.wait_for(are_ready, 240)


def wait_until_begun(service: Service, dataset_id: str) -> None:
    service.wait_for(lambda: described(service, dataset_id)["progress"] > 0.05)


def wait_until_awaited(service: Service) -> None:
    """Until the worker is called to compute what a client waits for, before all that it is called for otherwise."""
    calls = f"select 1 from django_tasks_database_dbtaskresult where status = 'READY' and priority = {AWAITED}"
    service.wait_for(lambda: bool(service.rows(calls)), 30)


def ends(service: Service, *dataset_ids: str) -> list[str]:
    """When each was ready."""
    return [described(service, dataset_id)["finished_at"] for dataset_id in dataset_ids]


def delete(service: Service, dataset_id: str) -> int:
    return service.send(urllib.request.Request(service.url(f"/dataset/{dataset_id}"), method="DELETE")).status


def test_queued_uploads_are_worked_off_in_order_and_never_make_the_server_busy(service: Service) -> None:
    contents = [archive(seed, 120) for seed in range(4)]
    with service.paused_worker():
        dataset_ids = [accepted(service, content) for content in contents]
    statuses: set[str] = set()
    while statuses != {"ready"}:
        assert service.get("/status").status == 200
        accounts = [described(service, dataset_id) for dataset_id in dataset_ids]
        assert all(0 <= account["progress"] <= 1 for account in accounts)
        statuses = {account["status"] for account in accounts}
        assert "failed" not in statuses, accounts
    ended = ends(service, *dataset_ids)
    assert ended == sorted(ended)
    account = described(service, dataset_ids[-1])
    assert account["count"] == 120
    assert account["queue_position"] is None


def test_the_same_upload_is_queued_once(service: Service) -> None:
    content = archive(10, 240)
    with service.paused_worker():
        dataset_id = accepted(service, content)
        assert send(service, content).json()["id"] == dataset_id
        assert service.get("/dataset?limit=1000").json()["total"] == len(
            {entry["id"] for entry in service.get("/dataset?limit=1000").json()["datasets"]}
        )
    wait_until_ready(service, dataset_id)
    answer = send(service, content)
    assert (answer.status, answer.json()["status"]) == (200, "ready")


def test_a_synchronous_upload_goes_before_queued_ones(service: Service) -> None:
    contents, urgent = [archive(20 + seed, 240) for seed in range(4)], archive(30, 12)
    queued = [accepted(service, contents[0])]
    wait_until_begun(service, queued[0])
    with service.paused_worker():
        queued += [accepted(service, content) for content in contents[1:]]
        waiting = in_background(service, urgent)
        wait_until_awaited(service)
    answer = answer_of(*waiting)
    assert answer.status == 200
    wait_until_ready(service, *queued)
    ended = ends(service, answer.body.decode(), *queued)
    assert ended[0] < ended[2]
    assert ended[1:] == sorted(ended[1:])


def test_a_synchronous_upload_of_a_queued_archive_is_answered_when_that_is_done(service: Service) -> None:
    contents = [archive(40, 240), archive(42, 240), archive(41, 60)]
    first = accepted(service, contents[0])
    wait_until_begun(service, first)
    with service.paused_worker():
        queued, dataset_id = (accepted(service, content) for content in contents[1:])
        waiting = in_background(service, contents[2])
        wait_until_awaited(service)
    answer = answer_of(*waiting)
    assert (answer.status, answer.body.decode()) == (200, dataset_id)
    wait_until_ready(service, first, queued)
    ended = ends(service, dataset_id, queued)
    assert ended[0] < ended[1]


def test_a_full_queue_is_refused(service: Service) -> None:
    contents = [archive(50 + seed, 240) for seed in range(7)]
    with service.paused_worker():
        answers = [send(service, content) for content in contents]
    assert [answer.status for answer in answers] == [202] * 4 + [429] * 3
    assert int(answers[-1].headers["Retry-After"]) > 0
    for answer in answers:
        if answer.status == 202:
            assert delete(service, answer.json()["id"]) == 204
    assert service.upload(archive(59, 12)).status == 200
    assert_nothing_is_left_over(service)


def test_deleting_stops_the_work_and_leaves_nothing(service: Service) -> None:
    dataset_id = accepted(service, archive(60, 1000))
    wait_until_begun(service, dataset_id)
    assert delete(service, dataset_id) == 204
    assert service.get(f"/dataset/{dataset_id}").status == 404
    # The worker is free again: it would take much longer for the rest of the thousand.
    later = accepted(service, archive(61, 12))
    service.wait_for(lambda: described(service, later)["status"] == "ready")
    service.wait_for(lambda: not (service.data / "datasets" / dataset_id).exists(), 30)
    assert_nothing_is_left_over(service)


def test_an_upload_deleted_and_sent_again_is_computed(service: Service) -> None:
    content = archive(62, 500)
    dataset_id = accepted(service, content)
    wait_until_begun(service, dataset_id)
    assert delete(service, dataset_id) == 204
    assert accepted(service, content) == dataset_id
    wait_until_ready(service, dataset_id)
    assert described(service, dataset_id)["count"] == 500
    assert service.get(f"/dataset/{dataset_id}/features/umap").json()["total"] == 500


def test_a_killed_worker_begins_again_with_what_nobody_waits_for(service: Service) -> None:
    contents = [archive(70, 500), archive(71, 12)]
    with service.paused_worker():
        first, second = (accepted(service, content) for content in contents)
    wait_until_begun(service, first)
    os.kill(service.child("worker"), signal.SIGKILL)
    service.wait_for(
        lambda: described(service, first)["status"] == "queued" or described(service, first)["progress"] < 0.05
    )
    wait_until_ready(service, first, second)
    ended = ends(service, first, second)
    assert ended[0] < ended[1]
    assert_nothing_is_left_over(service)


@pytest.mark.timeout(900)  # three workers warm up
def test_an_upload_that_kills_its_worker_each_time_is_given_up(service: Service) -> None:
    dataset_id = accepted(service, archive(80, 1000))
    for _ in range(3):
        service.wait_for(lambda: described(service, dataset_id)["status"] == "processing")
        worker = service.child("worker")
        os.kill(worker, signal.SIGKILL)
        service.wait_for(lambda worker=worker: service.children().get("worker", worker) != worker)
    service.wait_for(lambda: described(service, dataset_id)["status"] == "failed")
    assert "worker died" in described(service, dataset_id)["error"]
    assert delete(service, dataset_id) == 204
    assert_nothing_is_left_over(service)


def test_the_queue_survives_a_kill_of_everything(tmp_path: Path) -> None:
    service = Service(tmp_path / "data").start()
    contents, awaited = [archive(90, 500), archive(91, 12), archive(92, 12)], archive(93, 12)
    with service.paused_worker():
        dataset_ids = [accepted(service, content) for content in contents]
    wait_until_begun(service, dataset_ids[0])
    with service.paused_worker():
        thread, _ = in_background(service, awaited)
        wait_until_taken(service)
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
