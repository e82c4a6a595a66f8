"""The one process that computes."""

import os
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from datasets import compute, recovery, retention, tasks
from datasets.ahead import EVERY_SECONDS, Ahead
from datasets.busy import beating
from datasets.models import WorkerState
from wwzd.lifeline import die_with_supervisor

_LOOK_AROUND_SECONDS = 20
_DELETE_SECONDS = 3600


class Command(BaseCommand):
    help = (
        "Warm up the network and UMAP, then compute queued uploads one after the other until stopped. "
        "`manage.py serve` starts one of these and replaces it when it dies; start it yourself only to run the web "
        "process and the worker apart."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_supervisor()
        os.nice(10)  # requests come first: they take little, and someone waits for each
        WorkerState.objects.beat(tasks.WORKER, ready=False, engine="")
        with (
            beating(lambda: WorkerState.objects.beat(tasks.WORKER)),
            beating(lambda: recovery.after_silence(tasks.WORKER), every=_LOOK_AROUND_SECONDS),
            beating(retention.delete_expired, every=_DELETE_SECONDS),
        ):
            retention.delete_expired()
            started = time.monotonic()
            pipeline = compute.pipeline()
            pipeline.warm_up()
            engine = f"{pipeline.weights.backbone.name} on {pipeline.extractor.info}"
            WorkerState.objects.beat(tasks.WORKER, ready=True, engine=engine)
            self.stdout.write(f"worker: ready after {time.monotonic() - started:.0f} s, {engine}")
            self.stdout.flush()
            with beating(Ahead().turn, every=EVERY_SECONDS):
                call_command(
                    "db_worker", worker_id=tasks.WORKER, interval=0.1, startup_delay=False, reload=False, verbosity=0
                )
