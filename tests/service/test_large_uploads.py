"""Uploads of more than 1000 pictures, by way of the service's own processes: nobody waits for them, and a kill costs
time alone."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.test_queue import described
from tests.support.pictures import photograph, zipped
from tests.support.service import Service, children_of, command_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the process tree from /proc")

COUNT = 1100


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "data").start()
    yield running
    running.stop()


def computing(service: Service) -> list[int]:
    """The process beside the worker, if it runs."""
    return [pid for pid in children_of(service.child("worker")) if "compute_results" in command_of(pid)]


def test_others_do_not_wait_for_them_and_a_kill_costs_time_alone(service: Service) -> None:
    archive = zipped({f"{k:04d}.jpg": photograph(k, (48, 40)) for k in range(COUNT)})
    answer = service.upload(archive, path="/dataset?limit=all", prefer="respond-async")
    assert answer.status == 202, answer.body
    large = answer.json()["id"]
    assert answer.json()["expected"] == COUNT
    service.wait_for(lambda: described(service, large)["progress"] > 0.02)

    # One that a client waits for, and a search, are done before it.
    assert service.get("/status").status == 200
    small = service.upload(zipped({f"{k}.jpg": photograph(k) for k in range(5)}))
    assert small.status == 200
    found = service.upload(photograph(2), path=f"/search?in={small.body.decode()}")
    assert found.json()["neighbors"][0]["index"] == 2
    assert described(service, large)["status"] == "processing"
    assert service.get(f"/dataset/{large}/info").status == 404

    service.wait_for(lambda: len(computing(service)) == 1)
    (process,) = computing(service)
    os.kill(process, signal.SIGKILL)
    service.wait_for(lambda: computing(service) not in ([], [process]))
    service.wait_for(lambda: described(service, large)["status"] == "ready", 180)
    account = described(service, large)
    assert account["count"] == COUNT
    assert service.get(f"/dataset/{large}/info").json()["ranges"] == {"000": [0, 999], "001": [1000, COUNT - 1]}
    assert service.get(f"/dataset/{large}/tilemaps/001").status == 200
    service.wait_for(lambda: computing(service) == [], 20)
