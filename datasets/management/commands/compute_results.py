"""The process that computes further results of collections."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from datasets.derived import jobs
from datasets.uploads import tasks
from datasets.uploads.watchdog import watchdog
from wwzd.lifeline import die_with_supervisor


class Command(BaseCommand):
    help = (
        "Compute the further results of collections that are queued, then end. The worker starts it when there are any."
    )

    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        die_with_supervisor()
        os.nice(5)  # after the worker, which is niced itself
        watchdog.start()
        jobs.compute_all(tasks.WORKER)
