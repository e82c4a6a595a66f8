"""The busy flag: held by the request that waits for an upload, and kept alive as long as it lives."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from datasets.errors import Busy
from datasets.models import BusyFlag
from wwzd import identity

from . import outages

logger = logging.getLogger(__name__)

LIFETIME = timedelta(seconds=5)
BEAT_SECONDS = 1.0


@contextmanager
def hold() -> Iterator[None]:
    """Hold the flag for a block. Raises `Busy` where another one has it."""
    holder = identity.new_name()
    if not BusyFlag.objects.claim(holder, LIFETIME):
        raise Busy
    try:
        with beating(lambda: BusyFlag.objects.renew(holder, LIFETIME)):
            yield
    finally:
        # It falls by itself where the database is away.
        outages.insist(lambda: BusyFlag.objects.release(holder), wait_seconds=0)


def refuse_if_up() -> None:
    """Raise `Busy` while anyone holds the flag."""
    if BusyFlag.objects.is_up():
        raise Busy


@contextmanager
def beating(beat: Callable[[], object], every: float = BEAT_SECONDS) -> Iterator[None]:
    """Call `beat` every second, or every so many, from a thread of its own, while the block runs."""
    stop = threading.Event()

    def run() -> None:
        try:
            while not stop.wait(every):
                try:
                    beat()
                    outages.leave_broken_connection()
                except Exception as error:  # a beat that fails now may succeed in a second; the block must not know
                    if known := outages.api_error(error):
                        outages.make_way(known)
                        logger.warning("a heartbeat failed: %s", error)
                    else:
                        logger.exception("a heartbeat failed")
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
