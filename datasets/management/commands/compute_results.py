"""The process that computes further results of collections, and large uploads."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from datasets.derived import jobs
from datasets.models import Dataset
from datasets.uploads import processing, tasks
from datasets.uploads.watchdog import watchdog
from wwzd.lifeline import die_with_supervisor


class Command(BaseCommand):
    help = (
        "Compute the further results of collections and the large uploads that are queued, then end. The worker starts "
        "it when there are any."
    )

    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_supervisor()
        os.nice(5)  # after the worker, which is niced itself
        watchdog.start()
        jobs.compute_all(tasks.WORKER)
        while (dataset := Dataset.objects.next_large()) is not None:
            processing.process(dataset, tasks.WORKER)
            watchdog.rest()
            jobs.compute_all(tasks.WORKER)
