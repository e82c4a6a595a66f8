"""What the queue carries from the web process to the worker: the ids of datasets to compute."""

import os
import secrets

from django_tasks import task

from . import ingest
from .models import Dataset

# The supervisor names its worker, to know whose work to give up when it dies.
WORKER = os.environ.get("WWZD_WORKER") or secrets.token_hex(8)


@task()
def compute_dataset(identity: str) -> None:
    """Compute one queued dataset. Harmless when it is gone, done or given up already."""
    dataset = Dataset.objects.filter(hash=identity).first()
    if dataset is not None:
        ingest.process(dataset, WORKER)
