"""What the queue carries from the web process to the worker: datasets to compute, pictures to look up."""

import os
import secrets
from typing import Any

from django_tasks import task

from . import ingest, lookup
from .models import Dataset

# The supervisor names its worker, to know whose work to give up when it dies.
WORKER = os.environ.get("WWZD_WORKER") or secrets.token_hex(8)


@task()
def compute_dataset(identity: str) -> None:
    """Compute one queued dataset. Harmless when it is gone, done or given up already."""
    dataset = Dataset.objects.filter(hash=identity).first()
    if dataset is not None:
        ingest.process(dataset, WORKER)


# Before the uploads that wait: somebody looks at the screen.
@task(priority=50)
def look_up(path: str, target: str | None, count: int) -> dict[str, Any]:
    """Find what is like one picture. Returns what the client gets, or `{"error", "status"}`."""
    return lookup.answer(path, target, count)
