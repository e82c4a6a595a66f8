"""The process that computes further results: started by the worker while any are queued, gone when none are.

Neither uploads nor searches wait for a layout that takes minutes, and its memory is given back.
"""

import logging
import os
import subprocess
import sys

from django.conf import settings

from datasets.errors import ServerError
from datasets.models import DerivedResult
from datasets.uploads import disk_space

from .requests import request_missing

logger = logging.getLogger(__name__)

DIED = ServerError("The process that computed it died, and again when it was begun anew.", code="worker-died")


class ResultsProcess:
    """Looked after by one thread of the worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def step(self) -> None:
        """Start it if something is queued; put right what one that died has left."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None and self._process.returncode:
            logger.warning("the process of further results ended with %d", self._process.returncode)
            recover()
        self._process = None
        DerivedResult.objects.stale().requeue_or_fail(DIED)
        request_missing()
        if DerivedResult.objects.queued().exists():
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "compute_results"]
            # It ends with its parent, which is the supervisor for whatever it starts itself.
            self._process = subprocess.Popen(command, env=os.environ | {"WWZD_SUPERVISOR": str(os.getpid())})

    def stop(self) -> None:
        """End it: what it had begun is begun again at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def recover() -> None:
    """For a moment at which no process of this kind runs: what was begun waits again."""
    disk_space.insist(lambda: DerivedResult.objects.begun().requeue_or_fail(DIED))
