"""Work that hangs ends its process, and is told from work that only takes long."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from datasets.models import Dataset, Status, WorkerState
from datasets.uploads import processing, recovery
from datasets.uploads.watchdog import Watchdog, watchdog
from tests.support.paths import ROOT

HANGS = """
import time
from datasets.uploads.watchdog import watchdog
watchdog.start()
for _ in range(5):
    watchdog.expect(3.0, "a long sleep")
print("moved", flush=True)
time.sleep(60)
"""
MOVES = """
import time
from datasets.uploads.watchdog import watchdog
watchdog.start()
with watchdog.expecting(2.5, "steps"):
    for _ in range(6):
        time.sleep(0.5)
        watchdog.expect(2.5, "steps")
time.sleep(3)
"""


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_work_that_moves_may_take_as_long_as_it_likes() -> None:
    assert run(MOVES).returncode == 0


def test_work_that_hangs_ends_its_process() -> None:
    ended = run(HANGS)
    assert ended.stdout == "moved\n"
    assert ended.returncode == -signal.SIGKILL
    assert "a long sleep does not move any more" in ended.stderr


def test_unwanted_work_gets_less_time() -> None:
    dog = Watchdog()
    dog.hurry(0)
    assert dog.late() == ""
    dog.expect(60, "work")
    dog.hurry(-1)
    assert dog.late() == "work"
    dog.rest()
    assert dog.late() == ""


@pytest.mark.django_db(transaction=True)
def test_a_deleted_dataset_hurries_its_work() -> None:
    dataset = Dataset.objects.create(hash="0" * 31 + "a", status=Status.QUEUED)
    assert dataset.claim("worker")
    report = processing.Report(dataset)
    report.stage("umap")
    try:
        assert not watchdog._deadline or watchdog._deadline > time.monotonic() + 60
        Dataset.objects.filter(pk=dataset.pk).delete()
        report.beat()
        assert watchdog._deadline
        assert watchdog._deadline < time.monotonic() + 15
        with pytest.raises(processing._NotWanted):
            report.progress(0.5)
    finally:
        watchdog.rest()


@pytest.mark.django_db
def test_a_silent_worker_and_a_large_one_are_found_out(settings: Settings) -> None:
    WorkerState.objects.beat("worker", ready=True, engine="")
    assert recovery.what_is_wrong("worker", os.getpid()) == ""
    assert recovery.memory_of(os.getpid()) > 10_000_000
    settings.WORKER_MB = 1
    assert "over the limit of 1 MiB" in recovery.what_is_wrong("worker", os.getpid())
    WorkerState.objects.update(beat_at=timezone.now() - timedelta(seconds=90))
    assert "no sign of life" in recovery.what_is_wrong("worker", os.getpid())
    assert "no sign" not in recovery.what_is_wrong("another", os.getpid())
