"""The one process that computes."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from datasets.catalogue import sharing
from datasets.catalogue.tilemap_prerendering import EVERY_SECONDS, TilemapPrerendering
from datasets.derived.process import ResultsProcess
from datasets.management.base import command_error
from datasets.models import WorkerState
from datasets.pictures import pipeline_settings
from datasets.storage.objects import StorageAway
from datasets.uploads import (
    disk_space,
    local_copies,
    outages,
    partial_upload,
    recovery,
    retention,
    tasks,
    worker_readiness,
)
from datasets.uploads.busy_flag import beating
from datasets.uploads.watchdog import STARTUP_SECONDS, watchdog
from wwzd.lifeline import die_with_supervisor

_LOOK_AROUND_SECONDS = 20
_DELETE_SECONDS = 3600
_SWEEP_SECONDS = 6 * 3600
"""The keys of all objects are listed for it."""
_AGAIN_SECONDS = 60


class Command(BaseCommand):
    help = (
        "Warm up the network and UMAP, then compute queued uploads one after the other until stopped. "
        "`manage.py serve` starts one of these and replaces it when it dies; start it yourself only to run the web "
        "process and the worker apart."
    )

    requires_system_checks = []  # they are made once there is a network

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_supervisor()
        try:
            self._work()
        except (DatabaseError, StorageAway, OSError) as error:
            found = outages.api_error(error)
            if found is None:
                if (refusal := command_error(error)) is not None:
                    raise refusal from error
                raise
            outages.make_way(found)
            with suppress(OSError):
                self.stderr.write(f"worker: {found} The worker is started again soon. ({error})")
            sys.exit(os.EX_TEMPFAIL)

    def _work(self) -> None:
        os.nice(10)  # requests come first: they take little, and someone waits for each
        WorkerState.objects.beat(tasks.WORKER, ready=False, engine="")
        outages.insist(lambda: sharing.follow(settings.DATA_DIR))
        with (
            beating(lambda: WorkerState.objects.beat(tasks.WORKER)),
            beating(lambda: recovery.after_silence(tasks.WORKER), every=_LOOK_AROUND_SECONDS),
            beating(retention.delete_expired, every=_DELETE_SECONDS),
            beating(partial_upload.delete_expired, every=_DELETE_SECONDS),
            beating(_forget_ended_calls, every=_DELETE_SECONDS),
            beating(disk_space.keep_reserve, every=_LOOK_AROUND_SECONDS),
            local_copies.looked_after(),
            beating(recovery.sweep_store, every=_SWEEP_SECONDS),
        ):
            retention.delete_expired()
            _forget_ended_calls()
            self._prepare()
            call_command("check")
            started = time.monotonic()
            watchdog.start()
            with watchdog.expecting(STARTUP_SECONDS, "the start"):
                pipeline = pipeline_settings.pipeline()
                pipeline.warm_up()
                if pipeline.weights.backbone.text:
                    pipeline_settings.text_encoder(pipeline.weights).encode("a picture")
            engine = f"{pipeline.weights.backbone.name} on {pipeline.extractor.info}"
            WorkerState.objects.beat(tasks.WORKER, ready=True, engine=engine)
            with suppress(OSError):  # the log may lie on the disk that is full
                self.stdout.write(f"worker: ready after {time.monotonic() - started:.0f} s, {engine}")
                self.stdout.flush()
            results = ResultsProcess()
            try:
                with beating(TilemapPrerendering().step, every=EVERY_SECONDS), beating(results.step):
                    call_command(
                        "db_worker",
                        worker_id=tasks.WORKER,
                        interval=0.1,
                        startup_delay=False,
                        reload=False,
                        verbosity=0,
                    )
            finally:
                results.stop()

    def _prepare(self) -> None:
        """What is done once, by a process that gives its memory back. Requests are served meanwhile."""
        while worker_readiness.must_prepare():
            WorkerState.objects.beat(tasks.WORKER, ready=False, engine=worker_readiness.PREPARING)
            if not subprocess.run([sys.executable, str(settings.BASE_DIR / "manage.py"), "prepare"]).returncode:
                break
            WorkerState.objects.beat(tasks.WORKER, ready=False, engine=worker_readiness.FAILED)
            with suppress(OSError):
                self.stderr.write(f"worker: {worker_readiness.NOT_PREPARED} It is tried again in {_AGAIN_SECONDS} s.")
            time.sleep(_AGAIN_SECONDS)
        WorkerState.objects.beat(tasks.WORKER, ready=False, engine="")


def _forget_ended_calls() -> None:
    """Delete the records of yesterday's calls: what they computed is told by the datasets."""
    call_command("prune_db_task_results", min_age_days=1, verbosity=0)
