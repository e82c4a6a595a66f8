"""The process that computes further results and large uploads: started by the worker while any are queued, gone when
none are.

Neither other uploads nor searches wait for what takes minutes, and its memory is given back.
"""

import logging
import os
import subprocess
import sys

from django.conf import settings

from datasets.models import Dataset, DerivedResult
from datasets.uploads import recovery, tasks
from wwzd import identity

from .requests import request_missing

logger = logging.getLogger(__name__)


class ResultsProcess:
    """Looked after by one thread of the worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._name = tasks.WORKER + identity.BESIDE

    def step(self) -> None:
        """Start it if something is queued; put right what one that died has left."""
        if self._process is not None and self._process.poll() is None:
            self._end_if_too_large(self._process)
            return
        if self._process is not None and self._process.returncode:
            logger.warning("the process beside the worker ended with %d", self._process.returncode)
            recovery.requeue_work_of(self._name)
        self._process = None
        DerivedResult.objects.stale().requeue_or_fail(recovery.PROCESS_DIED)
        request_missing()
        if DerivedResult.objects.queued().exists() or Dataset.objects.next_large() is not None:
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "compute_results"]
            # It ends with its parent, which is the supervisor for whatever it starts itself.
            names = {"WWZD_SUPERVISOR": str(os.getpid()), identity.WORKER_VARIABLE: self._name}
            self._process = subprocess.Popen(command, env=os.environ | names)

    def stop(self) -> None:
        """End it: what it had begun is begun again at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _end_if_too_large(self, process: "subprocess.Popen[bytes]") -> None:
        used = recovery.memory_of(process.pid) // 2**20
        if used > settings.WORKER_MB:
            logger.error("the process beside the worker is ended: it takes %d MiB, over WORKER_MB", used)
            process.kill()
